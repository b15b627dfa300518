import gzip
import zlib
from itertools import islice
from typing import Any

import pytest

from trunkline.errors import ConfigError
from trunkline.mock.answers import answer_call
from trunkline.mock.call import Call
from trunkline.mock.faults import FAULTS, find, of_model
from trunkline.mock.reply import Reply
from trunkline.mock.script import Answer, Fault, Pace
from trunkline.mock.wire import End, Send, Step, Wait, layout


def steps(kind: str, *, stream: bool = True, limit: int = 1000, **fields: Any) -> list[Step]:
    """The steps of an answer of five content events with the fault."""
    fault = Fault(kind=kind, **fields)
    reply = answer_call(Call(model="m", stream=stream, include_usage=True), Answer(events=5), Pace(), serial=1)
    row = find(kind)
    return list(islice(row.damage(layout(row.bend(reply, fault), Pace()), fault), limit))


def bent(kind: str, *, stream: bool = True, **fields: Any) -> Reply:
    fault = Fault(kind=kind, **fields)
    return find(kind).bend(answer_call(Call(model="m", stream=stream, include_usage=True), Answer(events=5), Pace(), serial=1), fault)


def sent(found: list[Step]) -> bytes:
    return b"".join(step.data for step in found if isinstance(step, Send))


def kinds(reply: Reply) -> list[str]:
    return [part.kind for part in reply.parts]


PLAIN = sent(list(layout(answer_call(Call(model="m", stream=True, include_usage=True), Answer(events=5), Pace(), serial=1), Pace())))


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("stream", [True, False])
def test_every_fault_changes_what_happens_and_ends(kind: str, stream: bool) -> None:
    found = steps(kind, stream=stream, seconds=0.1, limit=100_000)
    assert isinstance(found[-1], End)
    if stream:
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
