"""The walk through a plan."""

import asyncio

import pytest
from pipelines import USER, served

from trunkline.dialects.chat.request import ChatRequest
from trunkline.errors import ApiError, ConnectFailed, UpstreamError, UpstreamRefused
from trunkline.health.outages import OutageMemory
from trunkline.inference.attempts import DEADLINE_SECONDS, MAX_ATTEMPTS, Attempts
from trunkline.inference.call import Call, Exchange, Mint
from trunkline.inference.routes import Route, Routes
from trunkline.inference.skins import CHAT
from trunkline.limits.account import Hold
from trunkline.protocol.routing import Plan
from trunkline.providers.credentials import Credentials
from trunkline.transport.fake import FakeClient


class Walk:
    """Walks a plan of n endpoints whose attempts end as told."""

    def __init__(self, count: int, *outcomes: UpstreamError | str) -> None:
        self.health = OutageMemory()
        self.tried: list[str] = []
        self._outcomes = list(outcomes)
        self._attempts = Attempts(Routes(FakeClient(), Credentials({}), {}), self.health)
        plan = Plan(tuple(served(f"e{number}") for number in range(count)))
        self.exchange = Exchange(Call({}, b"", Mint(), CHAT), USER, ChatRequest(fields={}, models=("a/m",)), plan, Hold(), 1)

    async def _attempt(self, _exchange: Exchange, route: Route) -> str:
        self.tried.append(route.endpoint.tag)
        outcome = self._outcomes.pop(0)
        if isinstance(outcome, UpstreamError):
            raise outcome
        return outcome

    def go(self) -> str:
        endpoint, result = asyncio.run(self._attempts.first_success(self.exchange, self._attempt))
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
