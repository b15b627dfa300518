import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.dialects.hub.answer import fold
from trunkline.dialects.hub.conversation import Conversation, Format, Reasoning, Text, Tool, Turn
from trunkline.dialects.hub.events import BlockStart, Delta, Event, Failure, Finish, Start, UsageSeen
from trunkline.dialects.messages.decoder import MessagesDecoder
from trunkline.errors import MalformedResponse, UpstreamRefused
from trunkline.protocol.catalogue import Endpoint, Pricing

Make = Callable[..., Endpoint]
ASKED = Conversation(turns=(Turn(role="user", blocks=(Text(text="hi"),)),))
PLAIN = Endpoint(
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


def decoder(endpoint: Endpoint = PLAIN, conversation: Conversation = ASKED) -> MessagesDecoder:
    return MessagesDecoder(endpoint, conversation, seed="s")


def payloads(*events: dict[str, object]) -> list[bytes]:
    return [json.dumps(event).encode() for event in events]


START = {
    "type": "message_start",
    "message": {"id": "msg_1", "usage": {"input_tokens": 10, "cache_read_input_tokens": 5, "output_tokens": 1, "service_tier": "priority"}},
}
TEXT = (
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "ping"},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hel"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "lo"}},
    {"type": "content_block_stop", "index": 0},
)
END = (
    {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": 7}},
    {"type": "message_stop"},
)


def test_a_stream() -> None:
    reader = decoder()
    answer = fold(reader.feed(payloads(START, *TEXT, *END)) + reader.close())
    assert (answer.id, answer.blocks[0].joined("text"), answer.finish) == ("msg_1", "Hello", Finish("stop", "end_turn"))
    assert answer.usage == {"input_tokens": 10, "cache_read_input_tokens": 5, "output_tokens": 7, "service_tier": "priority"}
    assert answer.service_tier == "priority"
    assert reader.done


def test_the_whole_message_gives_the_same() -> None:
    body = {
        "id": "msg_1",
        "type": "message",
        "content": [
            {"type": "thinking", "thinking": "why", "signature": "s"},
            {"type": "text", "text": "Hello"},
            {"type": "tool_use", "id": "t", "name": "f", "input": {"z": 1, "a": 2}},
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 2},
    }
    reader = decoder()
    answer = fold(reader.whole(json.dumps(body).encode()))
    assert [block.kind for block in answer.blocks] == ["reasoning", "text", "tool_call"]
    assert answer.blocks[2].joined("arguments") == '{"z":1,"a":2}'
    assert (answer.finish, reader.done) == (Finish("tool_calls", "tool_use"), True)


def test_bug_06_a_call_makes_the_end_tool_calls() -> None:
    call = {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "t", "name": "f", "input": {}}}
    answer = fold(decoder().feed(payloads(START, call, {"type": "content_block_stop", "index": 0}, *END)))
    assert answer.finish == Finish("tool_calls", "end_turn")


def test_bug_10_usage_of_start_and_end_is_merged_and_nothing_taken_back() -> None:
    late = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"input_tokens": 0, "output_tokens": 9}}
    answer = fold(decoder().feed(payloads(START, *TEXT, late)))
    assert answer.usage is not None
    assert (answer.usage["input_tokens"], answer.usage["output_tokens"]) == (10, 9)


def test_bug_14_an_error_in_the_stream_is_a_failure() -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    reader = decoder()
    events = reader.feed(payloads(START, *TEXT[:3], error, *END))
    failure = events[-1]
    assert isinstance(failure, Failure)
    assert isinstance(failure.error, UpstreamRefused)
    assert (failure.error.kind, failure.error.message) == ("overloaded", "Overloaded")
    assert not any(isinstance(event, Finish) for event in events)
    assert reader.feed(payloads(*END)) == []
    assert reader.close() == []


def test_bug_24_an_error_in_a_whole_body_is_a_failure() -> None:
    body = {"type": "error", "error": {"type": "rate_limit_error", "message": "slow down"}, "request_id": "r"}
    (failure,) = decoder().whole(json.dumps(body).encode())
    assert isinstance(failure, Failure)
    assert isinstance(failure.error, UpstreamRefused)
    assert failure.error.kind == "rate_limit"


def test_bug_15_a_stream_that_is_cut_has_no_finish() -> None:
    reader = decoder()
    events = reader.feed(payloads(START, *TEXT[:3])) + reader.close()
    assert fold(events).finish is None
    assert not reader.done


def test_bug_15_the_end_marker_without_a_reason_is_an_end() -> None:
    answer = fold(decoder().feed(payloads(START, *TEXT, {"type": "message_stop"})))
    assert answer.finish == Finish("stop", None)


def test_a_done_marker_of_the_chat_dialect_is_no_garbage() -> None:
    reader = decoder()
    assert reader.feed([*payloads(START, *TEXT, END[0]), b"[DONE]", b"x"])[-1] == Finish("stop", "end_turn")
    assert reader.done


@pytest.mark.parametrize("payload", [b"<html>", b"[1]", b"3", b'{"type":', b"\xff\xfe"])
def test_bug_25_garbage_is_a_failure(payload: bytes) -> None:
    (failure,) = decoder().feed([payload])
    assert isinstance(failure, Failure)
    assert isinstance(failure.error, MalformedResponse)
    (failure,) = decoder().whole(payload)
    assert isinstance(failure, Failure)


