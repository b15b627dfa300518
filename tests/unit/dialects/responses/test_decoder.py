import msgspec
import pytest
from endpoints import PLAIN
from hypothesis import given, settings
from hypothesis import strategies as st

from trunkline.dialects.hub.answer import fold
from trunkline.dialects.hub.conversation import Conversation
from trunkline.dialects.hub.events import BlockStart, BlockStop, Delta, Event, Failure, Finish, Start, UsageSeen
from trunkline.dialects.responses.decoder import ResponsesDecoder


def decoder() -> ResponsesDecoder:
    return ResponsesDecoder(PLAIN, Conversation(turns=()), seed="s")


def event(kind: str, **fields: object) -> bytes:
    return msgspec.json.encode({"type": kind, **fields})


def response(**fields: object) -> dict[str, object]:
    return {"id": "resp_1", "object": "response", "status": "completed", "error": None, "output": [], **fields}


MESSAGE = {"type": "message", "id": "msg_1", "content": [{"type": "output_text", "text": "Hello"}]}
USAGE = {"input_tokens": 3, "output_tokens": 1}
STREAM = [
    event("response.created", response=response(status="in_progress")),
    event("response.in_progress", response=response(status="in_progress")),
    event("response.output_item.added", output_index=0, item={**MESSAGE, "content": []}),
    event("response.content_part.added", output_index=0, content_index=0, part={"type": "output_text", "text": ""}),
    event("response.output_text.delta", output_index=0, content_index=0, delta="Hel"),
    event("response.output_text.delta", output_index=0, content_index=0, delta="lo"),
    event("response.output_text.done", output_index=0, content_index=0, text="Hello"),
    event("response.content_part.done", output_index=0, content_index=0, part=MESSAGE["content"][0]),
    event("response.output_item.done", output_index=0, item=MESSAGE),
    event("response.completed", response=response(output=[MESSAGE], usage=USAGE, service_tier="flex")),
]
EVENTS: list[Event] = [
    Start("resp_1"),
    BlockStart(0),
    Delta(0, "text", "Hel"),
    Delta(0, "text", "lo"),
    BlockStop(0),
    UsageSeen(USAGE, "flex"),
    Finish("stop", "completed"),
]


def test_a_stream_is_read() -> None:
    one = decoder()
    assert one.feed(STREAM) == EVENTS
    assert one.done
    assert one.feed([event("response.output_text.delta", output_index=0, content_index=0, delta="late")]) == []
    assert one.close() == []


def test_a_whole_answer_folds_to_the_same() -> None:
    body = msgspec.json.encode(response(output=[MESSAGE], usage=USAGE, service_tier="flex"))
    whole, streamed = fold(decoder().whole(body)), fold(EVENTS)
    assert [(block.kind, block.joined("text")) for block in whole.blocks] == [
        (block.kind, block.joined("text")) for block in streamed.blocks
    ]
    assert (whole.id, whole.usage, whole.finish, whole.service_tier) == (
        streamed.id,
        streamed.usage,
        streamed.finish,
        streamed.service_tier,
    )


def test_only_an_upstreams_end_is_a_finish() -> None:
    one = decoder()
    assert not any(isinstance(item, Finish) for item in one.feed(STREAM[:-1]) + one.close())
    assert not one.done
    assert one.feed([b"[DONE]"]) == []
    assert one.done


def test_deltas_alone_are_enough() -> None:
    answer = fold(decoder().feed([STREAM[4], STREAM[5], event("response.completed", response=response(usage=USAGE))]))
    assert [block.joined("text") for block in answer.blocks] == ["Hello"]
    assert answer.finish == Finish("stop", "completed")


