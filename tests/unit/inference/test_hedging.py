"""Which requests may be sent to a second endpoint, and when."""

import asyncio
from typing import Any

import msgspec
import pytest
from pipelines import served
from races import LATE_MS, Course

from trunkline.dialects.chat.request import ChatRequest
from trunkline.dialects.oneshot import OneShotRequest
from trunkline.errors import ConnectFailed, UpstreamRefused
from trunkline.inference.hedging import Outlook, Pair, acts
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.generation import AttemptRecord
from trunkline.protocol.request import InboundRequest

ONE, TWO = served("one"), served("two")


def request(**fields: Any) -> InboundRequest:
    """A streamed request with these fields."""
    raw = {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in fields.items()}
    return ChatRequest(fields=raw, models=("a/m",), stream=True)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"store": False, "background": None, "previous_response_id": None},
        {"tools": None},
        {"tools": []},
        {"tools": [{"type": "function", "function": {"name": "f"}}, {"type": "custom", "name": "g"}]},
        {"tools": [{"name": "get_weather", "input_schema": {}}]},
    ],
)
def test_what_only_answers_may_be_made_twice(fields: dict[str, Any]) -> None:
    assert not acts(request(**fields))


@pytest.mark.parametrize(
    "fields",
    [
        {"store": True},
        {"background": True},
        {"previous_response_id": "resp_1"},
        {"conversation": "conv_1"},
        {"mcp_servers": [{"url": "https://x.test"}]},
        {"container": {"id": "c"}},
        {"web_search_options": {}},
        {"tools": [{"type": "function", "function": {"name": "f"}}, {"type": "web_search_20250305", "name": "web_search"}]},
        {"tools": [{"type": "code_interpreter", "container": {"type": "auto"}}]},
        {"tools": [{"type": 7}]},
        {"tools": {"not": "a list"}},
    ],
)
def test_what_may_do_more_is_never_made_twice(fields: dict[str, Any]) -> None:
    assert acts(request(**fields))


def pair(**changes: Any) -> Pair:
    """A pair that may be hedged, but for the changes."""
    return msgspec.structs.replace(Pair(request(), ONE, TWO, fallbacks=True), **changes)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({}, None),
        ({"request": msgspec.structs.replace(request(), stream=False)}, "not_streamed"),
        ({"request": OneShotRequest(dialect="chat", fields={}, stream=True)}, "not_streamed"),
        ({"fallbacks": False}, "no_fallbacks"),
        ({"second": ONE}, "no_other_endpoint"),
        ({"second": served("two", model="a/n")}, "no_other_endpoint"),
        ({"first": served("one", byok="key")}, "own_key"),
        ({"second": served("two", byok="key")}, "own_key"),
        ({"staged": True}, "plugins"),
        ({"request": request(store=True)}, "server_side_effects"),
    ],
)
def test_who_may_not_be_hedged_and_why(changes: dict[str, Any], word: str | None) -> None:
    course = Course([ONE, TWO])
    course.hedging.budget.request()
    assert course.hedging.why_not(pair(**changes)) == word


def test_an_endpoint_in_trouble_is_not_asked_beside_another() -> None:
    course = Course([ONE, TWO])
    course.hedging.budget.request()
    course.health.failed(TWO, ConnectFailed("x"), counts=True)
    assert course.hedging.why_not(pair()) == "other_endpoint_waits"
    cooling = Course([ONE, TWO])
    cooling.hedging.budget.request()
    cooling.health.failed(TWO, UpstreamRefused("rate_limit", "slow", status=429, retry_after=30), counts=False)
    assert cooling.hedging.why_not(pair()) == "other_endpoint_waits"


def outlook(course: Course, *endpoints: Endpoint) -> Outlook:
    """What is told of a request with this plan."""
    return course.hedging.outlook(request(), endpoints, fallbacks=True)


def test_the_outlook_names_the_moment_and_the_endpoint() -> None:
    course = Course([ONE, TWO])
    course.hedging.budget.request()
    told = outlook(course, ONE, TWO)
    assert (told.provider, told.tag, told.why_not) == ("Two", "two", None)
    assert told.after_seconds == pytest.approx(LATE_MS / 1000, rel=0.02)


def test_the_outlook_tells_why_there_will_be_none() -> None:
    course = Course([ONE, TWO])
    assert outlook(course, ONE) == outlook(course) == Outlook(why_not="no_other_endpoint")
    assert outlook(course, ONE, TWO) == Outlook(why_not="extra_load")
    assert outlook(Course([ONE, TWO], known=19), ONE, TWO) == Outlook(why_not="too_few_measurements")


def test_patience_is_asked_for_where_a_hedge_is_possible_and_each_request_counts_once() -> None:
    course = Course([ONE, TWO])

    async def scene(course: Course) -> None:
        exchange = await course.admitted()
        hedging, queue = course.hedging, [(TWO, None)]
        assert hedging.patience(exchange, ONE, queue) == pytest.approx(LATE_MS / 1000, rel=0.02)
        assert hedging.patience(exchange, ONE, []) is None
        assert hedging.patience(exchange, served("unknown"), queue) is None
        exchange.hedged = True
        assert hedging.patience(exchange, ONE, queue) is None
        for _ in range(4):
            assert hedging.budget.allows(), "four first attempts were counted"
            hedging.budget.start()
        assert not hedging.budget.allows()
        exchange.attempts.append(AttemptRecord("One", "one", "a/m", 500, 1, None, "server"))
        hedging.patience(exchange, ONE, queue)
        assert not hedging.budget.allows(), "the fifth was no first attempt"

    asyncio.run(scene(course))


def test_the_counters_are_in_dollars() -> None:
    course = Course([ONE, TWO])
    course.hedging.budget.start()
    course.hedging.budget.won = 1
    course.losers.cost = 2_500_000
    assert course.hedging.counters() == {"started": 1, "won": 1, "lost_cost_usd": 2.5e-06}
