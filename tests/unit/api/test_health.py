"""`GET /health`."""

import asyncio
import json
from typing import Any

import pytest

from trunkline import __version__
from trunkline.api.call import Call
from trunkline.api.health import Health
from trunkline.api.routes import TABLE

FINE = {"waiting": 3, "lost": 0, "rejected": 0, "dropped": 0}
[OPERATION] = [operation for operation in TABLE if operation.path == "/health"]


def test_health_needs_no_key_and_no_locality(shared: Any) -> None:
    answer = shared.call("GET", "/health", peer="203.0.113.9", host="anything.example")
    assert answer.status_code == 200
    told = answer.json()
    assert told.pop("tasks") > 0
    assert told == {"status": "ok", "version": __version__, "recording": FINE}


def test_health_tells_no_secret(shared: Any) -> None:
    assert "literal-secret" not in shared.call("GET", "/health").text


@pytest.mark.parametrize(
    ("counted", "status"),
    [
        ({}, "ok"),
        ({"waiting": 20_000}, "ok"),
        ({"lost": 1}, "degraded"),
        ({"rejected": 1}, "degraded"),
        ({"dropped": 1, "lost": 1}, "degraded"),
    ],
)
def test_what_was_not_kept_as_it_should_degrades_the_status_but_not_the_code(counted: dict[str, int], status: str) -> None:
    recording = FINE | counted
    answer = asyncio.run(Health(lambda: recording).answer(Call(operation=OPERATION)))
    assert answer.status == 200
    assert json.loads(answer.body) == {"status": status, "version": __version__, "recording": recording, "tasks": 1}


def test_the_counters_are_those_of_the_moment() -> None:
    recording = dict(FINE)
    health = Health(lambda: recording)
    before = asyncio.run(health.answer(Call(operation=OPERATION)))
    recording["lost"] = 7
    after = asyncio.run(health.answer(Call(operation=OPERATION)))
    assert [json.loads(answer.body)["status"] for answer in (before, after)] == ["ok", "degraded"]


def test_hedging_is_counted_where_it_is_on() -> None:
    counters = {"started": 3, "won": 2, "lost_cost_usd": 0.25}
    told = asyncio.run(Health(lambda: FINE, lambda: counters).answer(Call(operation=OPERATION)))
    assert json.loads(told.body)["hedging"] == counters
