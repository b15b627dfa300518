"""The facts of a fold."""

from trunkline.dialects.hub.answer import take
from trunkline.dialects.hub.events import BlockStart, Delta, Event, Failure, Finish, Start, UsageSeen
from trunkline.dialects.hub.folded import Folded
from trunkline.errors import ConnectionLost


class Reader(Folded):
    def read(self, *events: Event) -> None:
        for event in events:
            take(self._answer, event)


def test_an_answer_of_which_nothing_came() -> None:
    one = Reader()
    facts = (one.usage, one.upstream_id, one.service_tier, one.error, one.finish_reason, one.native_finish_reason)
    assert facts == (None,) * 6
    assert (one.output_chars, list(one.tool_calls)) == (0, [])


def test_what_is_known_of_an_answer() -> None:
    one = Reader()
    one.read(Start("up-1"), BlockStart(0, "text"), Delta(0, "text", "Hello"), UsageSeen({"total": 3}, "priority"), Finish("stop", "END"))
    assert (one.upstream_id, one.usage, one.service_tier) == ("up-1", {"total": 3}, "priority")
    assert (one.finish_reason, one.native_finish_reason, one.output_chars) == ("stop", "END", 5)
    lost = ConnectionLost("cut")
    one.read(Failure(lost))
    assert one.error is lost


def test_calls_without_arguments_have_an_empty_object_and_custom_ones_are_left_out() -> None:
    one = Reader()
    one.read(BlockStart(0, "tool_call", id="a", name="f"), BlockStart(1, "tool_call", id="b", name="g"))
    one.read(BlockStart(2, "tool_call", id="c", name="free", custom=True), Delta(1, "arguments", '{"x"'), Delta(1, "arguments", ":1}"))
    assert [(call.name, call.arguments) for call in one.tool_calls] == [("f", "{}"), ("g", '{"x":1}')]