def test_bug_25_an_event_without_data_says_nothing() -> None:
    assert decoder().feed([b"", b" "]) == []


def test_bug_25_a_body_that_is_no_message_is_a_failure() -> None:
    (failure,) = decoder().whole(b'{"choices":[]}')
    assert isinstance(failure, Failure)
    assert failure.error.kind == "malformed"


def test_bug_25_what_an_upstream_forgets_is_made_up_for() -> None:
    events = decoder().feed(
        payloads(
            {"type": "message_start"},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "a"}},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "name": "f", "input": {"x": 1}}},
            {"type": "content_block_delta", "index": 7, "delta": {"type": "input_json_delta", "partial_json": "{}"}},
            {"type": "something_new", "x": 1},
            {"type": "message_stop"},
        )
    )
    answer = fold(events)
    assert [block.kind for block in answer.blocks] == ["text", "tool_call"]
    assert (answer.blocks[0].joined("text"), answer.blocks[1].joined("arguments")) == ("a", '{"x":1}')
    assert (answer.blocks[1].id or "").startswith("toolu_")
    assert events[0] == Start(None)


def test_bug_04_minted_ids_differ_and_are_the_same_each_time() -> None:
    calls = [{"type": "tool_use", "name": "f", "input": {}}] * 2
    body = json.dumps({"content": calls, "stop_reason": "tool_use"}).encode()
    first, second = ([event.id for event in decoder().whole(body) if isinstance(event, BlockStart)] for _ in range(2))
    assert first == second
    assert len(set(first)) == 2


def test_bug_19_names_are_restored() -> None:
    asked = Conversation(turns=ASKED.turns, tools=(Tool(name="get.weather now"),))
    sent = next(iter([decoder(PLAIN, asked)._terms.names.wire("get.weather now")]))
    body = json.dumps({"content": [{"type": "tool_use", "id": "t", "name": sent, "input": {}}], "stop_reason": "tool_use"}).encode()
    assert [event.name for event in decoder(PLAIN, asked).whole(body) if isinstance(event, BlockStart)] == ["get.weather now"]


def test_bug_23_a_tool_made_up_for_an_answer_is_read_as_text(endpoint: Make) -> None:
    asked = Conversation(
        turns=ASKED.turns,
        format=Format(kind="json_schema", schema=b'{"type":"object","properties":{"a":{}}}'),  # type: ignore[arg-type]
    )
    call = {"type": "tool_use", "id": "t", "name": "structured_answer", "input": {}}
    stream = payloads(
        START,
        {"type": "content_block_start", "index": 0, "content_block": call},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": '{"a":1}'}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 3}},
    )
    answer = fold(decoder(endpoint(json_schema="tool"), asked).feed(stream))
    assert (answer.blocks[0].kind, answer.blocks[0].joined("text"), answer.tool_calls) == ("text", '{"a":1}', [])
    assert answer.finish == Finish("stop", "tool_use")
    plain = fold(decoder(endpoint(), asked).feed(stream))
    assert plain.tool_calls


def test_bug_23_the_tool_is_known_although_the_model_thinks(endpoint: Make) -> None:
    signed = Reasoning(text="x", signature="s", format="anthropic-claude-v1")
    asked = Conversation(
        turns=(*ASKED.turns, Turn(role="assistant", blocks=(signed,))),
        format=Format(kind="json_object"),
    )
    body = json.dumps({"content": [{"type": "text", "text": '{"a":1}'}], "stop_reason": "end_turn"}).encode()
    answer = fold(decoder(endpoint(json_schema="tool"), asked).whole(body))
    assert answer.blocks[0].joined("text") == '{"a":1}'


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
KEYS = ("type", "index", "delta", "content_block", "message", "usage", "stop_reason", "text", "partial_json", "content", "error")
TYPES = st.sampled_from(
    [
        *("message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "message_stop", "ping"),
        *("text", "tool_use", "thinking", "redacted_thinking", "server_tool_use", "text_delta", "input_json_delta", "signature_delta"),
        *("citations_delta", "compaction_delta", "compaction"),
    ]
)
ODD = st.recursive(
    JSON | TYPES,
    lambda inner: st.fixed_dictionaries({"type": TYPES}, optional={key: inner for key in KEYS if key != "type"}),
    max_leaves=12,
)


@given(st.lists(ODD, max_size=8))
def test_bug_25_nothing_that_an_upstream_sends_raises(sent: list[object]) -> None:
    reader = decoder()
    events: list[Event] = []
    for one in sent:
        events += reader.feed([json.dumps(one).encode()])
        decoder().whole(json.dumps(one).encode())
    events += reader.close()
    fold(events)
    assert sum(isinstance(event, Finish) for event in events) <= 1
    for event in events:
        assert not isinstance(event, Delta) or event.text


@given(st.binary(max_size=60))
def test_bytes_never_raise(data: bytes) -> None:
    decoder().feed([data])
    decoder().whole(data)


def test_usage_is_told_as_it_stands() -> None:
    events = decoder().feed(payloads(START))
    assert events[1] == UsageSeen(START["message"]["usage"], "priority")  # type: ignore[index]
