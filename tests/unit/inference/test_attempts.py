"""The walk through a plan."""

import asyncio

import pytest
from msgspec import structs
from pipelines import USER, served

from trunkline.dialects.chat.request import ChatRequest
from trunkline.errors import ApiError, ConnectFailed, ConnectionLost, UpstreamError, UpstreamRefused
from trunkline.health.breaker import CONSECUTIVE_FAILURES, EJECTION_SECONDS
from trunkline.health.monitor import Monitor
from trunkline.inference.attempts import DEADLINE_SECONDS, MAX_ATTEMPTS, Attempts
from trunkline.inference.call import Call, Exchange, Mint
from trunkline.inference.routes import Route, Routes
from trunkline.inference.skins import CHAT
from trunkline.limits.account import Hold
from trunkline.protocol.request import Chosen
from trunkline.protocol.routing import Plan
from trunkline.providers.credentials import Credentials
from trunkline.transport.fake import FakeClient


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Walk:
    """Walks a plan of n endpoints whose attempts end as told."""

    def __init__(self, count: int, *outcomes: BaseException | str) -> None:
        self.clock = Clock()
        self.health = Monitor(clock=self.clock)
        self.tried: list[str] = []
        self._outcomes = list(outcomes)
        self.attempts = Attempts(Routes(FakeClient(), Credentials({}), {}), self.health)
        plan = Plan(tuple(served(f"e{number}") for number in range(count)))
        self.exchange = Exchange(Call({}, b"", Mint(), CHAT), USER, ChatRequest(fields={}, models=("a/m",)), plan, Hold(), 1)

    async def _attempt(self, _exchange: Exchange, route: Route) -> str:
        self.tried.append(route.endpoint.tag)
        outcome = self._outcomes.pop(0)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def go(self) -> str:
        endpoint, result = asyncio.run(self.attempts.first_success(self.exchange, self._attempt))
        assert endpoint.tag == self.tried[-1]
        return result


def test_the_first_success_ends_the_walk() -> None:
    walk = Walk(3, ConnectFailed("x"), "answer")
    assert walk.go() == "answer"
    assert walk.tried == ["e0", "e1"]
    assert [one.error_type for one in walk.exchange.attempts] == ["provider_unavailable", None]
    assert walk.health.snapshot().failing("e0")
    assert not walk.health.snapshot().failing("e1")


def test_there_is_an_end_to_attempts() -> None:
    walk = Walk(9, *[ConnectFailed("x")] * 9)
    with pytest.raises(ApiError):
        walk.go()
    assert len(walk.tried) == MAX_ATTEMPTS


def test_two_endpoints_that_blame_the_caller_are_enough() -> None:
    walk = Walk(4, *[UpstreamRefused("caller_fault", "bad", status=400)] * 4)
    with pytest.raises(ApiError, match="bad"):
        walk.go()
    assert len(walk.tried) == 2
    assert not walk.health.snapshot().failing("e0")


def of_models(walk: Walk, *counts: int) -> Walk:
    """The walk, with a plan of so many endpoints of a first model, a second, and so on."""
    plan = [
        served(f"{model}{number}", model=f"a/{model}") for model, count in zip("abcdefgh", counts, strict=False) for number in range(count)
    ]
    walk.exchange = Exchange(walk.exchange.call, USER, walk.exchange.request, Plan(tuple(plan)), Hold(), 1)
    return walk


@pytest.mark.parametrize(
    ("counts", "tried"),
    [
        ((9, 1), "a0 a1 a2 a3 b0"),
        ((9, 9), "a0 a1 a2 a3 b0"),
        ((9, 9, 9), "a0 a1 a2 b0 c0"),
        ((2, 2, 2), "a0 a1 b0 b1 c0"),
        ((1, 1, 1, 1, 1, 1, 1), "a0 b0 c0 d0 e0 f0 g0"),
        ((3, 3, 3, 3, 3, 3), "a0 b0 c0 d0 e0 f0"),
    ],
)
def test_every_model_that_the_caller_named_gets_its_turn(counts: tuple[int, ...], tried: str) -> None:
    walk = of_models(Walk(0, *[ConnectFailed("x")] * 40), *counts)
    with pytest.raises(ApiError):
        walk.go()
    assert walk.tried == tried.split()


def test_a_model_that_refuses_the_request_as_wrong_is_left_for_the_next() -> None:
    refused = UpstreamRefused("caller_fault", "bad", status=400)
    walk = of_models(Walk(0, ConnectFailed("x"), refused, refused, "answer"), 5, 2)
    assert walk.go() == "answer"
    assert walk.tried == ["a0", "a1", "a2", "b0"]


