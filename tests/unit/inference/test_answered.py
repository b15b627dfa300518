"""Facts of an answer."""

from trunkline.dialects.oneshot import Result
from trunkline.inference.answered import Answered, Measured
from trunkline.protocol.usage import Cost, Units, Usage


def test_the_facts_of_a_result() -> None:
    seen = Measured(Result(None, usage={"prompt_tokens": 1}, units=Units(images=2), id="x"))
    assert (seen.usage, seen.units, seen.upstream_id, seen.finish_reason) == ({"prompt_tokens": 1}, Units(images=2), "x", "stop")
    assert Measured(Result(None), finish_reason=None).finish_reason is None


def test_the_body_is_written_with_what_it_cost() -> None:
    answer = Answered(Result("content"), lambda result, usage, cost: f"{result.content} {usage.input_total} {cost.total}".encode())
    answer.decode(b"ignored")
    assert answer.encode(Usage(3), Cost(7)) == b"content 3 7"
    assert not answer.empty
