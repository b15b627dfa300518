"""What becomes of attempts that were given up, and what they cost."""

import asyncio

import pytest
from pipelines import PRICE, ROLE, event, words
from races import QUICK, REFUSED, STREAMED, Course, Gate, at

from trunkline.errors import ConnectFailed
from trunkline.inference.losers import Run
from trunkline.mock.thread import MockServer
from trunkline.protocol.generation import GenerationRecord

BEGUN = STREAMED[: -len(b"".join(words("Par", "is.")))] + ROLE + event({"content": "Paris is a city."})
"""The beginning of an answer, whose connection then ends."""


def lose(data: bytes, *, drains: int = 32) -> tuple[GenerationRecord, Course, Gate]:
    """What is recorded of an attempt at an endpoint that bills on, whose answer comes when another one has won."""
    gate = Gate()
    with MockServer() as mock:
        mock.use(QUICK)
        course = Course([at("one", gate.url, on_cancel="bills_on"), at("two", mock.url)], gates=[gate], drains=drains)

        async def run(course: Course) -> None:
            await course.one()
            assert [one.endpoint_id for one in course.answers] == ["two"]
            if not drains:
                await course.until(lambda: gate.closed == 1)
            gate.answer(data)
            await course.until(lambda: bool(course.lost))

        course.go(run)
    return course.metered(), course, gate


def test_an_endpoint_that_bills_on_is_read_to_its_end() -> None:
    lost, course, gate = lose(STREAMED)
    assert (lost.usage_source, lost.input_tokens, lost.output_tokens, lost.finish_reason) == ("upstream", 7, 3, "stop")
    assert lost.upstream_cost == 7 * PRICE.prompt + 3 * PRICE.completion
    assert gate.closed == 0
    assert course.drains.take() and course.drains._free == 31, "the place is free again"


def test_without_a_place_it_is_closed_and_its_prompt_counted() -> None:
    lost, course, gate = lose(STREAMED, drains=0)
    assert (lost.usage_source, lost.output_tokens, gate.closed) == ("estimated", 0, 1)
    assert lost.upstream_cost == lost.input_tokens * PRICE.prompt > 0
    assert course.drains._free == 0


def test_what_breaks_off_costs_what_had_come() -> None:
    lost, _course, _gate = lose(BEGUN)
    assert lost.usage_source == "estimated"
    assert lost.output_tokens > 0
    assert lost.upstream_cost == lost.input_tokens * PRICE.prompt + lost.output_tokens * PRICE.completion


def test_what_fails_after_all_costs_nothing() -> None:
    lost, course, _gate = lose(REFUSED)
    assert (lost.upstream_cost, lost.input_tokens) == (0, 0)
    assert not course.health.snapshot().failing("one"), "nobody waited for it any more"


@pytest.mark.parametrize("bills_on", [False, True])
def test_two_that_are_ready_at_once(bills_on: bool) -> None:
    """The slower one has an open stream already: it is closed, or read to its end, and counted."""
    gate = Gate()
    endpoint = at("one", gate.url, on_cancel="bills_on" if bills_on else "stops")
    course = Course([endpoint], gates=[gate])
    gate.answer(STREAMED if bills_on else BEGUN)

    async def run(course: Course) -> None:
        exchange = await course.admitted()
        exchange.endpoint = endpoint
        task = asyncio.create_task(course.opened(exchange))
        await task
        course.losers.take(Run(exchange, endpoint, task))
        await course.until(lambda: bool(course.lost))
        assert (await task).response.error is not None or bills_on

    course.go(run)
    (lost,) = course.lost
    assert lost.output_tokens == (3 if bills_on else 4)


def test_what_is_recorded_otherwise_is_only_closed() -> None:
    gate = Gate()
    endpoint = at("one", gate.url)
    course = Course([endpoint], gates=[gate])

    async def run(course: Course) -> None:
        exchange = await course.admitted()
        exchange.endpoint = endpoint
        waiting = asyncio.create_task(course.opened(exchange))
        await course.until(lambda: gate.calls == 1)
        course.losers.drop(Run(exchange, endpoint, waiting))
        await course.until(lambda: gate.closed == 1)
        gate.answer(BEGUN)
        ready = asyncio.create_task(course.opened(exchange))
        live = await ready
        course.losers.drop(Run(exchange, endpoint, ready))
        assert live.response.error is not None
        failed = asyncio.create_task(_failing())
        await asyncio.wait([failed])
        course.losers.drop(Run(exchange, endpoint, failed))

    course.go(run)
    assert not course.ledgers.records


async def _failing() -> None:
    raise ConnectFailed("x")


def test_a_shutdown_records_what_still_runs() -> None:
    gate = Gate()
    with MockServer() as mock:
        mock.use(QUICK)
        course = Course([at("one", gate.url, on_cancel="bills_on"), at("two", mock.url)], gates=[gate])

        async def run(course: Course) -> None:
            await course.one()
            assert not course.lost
            await course.losers.close()
            assert len(course.lost) == 1
            await course.until(lambda: gate.closed == 1)
            await course.losers.close()

        course.go(run)
    lost = course.metered()
    assert (lost.usage_source, lost.output_tokens) == ("estimated", 0)
    assert course.drains._free == 32
