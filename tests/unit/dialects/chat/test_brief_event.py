from typing import Any

import msgspec
import pytest
from endpoints import PLAIN
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from trunkline.dialects.chat import brief_event
from trunkline.dialects.chat.decoder import ChatDecoder
from trunkline.dialects.hub.conversation import Conversation, Tool, ToolChoice
from trunkline.protocol.quirks import Quirks


class FullWay(ChatDecoder):
    """A decoder that knows no short way."""

    def _read_briefly(self, payload: bytes) -> bool:
        return False


def chunk(delta: object, finish: str | None = None, **more: object) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish, **more}
    return msgspec.json.encode({"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]})


def piece(index: int, arguments: str, **more: Any) -> dict[str, object]:
    return {"tool_calls": [{"index": index, "function": {"arguments": arguments}, **more}]}


@pytest.mark.parametrize(
    ("delta", "thought"),
    [
        ({"content": "a"}, ""),
        ({"role": "assistant", "content": "", "reasoning": "t"}, "t"),
        ({"content": None, "reasoning_content": "t", "refusal": None}, "t"),
        (piece(0, "{"), ""),
    ],
)
def test_common_events_are_read(delta: dict[str, object], thought: str) -> None:
    got = brief_event.read(chunk(delta))
    assert got is not None
    assert got.thought == thought


@pytest.mark.parametrize(
    "payload",
    [
        chunk({"content": "a"}, "stop"),
        chunk({"content": "a"}, logprobs={"content": []}),
        chunk({"content": ["a"]}),
        chunk({"reasoning_details": []}),
        chunk(piece(0, "{", id="c")),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": "", "name": "f"}}]}),
        b'{"choices":[],"usage":{}}',
        b'{"choices":[{"delta":{"content":"a"}}],"error":{}}',
        b"[DONE]",
        b"\xff",
        b"",
    ],
)
def test_others_are_not(payload: bytes) -> None:
    assert brief_event.read(payload) is None


HEAD = {"tool_calls": [{"index": 0, "id": "c0", "type": "function", "function": {"name": "f", "arguments": ""}}]}
SECOND = {"tool_calls": [{"index": 1, "id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}}]}
DELTAS = st.sampled_from(
    [
        *({"content": "a"}, {"content": ""}, {"content": "<think>"}, {"content": "</think>"}, {"content": '{"name": "f", "arguments": {'}),
        *({"reasoning": "t"}, {"reasoning_content": "t", "reasoning": "u"}, {"content": "b", "reasoning": "t"}, {"role": "assistant"}),
        *(HEAD, SECOND, piece(0, "{}"), piece(1, "[1"), piece(0, ""), piece(2, "x"), {"content": "c", **piece(0, " ")}),
    ]
)
FORCED = Conversation(turns=(), tools=(Tool(name="f"),), tool_choice=ToolChoice(mode="required"))


@given(st.lists(DELTAS, max_size=8), st.sampled_from(["none", "tags"]), st.sampled_from(["native", "schema"]), st.booleans())
@settings(max_examples=200, deadline=None)
def test_the_short_way_says_the_same_as_the_full_way(deltas: list[object], out: str, tools: str, ended: bool) -> None:
    endpoint = replace(PLAIN, quirks=Quirks(reasoning_out=out, tools=tools))  # type: ignore[arg-type]
    payloads = [*map(chunk, deltas), *([chunk({}, "stop")] if ended else []), chunk({"content": "late"}), b"[DONE]"]
    short, full = (kind(endpoint, FORCED, seed="s") for kind in (ChatDecoder, FullWay))
    assert repr(short.feed(payloads) + short.close()) == repr(full.feed(payloads) + full.close())
