import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.dialects.hub.translation import Identity
from trunkline.dialects.messages.reply import MessagesReply
from trunkline.dialects.messages.request import parse
from trunkline.protocol.catalogue import Endpoint, Pricing
from trunkline.protocol.usage import Cost, Usage

REQUEST = parse(b'{"model":"a/b","messages":[{"role":"user","content":"hi"}]}')
ENDPOINT = Endpoint(
    id="e",
    model="a/b",
    provider="p",
    provider_name="P",
    tag="p",
    dialect="messages",
    base_url="https://x",
    upstream_model="m",
    pricing=Pricing(),
)
BODY = {
    **{"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "tool_use", "stop_sequence": None},
    "content": [{"type": "text", "text": "abc"}, {"type": "tool_use", "id": "t", "name": "f", "input": {"z": 1, "a": 2}}],
    "usage": {"input_tokens": 3, "output_tokens": 4, "service_tier": "priority"},
    "something_new": {"x": 1},
}


def reply(body: object) -> MessagesReply:
    one = MessagesReply(Identity("gen-1-x", "a/b", "P", 1), ENDPOINT, REQUEST)
    one.decode(body if isinstance(body, bytes) else json.dumps(body).encode())
    return one


def test_everything_but_the_name_and_the_cost_stays() -> None:
    out = json.loads(reply(BODY).encode(Usage(), Cost(total=10**12), metadata=b'{"a":1}'))
    assert (out["id"], out["model"], out["provider"], out["openrouter_metadata"]) == ("gen-1-x", "a/b", "P", {"a": 1})
    assert (out["content"], out["something_new"], out["stop_reason"]) == (BODY["content"], {"x": 1}, "tool_use")
    assert (out["usage"]["input_tokens"], out["usage"]["cost"], out["usage"]["service_tier"]) == (3, 1.0, "priority")
    assert out.keys() >= {"container", "stop_details"}


def test_bug_11_the_order_of_keys_stays() -> None:
    assert b'{"z":1,"a":2}' in reply(BODY).encode(Usage(), Cost())


def test_the_facts() -> None:
    one = reply(BODY)
    assert (one.empty, one.error, one.finish_reason, one.native_finish_reason) == (False, None, "tool_calls", "tool_use")
    assert (one.upstream_id, one.service_tier, one.output_chars) == ("msg_1", "priority", 3 + len('{"z":1,"a":2}'))
    assert [(call.name, call.arguments) for call in one.tool_calls] == [("f", '{"z":1,"a":2}')]


def test_an_answer_with_nothing_in_it_is_empty() -> None:
    assert reply({"type": "message", "content": [], "stop_reason": None}).empty
    assert not reply({"type": "message", "content": [], "stop_reason": "end_turn"}).empty


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b'{"choices":[]}', b'{"type":"error","error":{"type":"api_error","message":"x"}}'])
def test_bug_24_what_is_no_answer_is_an_error(body: bytes) -> None:
    assert reply(body).error is not None


@given(st.binary(max_size=40))
def test_nothing_raises(body: bytes) -> None:
    reply(body)
