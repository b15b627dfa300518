import msgspec
import pytest
from endpoints import PLAIN
from grammar_responses import check, read
from hypothesis import given, settings
from hypothesis import strategies as st

from trunkline.dialects.hub.translation import Identity
from trunkline.dialects.responses.reply import SeenCall
from trunkline.dialects.responses.request import parse
from trunkline.dialects.responses.stream import ResponsesStream
from trunkline.errors import ApiError
from trunkline.protocol.usage import Cost, Usage

IDENTITY = Identity("gen-1-x", "a/b", "P", 7)
DONE = b"data: [DONE]\n\n"


def stream() -> ResponsesStream:
    return ResponsesStream(IDENTITY, PLAIN, parse(b'{"model":"a/b","input":"hi","stream":true}'))


def response(**fields: object) -> dict[str, object]:
    return {
        "id": "resp_1",
        "object": "response",
        "model": "m",
        "status": "in_progress",
        "error": None,
        "output": [],
        "usage": None,
        **fields,
    }


MESSAGE = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [{"type": "output_text", "text": "Hi"}]}
CALL = {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}", "status": "completed"}
WHERE = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
EVENTS: list[dict[str, object]] = [
    {"type": "response.created", "response": response()},
    {"type": "response.in_progress", "response": response()},
    {"type": "response.output_item.added", "output_index": 0, "item": {**MESSAGE, "content": [], "status": "in_progress"}},
    {"type": "response.content_part.added", **WHERE, "part": {"type": "output_text", "text": ""}},
    {"type": "response.output_text.delta", **WHERE, "delta": "Hi", "obfuscation": "xyz"},
    {"type": "response.output_text.done", **WHERE, "text": "Hi"},
    {"type": "response.content_part.done", **WHERE, "part": {"type": "output_text", "text": "Hi"}},
    {"type": "response.output_item.done", "output_index": 0, "item": MESSAGE},
    {"type": "response.output_item.added", "output_index": 1, "item": {**CALL, "arguments": "", "status": "in_progress"}},
    {"type": "response.function_call_arguments.delta", "item_id": "fc_1", "output_index": 1, "delta": "{}"},
    {"type": "response.function_call_arguments.done", "item_id": "fc_1", "output_index": 1, "arguments": "{}"},
    {"type": "response.output_item.done", "output_index": 1, "item": CALL},
    {
        "type": "response.completed",
        "response": response(
            status="completed", output=[MESSAGE, CALL], usage={"input_tokens": 3, "output_tokens": 2}, service_tier="flex"
        ),
    },
]
PAYLOADS = [msgspec.json.encode({**event, "sequence_number": number}) for number, event in enumerate(EVENTS)]


def test_a_stream_passes_and_ends_with_our_account() -> None:
    one = stream()
    out = one.feed(PAYLOADS)
    out += one.finish(Usage(input_total=3, output_total=2), Cost(10**12), metadata=b'{"attempt":1}')
    grammar = check(out)
    assert all(payload in out for payload in PAYLOADS[2:-1])
    assert (grammar.response["id"], grammar.response["model"], grammar.response["provider"]) == ("gen-1-x", "a/b", "P")
    assert grammar.response["usage"]["cost"] == 1.0  # type: ignore[index]
    assert grammar.response["openrouter_metadata"] == {"attempt": 1}
    assert b"resp_1" not in out
    assert (one.committed, one.done, one.error, one.upstream_id, one.service_tier) == (True, True, None, "resp_1", "flex")
    assert (one.finish_reason, one.native_finish_reason, one.output_chars) == ("tool_calls", "completed", 4)
    assert (one.tool_calls, one.usage) == ([SeenCall("f", "{}")], {"input_tokens": 3, "output_tokens": 2})
    assert one.end() == b""


def test_one_by_one_is_the_same_as_at_once() -> None:
    slow, fast = stream(), stream()
    assert b"".join(slow.feed([payload]) for payload in PAYLOADS) == fast.feed(PAYLOADS)


def test_nothing_goes_out_before_content() -> None:
    one = stream()
    assert one.feed(PAYLOADS[:4]) == b""
    assert not one.committed
    assert one.feed(PAYLOADS[4:5]).startswith(b"event: response.created\n")
    assert one.committed


def test_a_call_is_content_when_it_begins() -> None:
    one = stream()
    one.feed(PAYLOADS[:2])
    assert one.feed(PAYLOADS[8:9]).startswith(b"event: response.created\n")


