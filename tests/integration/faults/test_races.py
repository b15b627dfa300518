"""Attacks on hedging: whatever ends a race, and whenever, each attempt is metered once, and nothing stays open."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from msgspec.structs import replace
from races import ANSWER, FAILING, NEVER, QUICK, REFUSED, STREAMED, Course, Gate, at, slow

from trunkline.errors import ApiError, ConnectFailed, UpstreamError
from trunkline.health.breaker import Breaker
from trunkline.inference.call import Exchange
from trunkline.inference.hedging import Queue
from trunkline.inference.race import Race
from trunkline.mock.script import Answer, Pace, Rule, Tokens
from trunkline.mock.thread import MockServer
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.identity import generation_text

STEPS = 90
"""Moments of a race at which it is attacked: from before its beginning to after its end."""


def check(course: Course, requests: int) -> None:
    """Each request has one record and one settlement, each attempt that was given up one record, which its request names."""
    answers, lost = course.answers, course.lost
    assert len(answers) == len(course.ledgers.settled) <= requests
    ids = [one.id for one in course.ledgers.records]
    assert len(set(ids)) == len(ids)
    named = Counter(one.metered_as for answer in answers for one in answer.attempts if one.metered_as)
    assert named == Counter(generation_text(one.id) for one in lost)
    assert {one.hedge_of for one in lost} <= {generation_text(one.id) for one in answers}
    assert sum(one.cost for one in answers) == sum(course.ledgers.settled)
    assert sum(one.cost for one in lost) == 0
    assert course.losers.cost == sum(one.upstream_cost or 0 for one in lost)
    assert not course.losers._running
    assert course.drains._free == 32


@pytest.mark.parametrize("cancel", ["stops", "bills_on"])
@pytest.mark.parametrize("how", ["leaves", "shutdown"])
def test_it_ends_at_any_moment(how: str, cancel: str) -> None:
    """Both endpoints are slow and answer soon after the hedge has begun, so that every await of the race is met."""
    with MockServer() as one, MockServer() as two:
        one.use(slow(6))
        two.use(Rule(answer=ANSWER, pace=Pace(first_ms=3, event_ms=1, burst=False)))
        course = Course([at("one", one.url, on_cancel=cancel), at("two", two.url, on_cancel=cancel)], late_ms=2)

        async def turns(count: int) -> None:
            for _ in range(count):
                await asyncio.sleep(0.0001)

        async def scene(course: Course) -> None:
            for step in range(STEPS):
                if how == "leaves":
                    await course.one(gone=turns(step))
                    continue
                asking = asyncio.create_task(course.one())
                await turns(step)
                asking.cancel()
                await asyncio.wait([asking])
            await course.until(lambda: not course.losers._running and course.drains._free == 32)

        course.go(scene)
        for mock in (one, two):
            mock.wait(lambda seen: all(each.ended or each.aborted for each in seen))
    check(course, STEPS)
    assert course.hedging.budget.started > 0


def test_many_at_once_with_all_that_can_happen() -> None:
    """Races beside each other at endpoints that are quick, slow, silent or failing, with clients of which some leave."""
    rules = [replace(FAILING, every=6), replace(slow(25), every=3), slow(3)]
    with MockServer() as one, MockServer() as two, MockServer() as three:
        for mock in (one, two, three):
            mock.use(*rules)
        endpoints = [at("one", one.url, on_cancel="bills_on"), at("two", two.url), at("three", three.url)]
        course = Course(endpoints, late_ms=4)
        dice = random.Random(5)

        async def scene(course: Course) -> None:
            async def asked() -> None:
                gone = asyncio.sleep(dice.random() / 20) if dice.random() < 0.4 else None
                await course.one(gone=gone)

            for _ in range(12):
                await asyncio.gather(*[asked() for _ in range(20)])
            await course.until(lambda: not course.losers._running)

        course.go(scene)
    check(course, 240)
    assert len(course.answers) == 240
    assert course.lost


def race(scene: Callable[[Course, Exchange, Queue], Awaitable[None]]) -> Course:
    """A scene with a request whose attempts are what the scene says."""
    first, second = at("one", "http://127.0.0.1:9/v1"), at("two", "http://127.0.0.1:9/v1")
    course = Course([first, second])

    async def run(course: Course) -> None:
        exchange = await course.admitted()
        exchange.endpoint = first
        course.hedging.budget.request()
        await scene(course, exchange, [(second, None)])

    course.go(run)
    return course


def test_a_failure_is_not_lost_when_the_other_one_answers_in_the_same_moment() -> None:
    both, failed = asyncio.Event(), []

    async def tried(_one: Exchange, endpoint: Endpoint) -> str:
        if endpoint.id == "two":
            both.set()
        await both.wait()
        if endpoint.id == "two":
            raise ConnectFailed("refused")
        return "answer"

    async def scene(course: Course, exchange: Exchange, queue: Queue) -> None:
        def note(_one: Exchange, endpoint: Endpoint, _error: UpstreamError) -> None:
            failed.append(endpoint.id)

        endpoint, result = await Race(course.hedging, exchange, queue, tried, note).run(exchange.plan.attempts[0], 0.01)
        assert (endpoint.id, result) == ("one", "answer")
        assert not exchange.attempts, "nothing was given up"

    course = race(scene)
    assert failed == ["two"]
    assert not course.lost


@pytest.mark.parametrize("error", [RuntimeError("a bug"), ApiError("invalid_request", "no")], ids=["bug", "refused-here"])
def test_what_goes_wrong_in_the_hedge_alone_does_not_end_the_request(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    async def scene(course: Course, exchange: Exchange, queue: Queue) -> None:
        async def tried(_one: Exchange, endpoint: Endpoint) -> str:
            if endpoint.id == "two":
                raise error
            await course.until(lambda: exchange.hedged)
            await asyncio.sleep(0.01)
            return "answer"

        course.health._breakers["two"] = Breaker()
        endpoint, result = await Race(course.hedging, exchange, queue, tried, _unexpected).run(exchange.plan.attempts[0], 0.01)
        assert (endpoint.id, result) == ("one", "answer")
        assert not course.health._breakers["two"].probe_until

    race(scene)
    assert ("a bug" in caplog.text) == isinstance(error, RuntimeError)


def test_a_bug_in_the_first_attempt_gives_the_hedge_up() -> None:
    async def scene(course: Course, exchange: Exchange, queue: Queue) -> None:
        async def tried(one: Exchange, endpoint: Endpoint) -> str:
            if one.hedge:
                await asyncio.sleep(3600)
            await course.until(lambda: exchange.hedged)
            raise RuntimeError("a bug")

        with pytest.raises(RuntimeError, match="a bug"):
            await Race(course.hedging, exchange, queue, tried, _unexpected).run(exchange.plan.attempts[0], 0.01)
        await course.until(lambda: bool(course.lost))
        assert [one.endpoint_id for one in exchange.attempts] == ["two"]
        assert exchange.endpoint is not None
        assert exchange.endpoint.id == "one"
        assert exchange.on_left is None

    (lost,) = race(scene).lost
    assert (lost.upstream_cost, lost.input_tokens) == (0, 0), "it had sent nothing"


def _unexpected(_one: Exchange, endpoint: Endpoint, _error: UpstreamError) -> None:
    raise AssertionError(endpoint.id)


def test_the_probe_of_a_half_open_endpoint_that_was_overtaken_is_free_again() -> None:
    with MockServer() as one, MockServer() as two:
        one.use(NEVER)
        two.use(QUICK)
        course = Course([at("one", one.url), at("two", two.url)])
        breaker = course.health._breakers["one"] = Breaker()
        breaker.rest(0.001)
        # The planner puts what is half open last, so that the request begins there only when it is told to.
        plan = course.services.attempts
        first_success = plan.first_success

        async def begun_there(exchange: Exchange, attempt: Any) -> Any:
            ordered = sorted(exchange.plan.attempts, key=lambda endpoint: endpoint.id)
            exchange.plan = replace(exchange.plan, attempts=tuple(ordered))
            return await first_success(exchange, attempt)

        plan.first_success = begun_there  # type: ignore[method-assign]
        course.ask()
    assert course.metered().endpoint_id == "one"
    assert breaker.ejected_until
    assert not breaker.probe_until
    assert course.health.begin("one")


def test_hedging_that_is_switched_off_meanwhile_ends_with_its_race() -> None:
    """A reload takes it from the attempts; the race that runs is seen off as ever."""
    gate = Gate()
    with MockServer() as mock:
        mock.use(NEVER)
        course = Course([at("one", gate.url), at("two", mock.url)], gates=[gate])

        async def scene(course: Course) -> None:
            asking = asyncio.create_task(course.one())
            await course.until(lambda: len(mock.seen()) == 1)
            course.services.attempts.hedging = None
            gate.answer(STREAMED)
            await asking

        course.go(scene)
        mock.wait(lambda seen: [one.aborted for one in seen] == [True])
    assert course.metered().endpoint_id == "two"


@pytest.mark.parametrize("cancel", ["stops", "bills_on"])
def test_a_shutdown_right_after_the_race(cancel: str) -> None:
    """The one that was given up has not run a line since; it is recorded all the same, and its connection closed."""
    gate = Gate()
    with MockServer() as mock:
        mock.use(QUICK)
        course = Course([at("one", gate.url, on_cancel=cancel), at("two", mock.url)], gates=[gate])
        take = course.losers.take
        closing: list[asyncio.Task[None]] = []

        def taken(run: Any) -> str:
            name = take(run)
            for task in course.losers._running:
                task.cancel()
            closing.append(asyncio.create_task(course.losers.close()))
            return name

        course.losers.take = taken  # type: ignore[method-assign]

        async def scene(course: Course) -> None:
            await course.one()
            await asyncio.wait(closing)
            assert len(course.lost) == 1
            await course.until(lambda: gate.closed == 1)

        course.go(scene)
    lost = course.metered()
    assert lost.upstream_cost == lost.input_tokens * 10 > 0
    check(course, 1)


def test_a_connection_of_which_all_was_read_is_used_again() -> None:
    """Both answer at once, whole: the loser's connection is as good as the winner's."""
    with MockServer() as one, MockServer() as two:
        for mock in (one, two):
            mock.use(Rule(answer=Answer(text="word", tokens=Tokens(prompt=7, completion=3)), pace=Pace(first_ms=30)))
        course = Course([at("one", one.url, on_cancel="bills_on"), at("two", two.url, on_cancel="bills_on")], late_ms=10)

        async def scene(course: Course) -> None:
            for _ in range(5):
                await course.one()
            await course.until(lambda: not course.losers._running)
            assert course.real.stats().open == course.real.stats().idle > 0

        course.go(scene)
    check(course, 5)
    assert {one.usage_source for one in course.lost} == {"upstream"}


def test_a_request_that_fails_everywhere_while_its_client_leaves() -> None:
    """The first attempt has failed in the moment in which the client leaves and the hedge still runs: nothing more is begun."""
    gate, second = Gate(), Gate()
    with MockServer() as mock:
        course = Course([at("one", gate.url, on_cancel="bills_on"), at("two", second.url), at("three", mock.url)], gates=[gate, second])

        async def scene(course: Course) -> None:
            gone = asyncio.Event()
            asking = asyncio.create_task(course.one(gone=gone.wait()))
            await course.until(lambda: second.calls == 1)
            gone.set()
            await course.until(lambda: second.closed == 1)
            gate.answer(REFUSED)
            await asking

        course.go(scene)
        assert not mock.seen()
    assert course.metered().endpoint_id == "two"
    check(course, 1)
