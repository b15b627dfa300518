"""What storage knows, read in the background."""

import asyncio
import logging
import os
import time
from collections.abc import Callable
from contextlib import closing

import pytest

from trunkline.analytics.rollup import write_batch
from trunkline.catalogue.statistics import Errors
from trunkline.errors import StorageUnavailable
from trunkline.health import measurements as module
from trunkline.health.benchmarks import Rating
from trunkline.health.live import Live
from trunkline.health.measurements import Measurements
from trunkline.health.monitor import FIGURES_SECONDS, Monitor
from trunkline.protocol.generation import AttemptRecord, GenerationRecord
from trunkline.protocol.health import EndpointHealth
from trunkline.protocol.identity import uuid7
from trunkline.storage.connection import Connection
from trunkline.storage.engines import Storage

NOW = 1_795_000_020
"""In the middle of a minute."""


class Clock:
    now = float(NOW)

    def __call__(self) -> float:
        return self.now


class Stage:
    """Measurements of a storage, and the monitor that learns of them."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.clock = Clock()
        self.live = Live(self.clock)
        self.monitor = Monitor(live=self.live, clock=self.clock)
        self.connect: Callable[[], Connection] = storage.connect_telemetry
        self.ratings: dict[str, Rating] = {}
        self.measurements = Measurements(
            lambda: self.connect(), self.monitor, {"e1": "a/m"}.get, ratings=lambda: self.ratings, clock=self.clock
        )

    def serve(self, count: int, *, ago_seconds: int = 0, error_type: str | None = None, endpoint_id: str = "e1", **changes: object) -> None:
        created_ms = (int(self.clock.now) - ago_seconds) * 1000
        attempt = AttemptRecord("Acme", endpoint_id, "a/m", 200, 200, None, error_type)
        fields: dict[str, object] = {
            "created_ms": created_ms,
            "key_hash": "k",
            "workspace_id": "w",
            "model": "a/m",
            "endpoint_id": endpoint_id,
            "provider_name": "Acme",
            "api_type": "completions",
            "cost": 0,
            "streamed": True,
            "output_tokens": 100,
            "generation_ms": 400,
            "attempts": (attempt,),
        }
        with closing(self.storage.connect_telemetry()) as connection:
            write_batch(connection, [GenerationRecord(id=uuid7(created_ms, os.urandom(10)), **{**fields, **changes}) for _ in range(count)])

    def health(self) -> EndpointHealth:
        return self.monitor.snapshot().endpoints.get("e1", EndpointHealth())


@pytest.fixture
def stage(both_storage: Storage) -> Stage:
    return Stage(both_storage)


def test_it_tells_of_endpoints_and_models(stage: Stage) -> None:
    stage.serve(90, ago_seconds=60)
    stage.serve(30, ago_seconds=600, error_type="timeout")
    stage.serve(400, ago_seconds=3 * 3600)
    stage.serve(1, endpoint_id="gone")
    assert stage.measurements.endpoint_stats("e1") is None
    assert stage.measurements.model_stats() == {}

    async def scene() -> None:
        assert await stage.measurements.refresh()
        await stage.measurements.stop()

    asyncio.run(scene())
    stats = stage.measurements.endpoint_stats("e1")
    assert stats is not None
    assert (stats.status, stats.uptime_5m, stats.uptime_30m) == (-3, None, 75)
    assert stats.uptime_1d == pytest.approx(100 * 490 / 520)
    assert stats.latency is not None
    assert stats.latency.p50 == pytest.approx(200, rel=0.021)
    assert stage.measurements.model_stats().keys() == {"a/m"}
    assert stage.measurements.model_stats()["a/m"].throughput == pytest.approx(250, rel=0.021)
    assert (stage.health().standing, stage.health().requests) == ("down", 120)
    assert stage.health().speed == pytest.approx(250, rel=0.021)


def test_tools_of_the_last_two_hours_are_for_the_planner(stage: Stage) -> None:
    stage.serve(3, ago_seconds=5400, tool_calls=1, tool_calls_invalid=0)
    stage.serve(1, ago_seconds=60, tool_calls=2, tool_calls_invalid=1)
    stage.serve(9, ago_seconds=3 * 3600, tool_calls=1, tool_calls_invalid=1)

    async def scene() -> None:
        await stage.measurements.refresh()
        await stage.measurements.stop()

    asyncio.run(scene())
    assert (stage.health().tool_requests, stage.health().tool_success) == (4, 0.75)


def test_answers_in_the_wrong_form_are_told(stage: Stage) -> None:
    stage.serve(3, ago_seconds=60, structured_invalid=False)
    stage.serve(1, ago_seconds=60, structured_invalid=True)
    stage.serve(5, ago_seconds=60, tool_calls=5, tool_calls_invalid=1)
    stage.serve(9, ago_seconds=40 * 60, structured_invalid=True, tool_calls=1, tool_calls_invalid=1)

    async def scene() -> None:
        await stage.measurements.refresh()
        await stage.measurements.stop()

    asyncio.run(scene())
    stats = stage.measurements.endpoint_stats("e1")
    assert stats is not None
    assert (stats.structured_outputs, stats.tool_calls) == (Errors(4, 1), Errors(5, 5))
    assert (stage.health().structured_requests, stage.health().structured_success) == (4, 0.75)


def test_ratings_reach_the_planner_without_traffic_and_end(stage: Stage) -> None:
    async def scene() -> None:
        stage.ratings = {"e1": Rating((("tau2_airline", 0.4),), True)}
        await stage.measurements.refresh()
        assert (stage.health().benchmarks, stage.health().behind) == ((("tau2_airline", 0.4),), True)
        stage.ratings = {}
        await stage.measurements.refresh()
        assert stage.health() == EndpointHealth()
        await stage.measurements.stop()

    asyncio.run(scene())


def test_the_start_fills_the_live_window(stage: Stage) -> None:
    stage.serve(10, ago_seconds=120)
    stage.serve(10, ago_seconds=20 * 60)

    async def scene() -> None:
        await stage.measurements.start()
        await stage.measurements.stop()

    asyncio.run(scene())
    latency, throughput = stage.live.percentiles("e1")
    assert latency is not None
    assert throughput is not None
    assert latency.p50 == pytest.approx(0.2, rel=0.021)
    assert stage.health().latency == latency  # routing need not wait for traffic
    stage.clock.now += FIGURES_SECONDS + 600
    stage.monitor.snapshot()
    assert stage.live.percentiles("e1") == (None, None)


def test_figures_stay_while_the_store_is_away(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    stage.serve(100)
    working = stage.connect

    def away() -> Connection:
        raise StorageUnavailable("away")

    async def scene() -> None:
        assert await stage.measurements.refresh()
        known = stage.measurements.endpoint_stats("e1")
        await stage.measurements.stop()
        stage.connect = away
        with caplog.at_level(logging.WARNING):
            assert not await stage.measurements.refresh()
        assert "away" in caplog.text
        assert stage.measurements.endpoint_stats("e1") is known is not None
        stage.connect = working
        stage.serve(20)
        assert await stage.measurements.refresh()
        assert stage.health().requests == 120
        await stage.measurements.stop()

    asyncio.run(scene())


def test_a_start_without_a_store_does_not_fail(stage: Stage) -> None:
    def away() -> Connection:
        raise StorageUnavailable("away")

    stage.connect = away

    async def scene() -> None:
        await stage.measurements.start()
        await stage.measurements.stop()

    asyncio.run(scene())
    assert stage.live.percentiles("e1") == (None, None)


def test_it_looks_again_and_again_until_it_stops(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REFRESH_SECONDS", 0.005)

    async def scene() -> None:
        await stage.measurements.stop()  # before the start, too
        await stage.measurements.start()
        await asyncio.to_thread(stage.serve, 100)
        end = time.monotonic() + 30
        while (stats := stage.measurements.endpoint_stats("e1")) is None or stats.latency is None:  # a look may fall into the commit
            assert time.monotonic() < end
            await asyncio.sleep(0.01)
        unchanged = stage.measurements.model_stats()
        await asyncio.sleep(0.05)
        assert stage.measurements.model_stats() is unchanged
        await stage.measurements.stop()

    asyncio.run(scene())


def test_the_planner_sees_what_other_processes_measured(stage: Stage) -> None:
    """A worker that saw nothing of an endpoint itself, or little, plans with what all of them stored."""
    assert stage.health().latency is None
    stage.serve(40)

    async def scene() -> None:
        await stage.measurements.refresh()
        await stage.measurements.stop()

    asyncio.run(scene())
    latency, throughput = stage.health().latency, stage.health().throughput
    assert latency is not None and throughput is not None
    assert (latency.p50, throughput.p50) == (pytest.approx(0.2, rel=0.021), pytest.approx(250, rel=0.021))
