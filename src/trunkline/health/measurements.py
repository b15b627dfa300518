"""What all processes measured of endpoints, read from storage in the background and served from memory: for lists, pages and the planner.

Reading and adding up takes milliseconds, so that a thread does it; the event loop only takes the results.
"""

import asyncio
import logging
import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

from msgspec import Struct

from trunkline.analytics.endpoint_rollup import MINUTES_PER_HOUR
from trunkline.analytics.endpoint_windows import Window, tool_counts
from trunkline.analytics.slots import Slot
from trunkline.catalogue.statistics import EndpointStats, ModelStats
from trunkline.errors import StorageUnavailable
from trunkline.health.benchmarks import UNRATED, Rating
from trunkline.health.figures import endpoint_stats, longterm, model_stats
from trunkline.health.live import MINUTES
from trunkline.health.monitor import Longterm, Monitor
from trunkline.storage.connection import Connection
from trunkline.storage.schema.telemetry import endpoint_hour, endpoint_minute
from trunkline.transport.tasks import spawn

REFRESH_SECONDS: Final = 5.0
SHORT_MINUTES: Final = 5
LONG_MINUTES: Final = 30
TOOL_MINUTES: Final = 120
DAY_HOURS: Final = 24

_NO_RATINGS: Final[Mapping[str, Rating]] = {}

_NOTHING: Final = Slot()

Recent = Mapping[str, Slot]
log = logging.getLogger(__name__)


class Results(Struct, frozen=True):
    """What one look at storage gave, by endpoint id and by model id."""

    endpoints: Mapping[str, EndpointStats] = {}
    models: Mapping[str, ModelStats] = {}
    longterm: Mapping[str, Longterm] = {}


class Measurements:
    """The last known figures, which stay while the store does not answer.

    `connect` opens the telemetry database, `monitor` takes over what the planner needs, and `model_of` names the model of an endpoint id,
    None for one that the catalogue does not have any more. `ratings` tells how endpoints do in benchmarks. `clock` gives Unix seconds.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        monitor: Monitor,
        model_of: Callable[[str], str | None],
        *,
        ratings: Callable[[], Mapping[str, Rating]] = lambda: _NO_RATINGS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._connect = connect
        self._monitor = monitor
        self._model_of = model_of
        self._ratings = ratings
        self._clock = clock
        self._minutes = Window(endpoint_minute, LONG_MINUTES)
        self._hours = Window(endpoint_hour, DAY_HOURS, distributions=False)
        self._results = Results()
        self._connection: Connection | None = None
        self._lock = threading.Lock()
        self._task: asyncio.Task[None] | None = None

    def endpoint_stats(self, endpoint_id: str) -> EndpointStats | None:
        """What was measured of an endpoint; None when nobody called it lately."""
        return self._results.endpoints.get(endpoint_id)

    def model_stats(self) -> Mapping[str, ModelStats]:
        """What was measured of models, by id; the same object until the figures change."""
        return self._results.models

    async def refresh(self) -> bool:
        """Look now; False when the store does not answer."""
        try:
            results, recent = await asyncio.to_thread(self._look)
        except (sqlite3.Error, StorageUnavailable) as error:
            log.warning("the figures of endpoints are not refreshed: %s", error)
            return False
        if results != self._results:
            self._results = results
            self._monitor.learn(results.longterm)
        self._monitor.share(recent)
        return True

    async def start(self) -> None:
        """Take over what is stored, then look in the background."""
        if await self.refresh():
            first = int(self._clock()) // 60 - MINUTES + 1
            for minute, endpoint_id, slot in self._minutes.since(first):
                self._monitor.seed(minute, endpoint_id, slot)
        self._task = spawn(self._run(), name="measurements")

    async def stop(self) -> None:
        """End it."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await asyncio.to_thread(self._close)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            await self.refresh()

    def _look(self) -> tuple[Results, Recent]:
        """Read what changed, and add up; in a thread. Also what the last minutes brought."""
        with self._lock:
            try:
                connection = self._connection = self._connection or self._connect()
                minute = int(self._clock()) // 60
                self._minutes.read(connection, minute)
                self._hours.read(connection, minute // MINUTES_PER_HOUR)
                return self._add_up(tool_counts(connection, minute - TOOL_MINUTES + 1))
            except (sqlite3.Error, StorageUnavailable):
                self._drop()
                raise

    def _add_up(self, tools: Mapping[str, tuple[int, int]]) -> tuple[Results, Recent]:
        recent = {one: self._minutes.newest(one, SHORT_MINUTES) for one in self._minutes.endpoints()}
        endpoints: dict[str, EndpointStats] = {}
        planned: dict[str, Longterm] = {}
        models: dict[str, list[tuple[Slot, Slot]]] = defaultdict(list)
        ratings = self._ratings()
        for endpoint_id in {*self._minutes.endpoints(), *self._hours.endpoints(), *tools, *ratings}:
            half_hour = self._minutes.newest(endpoint_id, LONG_MINUTES)
            day = self._hours.newest(endpoint_id, DAY_HOURS)
            endpoints[endpoint_id] = endpoint_stats(recent.get(endpoint_id, _NOTHING), half_hour, day)
            planned[endpoint_id] = longterm(half_hour, *tools.get(endpoint_id, (0, 0)), ratings.get(endpoint_id, UNRATED))
            model = self._model_of(endpoint_id)
            if model is not None:
                models[model].append((half_hour, day))
        stats = {model: model_stats([one for one, _ in slots], [one for _, one in slots]) for model, slots in models.items()}
        return Results(endpoints, stats, planned), recent

    def _close(self) -> None:
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
