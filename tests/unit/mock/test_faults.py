import gzip
import json
import zlib
from itertools import islice
from typing import Any

import pytest
from vendor_readers import frames

from trunkline.errors import ConfigError
from trunkline.mock.call import Asked, Call
from trunkline.mock.faults import FAULTS, find, of_model
from trunkline.mock.reply import Reply
from trunkline.mock.script import Answer, Fault, Pace
from trunkline.mock.wire import End, Send, Step, Wait, layout
from trunkline.mock.writing import chat, cohere, converse, gemini, messages, responses


def steps(kind: str, *, stream: bool = True, limit: int = 1000, **fields: Any) -> list[Step]:
    """The steps of an answer of five content events with the fault."""
    fault = Fault(kind=kind, **fields)
    reply = chat.write(Call(model="m", stream=stream, include_usage=True), Answer(events=5), Pace(), serial=1)
    row = find(kind)
    return list(islice(row.damage(layout(row.bend(reply, fault, chat.MANNER), Pace()), fault, chat.MANNER), limit))


def bent(kind: str, *, stream: bool = True, **fields: Any) -> Reply:
    fault = Fault(kind=kind, **fields)
    return find(kind).bend(
        chat.write(Call(model="m", stream=stream, include_usage=True), Answer(events=5), Pace(), serial=1), fault, chat.MANNER
    )


def sent(found: list[Step]) -> bytes:
    return b"".join(step.data for step in found if isinstance(step, Send))


def kinds(reply: Reply) -> list[str]:
    return [part.kind for part in reply.parts]


PLAIN = sent(list(layout(chat.write(Call(model="m", stream=True, include_usage=True), Answer(events=5), Pace(), serial=1), Pace())))


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("stream", [True, False])
def test_every_fault_changes_what_happens_and_ends(kind: str, stream: bool) -> None:
    found = steps(kind, stream=stream, seconds=0.1, limit=100_000)
    assert isinstance(found[-1], End)
    if stream and kind != "no_borders":  # chat has none
        assert sent(found) != PLAIN or any(isinstance(step, Wait) for step in found) or found[-1] != End("keep")
    assert FAULTS[kind].summary.endswith(".")


def test_status_with_retry_after_and_shape() -> None:
    reply = bent("status", status=429, retry_after=2, shape="anthropic", message="Wait.")
    assert (reply.status, dict(reply.headers)["retry-after"]) == (429, "2")
    assert b'"message":"Wait."' in reply.parts[0].data
    assert bent("status", body="plain").parts[0].data == b"plain"


def test_success_with_an_error_inside() -> None:
    assert bent("ok_error").status == 200
    assert b'"error"' in bent("ok_error").parts[0].data


def test_html_comes_as_html() -> None:
    assert (bent("html", status=502).status, dict(bent("html").headers)["content-type"]) == (502, "text/html; charset=utf-8")


def test_which_events_are_left() -> None:
    assert kinds(bent("no_done")) == ["role", *["content"] * 5, "finish", "usage"]
    assert kinds(bent("no_finish")) == ["role", *["content"] * 5]
    assert kinds(bent("stall", events=2)) == ["role", "content", "content"]
    assert kinds(bent("role_only")) == ["role"]
    assert kinds(bent("error_event", events=1)) == ["role", "content", "error"]
    assert kinds(bent("error_event", events=0)) == ["role", "error"]
    assert kinds(bent("garbage_event", events=1)) == ["role", "content", "error", *["content"] * 4, "finish", "usage", "done"]
    assert kinds(bent("empty")) == []


def test_a_huge_event_and_a_huge_head() -> None:
    assert len(bent("huge_event", size=100_000).parts[2].data) > 100_000
    assert len(dict(bent("huge_head", size=70_000).headers)["x-mock-padding"]) == 70_000


def test_slow_first_keeps_the_role_chunk_prompt() -> None:
    reply = bent("slow_first", seconds=0.5)
    assert [part.wait for part in reply.parts][:3] == [0, 0.5, 0]


@pytest.mark.parametrize("stream", [True, False])
def test_encoded_bodies_decode_to_the_plain_ones(stream: bool) -> None:
    plain = b"".join(part.data for part in bent("reset", stream=stream).parts)
    assert gzip.decompress(b"".join(part.data for part in bent("encoded", stream=stream).parts)) == plain
    assert zlib.decompress(b"".join(part.data for part in bent("encoded", stream=stream, encoding="deflate").parts)) == plain


