"""Two attempts beside each other, over real sockets: who answers, what becomes of the other, what is recorded."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest
from pipelines import Outcome
from races import FAILING, NEVER, QUICK, REFUSED, STREAMED, Course, Gate, at, slow

from trunkline.errors import ConnectFailed
from trunkline.health.stickiness import Stickiness, Thread
from trunkline.inference.threads import leave
from trunkline.mock.script import Fault, Rule
from trunkline.mock.thread import MockServer
from trunkline.protocol.generation import CANCELLED, AttemptRecord

PRICE_OF_PROMPT = 10
Scene = Callable[[Course, "asyncio.Task[Outcome]"], Awaitable[None]]


@pytest.fixture
def mock() -> Iterator[MockServer]:
    """The endpoint "two", or all of them."""
    with MockServer() as server:
        yield server


@pytest.fixture
def other() -> Iterator[MockServer]:
    """The endpoint "three"."""
    with MockServer() as server:
        yield server


def play(course: Course, scene: Scene, **fields: object) -> Outcome:
    """One request, and what happens meanwhile."""
    outcomes: list[Outcome] = []

    async def run(course: Course) -> None:
        asking = asyncio.create_task(course.one(**fields))  # type: ignore[arg-type]
        await scene(course, asking)
        outcomes.append(await asking)

    course.go(run)
    return outcomes[0]


def outcomes(course: Course) -> list[tuple[str, str | None, bool]]:
    """The attempts of the one request: endpoint, what went wrong, whether it was a hedge."""
    (record,) = course.answers
    return [(one.endpoint_id, one.error_type, one.hedge) for one in record.attempts]


def providers(outcome: Outcome) -> set[str]:
    """Whose words the client got."""
    return {one["provider"] for one in outcome.events}


def test_the_hedge_wins_and_the_slow_attempt_is_closed_and_metered(mock: MockServer, other: MockServer) -> None:
    mock.use(NEVER)
    other.use(QUICK)
    course = Course([at("one", mock.url), at("two", other.url)])
    outcome = course.ask()
    assert (outcome.text, providers(outcome)) == ("one two three four", {"Two"})
    assert outcomes(course) == [("one", "cancelled", False), ("two", None, True)]
    mock.wait(lambda seen: [one.aborted for one in seen] == [True])
    lost = course.metered()
    assert (lost.endpoint_id, lost.output_tokens, lost.usage_source) == ("one", 0, "estimated")
    assert lost.upstream_cost == lost.input_tokens * PRICE_OF_PROMPT > 0
    assert course.answers[0].cost == round(outcome.events[-1]["usage"]["cost"] * 1e12) == course.ledgers.settled[0] == 130
    assert (course.hedging.budget.started, course.hedging.budget.won) == (1, 1)
    assert course.answers[0].latency_ms is not None and course.answers[0].latency_ms >= 50
    assert not course.health.snapshot().failing("one")


def test_what_the_caller_sees_of_it(mock: MockServer, other: MockServer) -> None:
    mock.use(NEVER)
    other.use(QUICK)
    told = Course([at("one", mock.url), at("two", other.url)]).ask().events[-1]["openrouter_metadata"]
    assert told["attempts"] == [
        {"provider": "One", "model": "a/m", "status": 0, "cancelled": True},
        {"provider": "Two", "model": "a/m", "status": 200, "hedge": True},
    ]
    assert [row["provider"] for row in told["endpoints"]["available"] if row["selected"]] == ["Two"]


def test_the_first_attempt_wins_while_the_hedge_runs(mock: MockServer) -> None:
    mock.use(NEVER)
    gate = Gate()
    course = Course([at("one", gate.url), at("two", mock.url)], gates=[gate])

    async def scene(course: Course, _asking: object) -> None:
        await course.until(lambda: len(mock.seen()) == 1)
        gate.answer(STREAMED)

    assert providers(play(course, scene)) == {"One"}
    assert outcomes(course) == [("two", "cancelled", True), ("one", None, False)]
    mock.wait(lambda seen: [one.aborted for one in seen] == [True])
    assert course.metered().endpoint_id == "two"
    assert (course.hedging.budget.started, course.hedging.budget.won) == (1, 0)


def test_a_quick_first_attempt_has_no_hedge(mock: MockServer, other: MockServer) -> None:
    gate = Gate()
    gate.answer(STREAMED)
    course = Course([at("one", gate.url), at("two", other.url)], gates=[gate], late_ms=30_000)
    assert course.ask().text == "Paris."
    assert outcomes(course) == [("one", None, False)]
    assert not other.seen() and not course.lost


def test_after_both_have_failed_the_next_endpoint_is_tried(mock: MockServer, other: MockServer) -> None:
    mock.use(FAILING)
    other.use(QUICK)
    gate = Gate()
    course = Course([at("one", gate.url), at("two", mock.url), at("three", other.url)], gates=[gate])

    async def scene(course: Course, _asking: object) -> None:
        await course.until(lambda: course.health.snapshot().failing("two"))
        gate.answer(REFUSED)

    assert providers(play(course, scene)) == {"Three"}
    assert outcomes(course) == [("two", "provider_unavailable", True), ("one", "provider_unavailable", False), ("three", None, False)]
    assert not course.lost
    assert course.health.snapshot().failing("one")


def test_the_hedge_goes_on_alone_when_the_first_attempt_fails(other: MockServer) -> None:
    first, second = Gate(), Gate()
    course = Course([at("one", first.url), at("two", second.url), at("three", other.url)], gates=[first, second])

    async def scene(course: Course, _asking: object) -> None:
        await course.until(lambda: second.calls == 1)
        first.answer(REFUSED)
        await course.until(lambda: course.health.snapshot().failing("one"))
        second.answer(STREAMED)

    assert providers(play(course, scene)) == {"Two"}
    assert outcomes(course) == [("one", "provider_unavailable", False), ("two", None, True)]
    assert not course.lost and not other.seen()


def test_when_all_fail_the_error_tells_of_all(mock: MockServer) -> None:
    mock.use(FAILING)
    gate = Gate()
    course = Course([at("one", gate.url), at("two", mock.url)], gates=[gate])

    async def scene(course: Course, _asking: object) -> None:
        await course.until(lambda: course.health.snapshot().failing("two"))
        gate.answer(REFUSED)
        gate.answer(REFUSED)

    error = play(course, scene).error
    assert error is not None and error.status == 503
    assert [one["provider"] for one in (error.metadata or {})["previous_errors"]] == ["Two", "One"], "the last one is repeated"
    assert [one.status for one in course.answers] == [503]
    assert not course.lost


def test_there_is_one_hedge_at_most(mock: MockServer, other: MockServer) -> None:
    mock.use(FAILING)
    gate, slow_one = Gate(), Gate()
    endpoints = [at("one", gate.url), at("two", mock.url), at("three", slow_one.url), at("four", other.url)]
    course = Course(endpoints, gates=[gate, slow_one])

    async def scene(course: Course, _asking: object) -> None:
        await course.until(lambda: course.health.snapshot().failing("two"))
        gate.answer(REFUSED)
        await course.until(lambda: slow_one.calls == 1)
        await asyncio.sleep(0.2)
        slow_one.answer(STREAMED)

    assert providers(play(course, scene)) == {"Three"}
    assert course.hedging.budget.started == 1
    assert not other.seen()


@pytest.mark.parametrize("options", [{"share": None}, {"share": 0.1}, {"known": 19}], ids=["off", "no-budget", "unmeasured"])
def test_nobody_else_is_asked(mock: MockServer, other: MockServer, options: dict[str, float | None]) -> None:
    mock.use(slow(250))
    course = Course([at("one", mock.url), at("two", other.url)], **options)  # type: ignore[arg-type]
    assert providers(course.ask()) == {"One"}
    assert not other.seen() and not course.lost
    assert outcomes(course) == [("one", None, False)]


def test_a_whole_answer_is_not_hedged(mock: MockServer, other: MockServer) -> None:
    mock.use(slow(250))
    course = Course([at("one", mock.url), at("two", other.url)])
    assert course.ask(stream=False).json["provider"] == "One"
    assert not other.seen()


def test_an_endpoint_that_others_avoid_is_no_hedge(mock: MockServer, other: MockServer) -> None:
    mock.use(slow(250))
    course = Course([at("one", mock.url), at("two", other.url)])
    course.health.failed(at("two", other.url), ConnectFailed("x"), counts=True)
    course.ask()
    assert not other.seen()


def test_the_extra_load_is_bounded(mock: MockServer) -> None:
    mock.use(NEVER)
    gate = Gate()
    course = Course([at("one", gate.url), at("two", mock.url)], gates=[gate], share=0.5)

    async def run(course: Course) -> None:
        for hedges, is_hedged in ((0, False), (1, True), (1, False), (2, True)):
            asking = asyncio.create_task(course.one())
            if is_hedged:
                await course.until(lambda wanted=hedges: len(mock.seen()) == wanted)  # type: ignore[misc]
            else:
                await asyncio.sleep(0.15)
            gate.answer(STREAMED)
            await asking
            assert len(mock.seen()) == hedges

    course.go(run)
    assert [len(one.attempts) for one in course.answers] == [1, 2, 1, 2]
    assert len(course.lost) == 2


@pytest.mark.parametrize("first", ["stops", "bills_on"])
def test_a_client_that_leaves_ends_the_race(mock: MockServer, first: str) -> None:
    """Both connections are closed where closing ends the bill; what bills on goes on, alone. Each attempt is metered once."""
    mock.use(NEVER)
    gate, gone = Gate(), asyncio.Event()
    course = Course([at("one", gate.url, on_cancel=first), at("two", mock.url)], gates=[gate])

    async def scene(course: Course, _asking: object) -> None:
        await course.until(lambda: len(mock.seen()) == 1)
        gone.set()
        await course.until(lambda: mock.seen()[0].aborted)
        if first == "stops":
            await course.until(lambda: gate.closed == 1)
        gate.answer(STREAMED)

    play(course, scene, gone=gone.wait())
    assert course.metered().endpoint_id == "two"
    (record,) = course.answers
    assert record.cancelled
    assert (record.cost, gate.closed) == ((0, 1) if first == "stops" else (130, 0))


def test_a_client_that_has_left_gets_no_hedge(mock: MockServer) -> None:
    gate = Gate()
    course = Course([at("one", gate.url, on_cancel="bills_on"), at("two", mock.url)], gates=[gate])

    async def scene(course: Course, _asking: object) -> None:
        await course.until(lambda: gate.calls == 1)
        await asyncio.sleep(0.15)
        gate.answer(STREAMED)

    play(course, scene, gone=asyncio.sleep(0))
    assert not mock.seen()
    assert [(one.cancelled, one.cost) for one in course.answers] == [(True, 130)]


def test_a_shutdown_in_the_race_closes_both(mock: MockServer) -> None:
    mock.use(NEVER)
    gate = Gate()
    course = Course([at("one", gate.url), at("two", mock.url)], gates=[gate])

    async def run(course: Course) -> None:
        asking = asyncio.create_task(course.one())
        await course.until(lambda: len(mock.seen()) == 1)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await course.until(lambda: mock.seen()[0].aborted and gate.closed == 1)

    course.go(run)
    assert course.metered().endpoint_id == "two"


def test_what_the_hedge_refuses_is_left_out_for_it_alone(mock: MockServer) -> None:
    told = '{"error":{"message":"Unsupported parameter: \'top_p\'","code":"unsupported_parameter"}}'
    mock.use(Rule(first=1, fault=Fault(kind="status", status=400, body=told)), QUICK)
    gate = Gate()
    course = Course([at("one", gate.url), at("two", mock.url)], gates=[gate])

    async def scene(course: Course, _asking: object) -> None:
        await course.until(lambda: len(mock.seen()) == 1)
        gate.answer(REFUSED)

    assert providers(play(course, scene, top_p=0.5)) == {"Two"}
    assert ["top_p" in one.json() for one in mock.seen()] == [True, False]
    assert sorted(outcomes(course), key=str) == [
        ("one", "provider_unavailable", False),
        ("two", "invalid_request", True),
        ("two", None, False),
    ]


def test_a_conversation_stays_with_an_endpoint_that_was_only_slow() -> None:
    """What was given up for a faster attempt has not failed the conversation."""
    course, memory = Course([at("one", "http://127.0.0.1:9/v1")]), Stickiness()

    async def run(course: Course) -> None:
        exchange = await course.admitted()
        exchange.thread = Thread(b"t", named=True)
        memory.succeeded(b"t", "one", named=True, cached=False)
        exchange.attempts.append(AttemptRecord("One", "one", "a/m", 0, 800, None, CANCELLED))
        leave(memory, exchange)
        assert memory.choice(b"t") == "one"
        exchange.attempts.append(AttemptRecord("One", "one", "a/m", 500, 800, None, "server"))
        leave(memory, exchange)
        assert memory.choice(b"t") == ""

    course.go(run)