def test_the_end_alone_is_enough() -> None:
    answer = fold(decoder().feed(STREAM[-1:]))
    assert [block.joined("text") for block in answer.blocks] == ["Hello"]


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        (event("response.failed", response=response(status="failed", error={"code": "server_error", "message": "m"})), "server"),
        (event("error", code="rate_limit_exceeded", message="m", param=None), "rate_limit"),
        (event("error", error={"type": "invalid_request_error", "code": "context_length_exceeded", "message": "m"}), "context_length"),
        (b'{"error":{"code":"insufficient_quota","message":"m"}}', "quota"),
        (b"not json", "malformed"),
        (b"[1]", "malformed"),
    ],
)
def test_an_error_in_a_stream_is_a_failure(payload: bytes, kind: str) -> None:
    one = decoder()
    one.feed(STREAM[:5])
    events = one.feed([payload, *STREAM[5:]])
    failure = events[-1]
    assert isinstance(failure, Failure)
    assert failure.error.kind == kind
    assert one.done


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html>", "malformed"),
        (b"[]", "malformed"),
        (b'{"object":"response"}', "malformed"),
        (msgspec.json.encode(response(status="queued")), "malformed"),
        (msgspec.json.encode(response(status="failed", error={"code": "rate_limit_exceeded", "message": "m"})), "rate_limit"),
        (b'{"error":{"code":"invalid_api_key","message":"m"}}', "credential"),
    ],
)
def test_a_body_that_is_no_answer_is_a_failure(body: bytes, kind: str) -> None:
    failure = decoder().whole(body)[-1]
    assert isinstance(failure, Failure)
    assert failure.error.kind == kind


def test_unknown_events_pass_by() -> None:
    assert decoder().feed([event("response.new_thing"), b'{"type":3}', b"{}", b" ", event("response.debug", debug={})]) == []


def test_an_answer_that_was_cut_keeps_what_it_said() -> None:
    cut = response(status="incomplete", incomplete_details={"reason": "max_output_tokens"}, output=[MESSAGE], usage=USAGE)
    answer = fold(decoder().feed([*STREAM[:6], event("response.incomplete", response=cut)]))
    assert (answer.finish, answer.usage) == (Finish("length", "max_output_tokens"), USAGE)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(("type", "id", "text", "content", "item", "error")), inner, max_size=4)
    ),
    max_leaves=8,
)
TYPES = sorted(
    {f"response.{kind}" for kind in ("created", "completed", "failed", "incomplete", "output_item.added", "output_item.done")}
    | {"error"}
    | set(decoder()._slots.handlers)
)
KEYS = (
    "response",
    "item",
    "part",
    "delta",
    "text",
    "arguments",
    "annotation",
    "output_index",
    "content_index",
    "logprobs",
    "error",
    "item_id",
)
ITEMS = st.fixed_dictionaries(
    {"type": st.sampled_from(("message", "reasoning", "function_call", "custom_tool_call", "image_generation_call", "x"))},
    optional=dict.fromkeys(("id", "call_id", "name", "arguments", "content", "summary", "encrypted_content", "result", "format"), JSON),
)
GARBAGE = st.builds(
    lambda kind, fields: {"type": kind, **fields},
    st.sampled_from(TYPES),
    st.dictionaries(st.sampled_from(KEYS), JSON | ITEMS | st.fixed_dictionaries({"output": st.lists(ITEMS, max_size=2)}), max_size=5),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(GARBAGE, max_size=6))
def test_garbage_never_raises_and_blocks_stay_in_order(events: list[dict[str, object]]) -> None:
    got = decoder().feed([msgspec.json.encode(one) for one in events])
    begun: set[int] = set()
    stopped: set[int] = set()
    for one in got:
        if isinstance(one, BlockStart):
            assert one.index == len(begun)
            begun.add(one.index)
        elif isinstance(one, Delta):
            assert one.index in begun - stopped
        elif isinstance(one, BlockStop):
            assert one.index in begun - stopped
            stopped.add(one.index)
    fold(got)


@given(st.binary(max_size=40))
def test_garbage_bodies_never_raise(data: bytes) -> None:
    decoder().whole(data)
    decoder().feed([data])


def test_an_item_whose_type_is_no_text_is_passed_over() -> None:
    item = {"type": ["message"], "id": "x"}
    answer = fold(decoder().whole(msgspec.json.encode({"status": "completed", "output": [item, {"type": {}}]})))
    assert (answer.error, answer.blocks) == (None, [])
    events = [{"type": f"response.output_item.{end}", "output_index": 0, "item": item} for end in ("added", "done")]
    assert decoder().feed([msgspec.json.encode(one) for one in events]) == []
