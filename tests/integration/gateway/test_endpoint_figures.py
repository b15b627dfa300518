"""What `GET /models/{author}/{slug}/endpoints` tells after traffic: real figures of each endpoint, on both engines and after a restart."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from clients import chat_body, crowd, get, until
from gateway import Gateway
from town import endpoint, model, provider

from trunkline.mock.script import Fault, Match, Pace, Rule
from trunkline.mock.thread import MockServer

REQUESTS = 110
WAIT_SECONDS = 60
FIRST_MS = 60
DEARER = '{ prompt = "0.000004", completion = "0.000008" }'


def config(url: str) -> str:
    """A model that one provider refuses to serve and another serves slowly."""
    endpoints = endpoint("acme/twice", "acme", "bad") + endpoint("acme/twice", "beta", "good", pricing=DEARER)
    return "\n".join((provider("acme", url), provider("beta", url), model("acme/twice"), endpoints))


def figures(gateway: Gateway, *, key: bool = True) -> dict[str, dict[str, Any]]:
    """The endpoints by provider."""
    answer = get(gateway, "/models/acme/twice/endpoints") if key else get(gateway, "/models/acme/twice/endpoints", key=None)
    return {one["provider_name"]: one for one in answer.json["data"]["endpoints"]}


def are_complete(gateway: Gateway) -> bool:
    """Whether all that was asked is in the figures by now."""
    return figures(gateway)["Beta"]["uptime_last_1d"] is not None


@pytest.fixture(params=["sqlite", "postgres"])
def environ(request: pytest.FixtureRequest) -> dict[str, str]:
    """Where the gateway keeps its data: on each engine in turn."""
    if request.param == "sqlite":
        return {}
    make: Callable[..., str] = request.getfixturevalue("new_database")
    return {"TRUNKLINE_DATABASE_URL": make(empty=True)}


def test_endpoints_show_what_was_measured_of_them(upstream: MockServer, tmp_path: Path, environ: dict[str, str]) -> None:
    upstream.use(
        Rule(match=Match(model="bad"), fault=Fault(kind="status", status=500)),
        Rule(match=Match(model="good"), pace=Pace(first_ms=FIRST_MS)),
    )
    with Gateway(tmp_path, config(upstream.url), environ=environ) as gateway:
        before = figures(gateway)
        assert {one["status"] for one in before.values()} == {0}
        assert all(one[name] is None for one in before.values() for name in one if "_last_" in name)
        answers = asyncio.run(crowd(gateway, [chat_body(model="acme/twice", stream=True)] * REQUESTS, at_once=4))
        assert [one.status for one in answers] == [200] * REQUESTS
        until(lambda: are_complete(gateway), WAIT_SECONDS)
        shown = figures(gateway)
        good, bad = shown["Beta"], shown["Acme"]
        assert (good["status"], good["uptime_last_30m"], good["uptime_last_1d"]) == (0, 100, 100)
        assert good["uptime_last_5m"] in (100, None)  # None where the machine took minutes for this
        assert FIRST_MS * 0.97 <= good["latency_last_30m"]["p50"] <= good["latency_last_30m"]["p99"]
        assert good["throughput_last_30m"]["p50"] > 0
        assert (bad["latency_last_30m"], bad["throughput_last_30m"]) == (None, None)
        assert bad["uptime_last_30m"] is None  # it was ejected long before it had failed a hundred times
        stranger = figures(gateway, key=False)["Beta"]
        assert (stranger["latency_last_30m"], stranger["throughput_last_30m"]) == (None, None)
        assert stranger["uptime_last_30m"] == 100
        gateway.stop()
        gateway.start()
        again = figures(gateway)["Beta"]
        assert (again["uptime_last_30m"], again["uptime_last_1d"]) == (100, 100)
        assert again["latency_last_30m"]["p50"] >= FIRST_MS * 0.97