@pytest.mark.parametrize(
    ("error", "tried"),
    [
        (UpstreamRefused("rate_limit", "busy", status=429), ["a0", "b0"]),
        (ConnectFailed("x"), ["a0", "b0"]),
        (UpstreamRefused("context_length", "too long", status=400), ["a0"]),
        (UpstreamRefused("moderation", "no", status=403), ["a0"]),
    ],
)
def test_a_router_may_have_other_models_for_failures_that_pass_alone(error: UpstreamError, tried: list[str]) -> None:
    """Contract 3.7, `openrouter/pareto-code`."""
    walk = of_models(Walk(0, error, "answer"), 1, 1)
    walk.exchange.request = structs.replace(walk.exchange.request, chosen=Chosen("openrouter/pareto-code", standbys=("a/a", "a/b")))
    if tried == ["a0"]:
        with pytest.raises(ApiError, match=error.message):
            walk.go()
    else:
        assert walk.go() == "answer"
    assert walk.tried == tried
    named = of_models(Walk(0, error, *["answer"] * 2), 1, 1, 1)
    named.exchange.request = walk.exchange.request
    assert named.go() == "answer"
    assert named.tried[-1] == ("b0" if tried == ["a0", "b0"] else "c0")
    usual = of_models(Walk(0, error, "answer"), 1, 1)
    assert usual.go() == "answer"


def test_the_last_endpoint_gets_a_second_chance_once() -> None:
    walk = Walk(1, ConnectFailed("x"), "answer")
    assert walk.go() == "answer"
    assert walk.tried == ["e0", "e0"]
    hopeless = Walk(1, ConnectFailed("x"), ConnectFailed("y"))
    with pytest.raises(ApiError):
        hopeless.go()
    assert hopeless.tried == ["e0", "e0"]


def test_a_rate_limit_is_not_repeated_at_the_same_place() -> None:
    walk = Walk(1, UpstreamRefused("rate_limit", "slow", status=429))
    with pytest.raises(ApiError, match="slow"):
        walk.go()
    assert walk.tried == ["e0"]


def test_no_further_endpoint_is_tried_after_the_deadline() -> None:
    walk = Walk(3, *[ConnectFailed("x")] * 3)
    walk.exchange.call.started -= DEADLINE_SECONDS
    with pytest.raises(ApiError):
        walk.go()
    assert walk.tried == ["e0"]


def test_a_short_rate_limit_is_waited_for_where_there_is_no_other_endpoint() -> None:
    walk = Walk(1, UpstreamRefused("rate_limit", "slow", status=429, retry_after=0.001), "answer")
    assert walk.go() == "answer"
    assert walk.tried == ["e0", "e0"]
    two = Walk(2, UpstreamRefused("rate_limit", "slow", status=429, retry_after=0.001), "answer")
    assert two.go() == "answer"
    assert two.tried == ["e0", "e1"]


def test_nothing_is_repeated_when_too_much_was() -> None:
    walk = Walk(1, ConnectFailed("x"), "answer")
    while walk.health.retries.retry():
        pass
    with pytest.raises(ApiError):
        walk.go()
    assert walk.tried == ["e0"]


def test_a_rate_limit_speaks_of_the_credential_and_not_of_the_endpoint() -> None:
    walk = Walk(2, UpstreamRefused("rate_limit", "slow", status=429, retry_after=30), "answer")
    walk.go()
    snapshot = walk.health.snapshot()
    assert snapshot.endpoints == {}
    assert snapshot.cooldowns == {("e0", "a/m"): pytest.approx(snapshot.now + 30, abs=10)}


def half_open(walk: Walk) -> None:
    """Has e0 ejected, and its time pass."""
    for _ in range(CONSECUTIVE_FAILURES):
        walk.health.failed(served("e0"), ConnectFailed("x"), counts=True)
    walk.clock.now += 2 * EJECTION_SECONDS


def test_an_endpoint_that_somebody_is_trying_again_comes_last() -> None:
    walk = Walk(2, "answer")
    half_open(walk)
    assert walk.health.begin("e0")
    assert walk.go() == "answer"
    assert walk.tried == ["e1"]
    alone = Walk(1, "answer")
    half_open(alone)
    assert alone.health.begin("e0")
    assert alone.go() == "answer"
    assert alone.tried == ["e0"]


def test_one_request_tries_an_endpoint_again() -> None:
    walk = Walk(2, "answer")
    half_open(walk)
    assert walk.go() == "answer"
    assert walk.tried == ["e0"]
    assert walk.health.snapshot().endpoints == {}


def test_a_caller_that_leaves_takes_its_probe_along() -> None:
    walk = Walk(1, asyncio.CancelledError())
    half_open(walk)
    with pytest.raises(asyncio.CancelledError):
        walk.go()
    assert not walk.health.snapshot().endpoints["e0"].probing
    assert walk.health.begin("e0")


def test_a_stream_that_breaks_off_is_one_attempt_that_failed() -> None:
    walk = Walk(2, ConnectFailed("x"), "answer")
    walk.go()
    walk.attempts.failed(walk.exchange, served("e1"), ConnectionLost("cut", status=200))
    assert [(one.endpoint_id, one.error_type) for one in walk.exchange.attempts] == [
        ("e0", "provider_unavailable"),
        ("e1", "provider_unavailable"),
    ]
    assert walk.health.snapshot().failing("e1")
