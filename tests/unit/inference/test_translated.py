"""Between two dialects: the commit rule and the facts, with a decoder and an encoder that say what they got."""

from collections.abc import Sequence

import pytest

from trunkline.dialects.hub.answer import Answer
from trunkline.dialects.hub.events import BlockStart, Delta, Event, Failure, Finish, Start, UsageSeen
from trunkline.errors import ApiError, ConnectionLost
from trunkline.inference.translated import TranslatedReply, TranslatedStream
from trunkline.protocol.usage import Cost, Usage

SCRIPT: dict[bytes, list[Event]] = {
    b"start": [Start("up-1"), UsageSeen({"in": 3})],
    b"open": [BlockStart(0, "text")],
    b"refuse": [BlockStart(1, "refusal"), Delta(1, "text", "No.")],
    b"empty": [Delta(0, "text", "")],
    b"text": [Delta(0, "text", "Hi")],
    b"call": [BlockStart(1, "tool_call", id="c", name="f"), Delta(1, "arguments", "{}")],
    b"bare": [BlockStart(1, "tool_call", id="c", name="f")],
    b"finish": [Finish("stop", "end_turn"), UsageSeen({"out": 2}, "flex")],
    b"bad": [Failure(ConnectionLost("cut"))],
}


class Reads:
    """A decoder of named lists of events."""

    done = False

    def feed(self, payloads: Sequence[bytes]) -> list[Event]:
        self.done = b"[DONE]" in payloads
        return [event for payload in payloads for event in SCRIPT.get(payload, [])]

    def close(self) -> list[Event]:
        return [Delta(0, "text", "held")]

    def whole(self, body: bytes) -> list[Event]:
        return self.feed(body.split())


class Writes:
    """An encoder that names events."""

    def feed(self, events: Sequence[Event]) -> bytes:
        return b"".join(b"<%b>" % type(event).__name__.encode() for event in events)

    def finish(self, answer: Answer, usage: Usage, cost: Cost, *, metadata: bytes | None = None) -> bytes:
        return b"END %d" % usage.input_total

    def fail(self, error: ApiError) -> bytes:
        return b"FAILED"

    def whole(self, answer: Answer, usage: Usage, cost: Cost, *, metadata: bytes | None = None) -> bytes:
        return answer.blocks[0].joined("text").encode()

    def partial(self, answer: Answer, error: ApiError) -> bytes | None:
        return b"PARTIAL " + answer.blocks[0].joined("text").encode()


def stream() -> TranslatedStream:
    return TranslatedStream(Reads(), Writes())


def test_nothing_goes_out_before_the_first_content() -> None:
    one = stream()
    assert one.feed([b"start", b"open", b"empty"]) == b""
    assert not one.committed
    assert one.feed([b"text"]) == b"<Start><UsageSeen><BlockStart><Delta><Delta>"
    assert one.committed


@pytest.mark.parametrize("payload", [b"text", b"call", b"finish"])
def test_what_commits(payload: bytes) -> None:
    one = stream()
    one.feed([payload])
    assert one.committed


def test_the_facts_are_those_of_the_fold() -> None:
    one = stream()
    one.feed([b"start", b"open", b"text", b"call", b"finish", b"[DONE]"])
    assert (one.finish_reason, one.native_finish_reason, one.upstream_id, one.service_tier) == ("stop", "end_turn", "up-1", "flex")
    assert (one.usage, one.output_chars, one.done, one.error) == ({"in": 3, "out": 2}, 4, True, None)
    assert [(call.name, call.arguments) for call in one.tool_calls] == [("f", "{}")]
    assert one.finish(Usage(7), Cost()) == b"END 7"


def test_a_call_without_arguments_is_one_with_none() -> None:
    one = stream()
    one.feed([b"bare", b"finish"])
    assert [(call.name, call.arguments) for call in one.tool_calls] == [("f", "{}")]


def test_what_was_read_before_a_failure_goes_out_with_it() -> None:
    one = stream()
    one.feed([b"open", b"text"])
    assert one.feed([b"text", b"bad"]) == b""
    assert isinstance(one.error, ConnectionLost)
    assert one.fail(ApiError("server", "x")) == b"<Delta>FAILED"


def test_the_end_of_the_connection_gives_what_was_held_back() -> None:
    one = stream()
    one.feed([b"open"])
    assert one.end() == b"<BlockStart><Delta>"


def test_a_body_in_place_of_a_stream_is_read_by_the_same_decoder() -> None:
    assert stream().unstreamed(b"open text finish") == b"<BlockStart><Delta><Finish><UsageSeen>"


def test_a_whole_answer() -> None:
    one = TranslatedReply(Reads(), Writes())
    one.decode(b"start open text finish")
    assert not one.empty
    assert one.encode(Usage(), Cost()) == b"Hi"


@pytest.mark.parametrize(("body", "finish"), [(b"open text", "stop"), (b"call", "tool_calls")])
def test_a_whole_answer_without_a_finish_has_ended_all_the_same(body: bytes, finish: str) -> None:
    one = TranslatedReply(Reads(), Writes())
    one.decode(body)
    assert one.finish_reason == finish


def test_an_answer_with_nothing_in_it_is_empty() -> None:
    one = TranslatedReply(Reads(), Writes())
    one.decode(b"start open")
    assert one.empty and one.finish_reason is None


def test_a_revised_answer_is_what_goes_out() -> None:
    one = TranslatedReply(Reads(), Writes())
    one.decode(b"start open text finish")
    other = TranslatedReply(Reads(), Writes())
    other.decode(b"open text text")
    one.revise(other.answer)
    assert one.answer is other.answer
    assert one.encode(Usage(), Cost()) == b"HiHi"
    assert (one.text(), one.size) == ("Hi", 2)  # what the upstream said is what it is judged by


def test_the_text_of_a_stream_is_known_and_a_refusal_has_none() -> None:
    one = stream()
    one.feed([b"start", b"open", b"text", b"text", b"call", b"finish"])
    assert (one.text(), one.size) == ("HiHi", 6)
    other = stream()
    other.feed([b"open", b"text", b"refuse"])
    assert other.text() is None


def test_a_failed_whole_answer_is_written_by_the_encoder() -> None:
    one = TranslatedReply(Reads(), Writes())
    one.decode(b"start open text")
    assert one.partial(ApiError("server", "broke")) == b"PARTIAL " + one.encode(Usage(), Cost())