def test_each_event_of_an_encoded_stream_can_be_read_at_once() -> None:
    reader = zlib.decompressobj(wbits=31)
    assert reader.decompress(bent("encoded").parts[0].data) == bent("reset").parts[0].data


def test_separators() -> None:
    assert all(part.data.endswith(b"\r\n\r\n") for part in bent("crlf").parts)
    assert bent("no_blank_line").parts[-1].data == b"data: [DONE]"


@pytest.mark.parametrize("after", [0, 1, 200, len(PLAIN) - 1])
def test_cut_is_exact_to_the_byte(after: int) -> None:
    found = steps("cut", after=after)
    assert sent(found) == PLAIN[:after]
    assert found[-1] == End("fin")


def test_a_reset_comes_after_the_bytes_had_time_to_arrive() -> None:
    assert steps("cut", after=9, reset=True)[-2:] == [Wait(0.02), End("rst")]


def test_drop_and_stall_do_not_end_the_body() -> None:
    assert not sent(steps("drop", events=2)).endswith(b"0\r\n\r\n")
    assert steps("drop", events=2)[-1] == End("fin")
    assert steps("stall", events=2)[-1] == End("hang")
    assert sent(steps("stall", events=2)).count(b"data: ") == 3


def test_slow_bytes() -> None:
    found = steps("slow_bytes", size=100, interval_ms=5)
    assert sent(found) == PLAIN
    assert all(len(step.data) <= 100 for step in found if isinstance(step, Send))
    assert [step for step in found if isinstance(step, Wait)] == [Wait(0.005)] * -(-len(PLAIN) // 100)


def test_heartbeats_carry_no_event_and_end_when_told() -> None:
    found = steps("heartbeats", seconds=0.05, interval_ms=10)
    assert sent(found).count(b": mock is thinking") == 5
    assert b"data:" not in sent(found)
    assert b"transfer-encoding: chunked\r\n" in sent(steps("heartbeats", stream=False, seconds=0.05))


def test_heartbeats_without_end_are_made_as_they_are_sent() -> None:
    assert len(steps("heartbeats", seconds=1e9, limit=500)) == 500


@pytest.mark.parametrize(("size", "promised"), [(10, 10), (-3, -3)])
def test_wrong_length(size: int, promised: int) -> None:
    data = sent(steps("wrong_length", stream=False, size=size))
    head, _, body = data.partition(b"\r\n\r\n")
    assert int(head.split(b"content-length: ")[1].split(b"\r\n")[0]) == len(body) + promised


def test_until_close_has_no_framing() -> None:
    head = sent(steps("until_close")).partition(b"\r\n\r\n")[0]
    assert b"content-length" not in head
    assert b"chunked" not in head
    assert steps("until_close")[-1] == End("fin")


def test_bad_chunk() -> None:
    assert sent(steps("bad_chunk")).endswith(b"zz\r\nmock\r\n")


def test_refusing_closes_the_listener() -> None:
    assert steps("refuse", seconds=2) == [End("rst", refuse_s=2)]
    assert steps("reset") == [End("rst")]
    assert steps("hang") == [End("hang")]
    assert steps("slow_head", seconds=3)[0] == Wait(3)


def test_faults_by_model_name() -> None:
    assert of_model("echo-1") is None
    assert of_model("default/echo-1") is None
    assert of_model("fault/hang") == Fault(kind="hang")
    assert of_model("acme/fault/status?status=429&retry_after=2") == Fault(kind="status", status=429, retry_after="2")
    assert of_model("fault/cut?after=300&reset=true") == Fault(kind="cut", after=300, reset=True)


@pytest.mark.parametrize("model", ["fault/nothing", "fault/status?status=x", "fault/cut?wrong=1"])
def test_wrong_fault_names_are_told(model: str) -> None:
    with pytest.raises(ConfigError):
        of_model(model)


MANNERS = {"chat": chat, "responses": responses, "messages": messages, "gemini": gemini, "converse": converse, "cohere": cohere}
EVERY = pytest.mark.parametrize("dialect", MANNERS)


def spoilt(dialect: str, kind: str, **fields: Any) -> Reply:
    """A stream of five events in a dialect with the fault."""
    vendor = MANNERS[dialect]
    asked = Asked(path="/", query={"alt": "sse"})
    reply = vendor.write(Call(model="m", stream=True, include_usage=True, asked=asked), Answer(events=5), Pace(), serial=1)
    return find(kind).bend(reply, Fault(kind=kind, **fields), vendor.MANNER)


def text(reply: Reply) -> bytes:
    return b"".join(part.data for part in reply.parts)


@EVERY
@pytest.mark.parametrize("kind", FAULTS)
def test_every_fault_ends_in_every_dialect(dialect: str, kind: str) -> None:
    fault = Fault(kind=kind, seconds=0.1)
    found = list(find(kind).damage(layout(spoilt(dialect, kind, seconds=0.1), Pace()), fault, MANNERS[dialect].MANNER))
    assert isinstance(found[-1], End)


@EVERY
@pytest.mark.parametrize(
    ("status", "marks"),
    [
        (429, {b"rate_limit_error", b"RESOURCE_EXHAUSTED", b"ThrottlingException", b"full"}),
        (401, {b"authentication_error", b"UNAUTHENTICATED", b"UnrecognizedClientException", b"full"}),
        (503, {b"overloaded_error", b"UNAVAILABLE", b"ServiceUnavailableException", b"full"}),
    ],
)
def test_a_status_has_the_vendors_own_body(dialect: str, status: int, marks: set[bytes]) -> None:
    reply = spoilt(dialect, "status", status=status, message="full", retry_after=2, headers={"x-a": "b"})
    headers = dict(reply.headers)
    told = text(reply) + headers.get("x-amzn-errortype", "").encode()
    assert (reply.status, headers["retry-after"], headers["x-a"]) == (status, "2", "b")
    assert any(mark in told for mark in marks)
    assert b"full" in told


ENDINGS = {
    "chat": b'data: {"error":',
    "responses": b"event: response.failed\n",
    "messages": b"event: error\n",
    "gemini": b'data: {"error":',
    "converse": b":exception-type",
    "cohere": b'"finish_reason":"ERROR"',
}


@EVERY
def test_an_error_in_mid_stream_is_told_as_the_vendor_does(dialect: str) -> None:
    reply = spoilt(dialect, "error_event", events=2, status=503, message="mock is tired")
    assert [part.kind for part in reply.parts].count("content") == 2
    assert ENDINGS[dialect] in reply.parts[-1].data
    assert b"mock is tired" in reply.parts[-1].data


@EVERY
def test_content_that_comes_twice_or_starts_without_a_start(dialect: str) -> None:
    contents = [part.data for part in spoilt(dialect, "repeated_event", events=2).parts if part.kind == "content"]
    assert (len(contents), contents[1] == contents[2]) == (6, True)
    assert "role" not in [part.kind for part in spoilt(dialect, "no_start").parts]
    assert {"open", "close"}.isdisjoint(part.kind for part in spoilt(dialect, "no_borders").parts)


@EVERY
def test_a_wrong_bit_breaks_one_event(dialect: str) -> None:
    broken = [part.data for part in spoilt(dialect, "corrupt_event", events=3).parts]
    whole = [part.data for part in spoilt(dialect, "huge_head").parts]
    assert [len(data) for data in broken] == [len(data) for data in whole]
    [(bad, good)] = [(bad, good) for bad, good in zip(broken, whole, strict=True) if bad != good]
    if dialect == "converse":
        with pytest.raises(AssertionError):
            list(frames(bad))
        assert bad[:-4] == good[:-4]
    else:
        with pytest.raises(ValueError):
            json.loads(bad.partition(b"data: ")[2])


@EVERY
def test_a_large_event_says_as_much(dialect: str) -> None:
    parts = spoilt(dialect, "huge_event", events=2, size=5000).parts
    assert max(len(part.data) for part in parts) > 5000
    assert sum(len(part.data) > 5000 for part in parts) == 1


def test_heartbeats_are_the_dialects_own() -> None:
    fault = Fault(kind="heartbeats", seconds=0.03)
    found = find("heartbeats").damage(layout(spoilt("messages", "heartbeats"), Pace()), fault, messages.MANNER)
    assert sent(list(found)).count(b"event: ping\n") == 3


def test_what_ends_a_stream_can_be_left_out() -> None:
    assert b"message_stop" not in text(spoilt("messages", "no_done"))
    assert b"response.completed" not in text(spoilt("responses", "no_done"))
    assert b"messageStop" not in text(spoilt("converse", "no_finish"))
    assert b"metadata" not in text(spoilt("converse", "no_usage"))
    assert b"finishReason" not in text(spoilt("gemini", "no_finish"))


def test_the_other_line_end() -> None:
    assert b"\r" not in text(spoilt("gemini", "crlf"))
    assert text(spoilt("messages", "crlf")).count(b"\r\n\r\n") > 5
    assert text(spoilt("converse", "crlf")) == text(spoilt("converse", "huge_head"))
