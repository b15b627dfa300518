"""What both translators of the dialect begin with."""

import msgspec
import pytest
from endpoints import PLAIN

from trunkline.dialects.chat.reply import ChatReply
from trunkline.dialects.chat.request import parse, parse_completion
from trunkline.dialects.chat.stream import ChatStream
from trunkline.dialects.chat.translator import Translator
from trunkline.dialects.hub.translation import Identity
from trunkline.protocol.quirks import Quirks

IDENTITY = Identity("gen-1", "a/m", "One", 7)
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
CHOICE = {"type": "function", "function": {"name": "f"}}


@pytest.mark.parametrize(("kind", "name"), [(ChatStream, "chat.completion.chunk"), (ChatReply, "chat.completion")])
def test_under_which_name_an_answer_goes_out(kind: type[Translator], name: str) -> None:
    chat = parse(b'{"model":"a/m","messages":[{"role":"user","content":"hi"}]}')
    text = parse_completion(b'{"model":"a/m","prompt":"hi"}')
    one = kind.of(IDENTITY, PLAIN, chat)
    assert one._identity == ("gen-1", name, 7, "a/m", "One")
    assert one._plain_ones
    other = kind.of(IDENTITY, PLAIN, text)
    assert other._identity == ("gen-1", "text_completion", 7, "a/m", "One")
    assert not other._plain_ones
    assert (one.usage, one.upstream_id, one.service_tier, one.error) == (None, None, None, None)


@pytest.mark.parametrize("kind", [ChatStream, ChatReply])
def test_a_forced_tool_is_found_out(kind: type[Translator]) -> None:
    body = {"model": "a/m", "messages": [{"role": "user", "content": "hi"}], "tools": [TOOL], "tool_choice": CHOICE}
    request = parse(msgspec.json.encode(body))
    schema = msgspec.structs.replace(PLAIN, quirks=Quirks(tools="schema"))
    assert kind.of(IDENTITY, schema, request)._forced_tool == "f"
    assert kind.of(IDENTITY, PLAIN, request)._forced_tool is None
    assert kind.of(IDENTITY, PLAIN, request, forced_tool="g")._forced_tool == "g"