def test_nothing_is_read_after_the_end() -> None:
    one = stream()
    one.feed(PAYLOADS)
    assert one.feed(PAYLOADS[4:5]) == b""
    other = stream()
    other.feed([*PAYLOADS[:5], b"[DONE]"])
    assert other.done
    assert other.finish_reason is None


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        (b'{"type":"error","code":"server_error","message":"m","param":null,"sequence_number":5}', "server"),
        (b'{"type":"error","error":{"code":"rate_limit_exceeded","message":"m"}}', "rate_limit"),
        (b'{"error":{"code":"insufficient_quota","message":"m"}}', "quota"),
        (msgspec.json.encode({"type": "response.failed", "response": response(status="failed", error={"code": "server_error"})}), "server"),
        (b"garbage", "malformed"),
        (b"[]", "malformed"),
    ],
)
def test_an_error_ends_the_stream_as_failed(payload: bytes, kind: str) -> None:
    early = stream()
    assert early.feed([*PAYLOADS[:4], payload]) == b""
    assert early.error is not None
    assert (early.error.kind, early.committed, early.finish_reason) == (kind, False, None)
    late = stream()
    out = late.feed(PAYLOADS[:8])
    assert late.feed([payload, *PAYLOADS[8:]]) == b""
    assert late.error is not None
    grammar = check(out + late.fail(ApiError("provider_unavailable", "gone")))
    assert grammar.terminal == "response.failed"
    assert grammar.response["output"] == [MESSAGE]
    assert grammar.response["error_type"] == "provider_unavailable"


def test_what_was_read_with_the_error_goes_out_before_it() -> None:
    one = stream()
    assert one.feed([*PAYLOADS[:5], b"garbage"]) == b""
    assert one.committed
    events = read(one.fail(ApiError("provider_unavailable", "gone")).removesuffix(DONE))
    assert [event["type"] for event in events][-2:] == ["response.output_text.delta", "response.failed"]


def test_a_failure_before_content_is_an_error_event() -> None:
    grammar = check(stream().fail(ApiError("timeout", "late")))
    assert grammar.error is not None
    assert grammar.error["error_type"] == "timeout"


def test_a_complete_answer_in_place_of_a_stream_is_told_as_one() -> None:
    one = stream()
    out = one.unstreamed(msgspec.json.encode(response(status="completed", output=[MESSAGE, CALL], usage={"input_tokens": 1})))
    grammar = check(out + one.finish(Usage(), Cost()))
    assert [item.kind for item in grammar.items] == ["message", "function_call"]
    assert (one.committed, one.done, one.finish_reason, one.upstream_id) == (True, True, "tool_calls", "resp_1")
    assert (one.tool_calls, one.usage, one.output_chars) == ([SeenCall("f", "{}")], {"input_tokens": 1}, 4)
    bad = stream()
    assert bad.unstreamed(b"<html>") == b""
    assert bad.error is not None


def test_payloads_of_several_lines_are_put_on_one() -> None:
    one = stream()
    out = one.feed([*PAYLOADS[:4], PAYLOADS[4].replace(b',"delta"', b',\n"delta"')])
    assert read(out)[-1]["delta"] == "Hi"


def test_loose_json_passes() -> None:
    one = stream()
    out = one.feed([*PAYLOADS[:4], b'{"type":"response.output_text.delta","delta":"\\ud83d","output_index":0,"content_index":0}'])
    assert one.error is None
    assert read(out)[-1]["delta"] == "�"


def test_an_end_without_a_response_is_still_an_end() -> None:
    one = stream()
    one.feed([*PAYLOADS[:8], b'{"type":"response.completed"}'])
    last = read(one.finish(Usage(), Cost()).removesuffix(DONE))[-1]
    assert last["response"]["id"] == "gen-1-x"  # type: ignore[index]
    assert one.finish_reason == "stop"


def test_calls_that_only_the_end_tells_are_seen() -> None:
    one = stream()
    one.feed([PAYLOADS[0], PAYLOADS[-1]])
    assert (one.finish_reason, one.tool_calls) == ("tool_calls", [SeenCall("f", "{}")])


def test_events_of_server_tools_pass() -> None:
    one = stream()
    searching = b'{"type":"response.web_search_call.searching","item_id":"ws_1","output_index":0,"sequence_number":2}'
    out = one.feed([*PAYLOADS[:2], searching])
    assert searching in out
    assert one.committed


VALUES = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3) | st.lists(st.text(max_size=2), max_size=2)
OBJECTS = st.dictionaries(st.sampled_from(("id", "type", "name", "arguments", "output", "status", "error", "usage")), VALUES, max_size=5)
TYPES = sorted({str(event["type"]) for event in EVENTS} | {"error", "response.failed", "response.incomplete", "x"})
GARBAGE = st.builds(
    lambda kind, fields: msgspec.json.encode({"type": kind, **fields}),
    st.sampled_from(TYPES) | VALUES,
    st.dictionaries(
        st.sampled_from(("response", "item", "delta", "sequence_number", "error", "output_index")), VALUES | OBJECTS, max_size=4
    ),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(GARBAGE | st.binary(max_size=9), max_size=5))
def test_garbage_never_raises(payloads: list[bytes]) -> None:
    one = stream()
    one.feed(payloads)
    if one.error is None:
        one.finish(Usage(), Cost())
    else:
        one.fail(ApiError("provider_unavailable", "gone"))


def test_an_item_whose_type_is_no_text_goes_on_as_it_came() -> None:
    one = stream()
    for end in ("added", "done"):
        said = one.feed([msgspec.json.encode({"type": f"response.output_item.{end}", "output_index": 0, "item": {"type": ["x"]}})])
        assert b'{"type":["x"]}' in said
    assert one.error is None
