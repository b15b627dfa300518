"""Money over HTTP: exact costs whatever the way of answering, and limits that hold in a crowd."""

import asyncio
from fractions import Fraction
from typing import Any

import pytest
from clients import chat, chat_body, crowd, get, send, until
from gateway import MANAGEMENT_KEY, Gateway

from trunkline.mock.script import Answer, Fault, Pace, Rule
from trunkline.mock.thread import MockServer

MILLION = 1_000_000

# Usage as upstreams send it, and its cost at acme/golden in millionths of a dollar:
# prompt 3, completion 15, cache read 0.3, cache write 3.75, reasoning 20 a token, and 5000 a request.
GOLDEN: list[tuple[str, dict[str, Any], Fraction]] = [
    ("plain", {"prompt_tokens": 1000, "completion_tokens": 100}, 5000 + Fraction(3000 + 1500)),
    (
        "cached",
        {"prompt_tokens": 1000, "completion_tokens": 100, "prompt_tokens_details": {"cached_tokens": 800}},
        5000 + Fraction(200 * 3) + 800 * Fraction("0.3") + 1500,
    ),
    (
        "written",
        {"prompt_tokens": 1000, "completion_tokens": 100, "prompt_tokens_details": {"cached_tokens": 300, "cache_write_tokens": 600}},
        5000 + 100 * 3 + 300 * Fraction("0.3") + 600 * Fraction("3.75") + 1500,
    ),
    (
        "reasoning",
        {"prompt_tokens": 10, "completion_tokens": 100, "completion_tokens_details": {"reasoning_tokens": 60}},
        5000 + Fraction(30 + 40 * 15 + 60 * 20),
    ),
    ("odd", {"prompt_tokens": 7, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 7}}, 5000 + 7 * Fraction("0.3") + 15),
    (
        "impossible",
        {"prompt_tokens": 10, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 9000}},
        5000 + 10 * Fraction("0.3") + 15,
    ),
    ("null-details", {"prompt_tokens": 10, "completion_tokens": 1, "prompt_tokens_details": None}, 5000 + Fraction(30 + 15)),
]


@pytest.mark.parametrize(("name", "usage", "millionths"), GOLDEN, ids=[row[0] for row in GOLDEN])
@pytest.mark.parametrize("place", ["asked", "always", "finish", "every"])
def test_a_stream_costs_what_a_whole_answer_costs(
    gateway: Gateway, upstream: MockServer, name: str, usage: dict[str, Any], millionths: Fraction, place: Any
) -> None:
    upstream.use(Rule(answer=Answer(text="Hello there.", usage=usage, usage_place=place)))
    whole = chat(gateway, model="acme/golden")
    streamed = chat(gateway, model="acme/golden", stream=True)
    assert whole.usage == streamed.usage
    assert whole.usage["cost"] == pytest.approx(float(millionths / MILLION), rel=1e-12)
    for answer in (whole, streamed):
        record = get(gateway, f"/generation?id={answer.id}").json["data"]
        assert record["total_cost"] == whole.usage["cost"]
        assert record["usage"] == whole.usage["cost"]


def test_without_usage_upstream_both_are_estimated_and_not_free(gateway: Gateway, upstream: MockServer) -> None:
    upstream.use(Rule(answer=Answer(text="Hello there, " * 20, usage_place="never")))
    whole, streamed = chat(gateway), chat(gateway, stream=True)
    assert whole.usage["cost"] > 0
    assert streamed.usage["cost"] > 0


def test_a_streamed_tool_call_costs_the_same(gateway: Gateway, upstream: MockServer) -> None:
    tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
    fields: dict[str, Any] = {"model": "acme/golden", "tools": [tool], "tool_choice": "required"}
    assert chat(gateway, **fields).usage == chat(gateway, **fields, stream=True).usage


def key_with(gateway: Gateway, limit: float) -> tuple[str, str]:
    """A new key with a limit in USD: its secret and hash."""
    made = send(gateway, "POST", "/keys", key=MANAGEMENT_KEY, name="limited", limit=limit).json
    return made["key"], made["data"]["hash"]


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
def test_a_crowd_overspends_a_limit_by_at_most_one_request(gateway: Gateway, upstream: MockServer, streamed: bool) -> None:
    upstream.use(Rule(answer=Answer(text="Hi", usage={"prompt_tokens": 100, "completion_tokens": 1})))
    limit, cost = 0.05, 0.0011
    key, key_hash = key_with(gateway, limit)
    bodies = [chat_body(model="acme/dear", max_tokens=1, stream=streamed)] * 500
    answers = asyncio.run(crowd(gateway, bodies, at_once=50, key=key))
    statuses = [answer.status for answer in answers if answer]
    assert len(statuses) == 500
    assert set(statuses) == {200, 402}
    spent = sum(answer.usage["cost"] for answer in answers if answer and answer.status == 200)
    assert spent <= limit + cost + 1e-9
    assert spent >= limit - cost
    until(lambda: spending(gateway, key_hash) == pytest.approx(spent))
    refused = next(answer for answer in answers if answer and answer.status == 402)
    assert refused.error["metadata"]["error_type"] == "payment_required"


def spending(gateway: Gateway, key_hash: str) -> float:
    return get(gateway, f"/keys/{key_hash}", key=MANAGEMENT_KEY).json["data"]["usage"]  # type: ignore[no-any-return]


def test_an_error_upstream_gives_the_reserved_money_back(gateway: Gateway, upstream: MockServer) -> None:
    key, key_hash = key_with(gateway, 0.01)
    upstream.use(Rule(fault=Fault(kind="status", status=400)))
    for _ in range(20):
        assert chat(gateway, key=key, model="acme/dear", max_tokens=5).status == 400
    upstream.use()
    assert chat(gateway, key=key, model="acme/dear", max_tokens=5).status == 200
    assert spending(gateway, key_hash) <= 0.01


def test_free_models_need_no_estimate_to_fit(gateway: Gateway, upstream: MockServer) -> None:
    key, _ = key_with(gateway, 0.000001)
    assert all(chat(gateway, key=key, model="acme/free", max_tokens=100_000).status == 200 for _ in range(5))


def test_one_huge_answer_does_not_block_the_requests_of_a_limited_key(gateway: Gateway, upstream: MockServer) -> None:
    """Pitfall 7: no false "budget exceeded". Without `max_tokens` the estimate of the output decides what is reserved."""
    huge, usual = {"prompt_tokens": 10, "completion_tokens": 400_000}, {"prompt_tokens": 10, "completion_tokens": 20}
    upstream.use(Rule(answer=Answer(text="Hi", usage=huge)))
    assert chat(gateway, model="acme/golden").status == 200
    upstream.use(Rule(answer=Answer(text="Hi", usage=usual), pace=Pace(head_ms=500)))
    key, _ = key_with(gateway, 2)
    answers = asyncio.run(crowd(gateway, [chat_body(model="acme/golden")] * 8, at_once=8, key=key))
    assert [answer.status for answer in answers if answer] == [200] * 8
