"""Figures that pages and lists show and that may be some seconds old: read from the roll-ups in the background, served from memory."""

import asyncio
import logging
import time
from collections.abc import Mapping

from trunkline.analytics.store import weekly_tokens, weekly_traffic
from trunkline.errors import StorageUnavailable
from trunkline.protocol.traffic import NO_TRAFFIC, Traffic
from trunkline.storage.engines import Storage
from trunkline.transport.tasks import spawn

REFRESH_SECONDS = 15.0
TRAFFIC_SECONDS = 60.0
"""Routers rank by sums of a week, which a minute hardly changes."""
SECONDS_A_DAY = 86_400

logger = logging.getLogger(__name__)


class Figures:
    """Weekly tokens by model, and what routers rank by. The last known figures stay while the store does not answer."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._weekly: Mapping[str, int] = {}
        self._traffic = NO_TRAFFIC
        self._traffic_due = 0.0
        self._task: asyncio.Task[None] | None = None

    def weekly_tokens(self) -> Mapping[str, int]:
        """Prompt and completion tokens of the last seven days, by model id; the same object until the figures change."""
        return self._weekly

    def traffic(self) -> Traffic:
        """What was used in the last seven days, at most a minute old."""
        return self._traffic

    def hurry(self) -> None:
        """Have the next refresh read all figures, as after a reload."""
        self._traffic_due = 0.0

    async def refresh(self) -> None:
        """Read the figures now; what routers rank by only when that is due."""
        today = int(time.time()) // SECONDS_A_DAY
        try:
            async with self._storage.reading(self._storage.telemetry) as connection:
                weekly = await weekly_tokens(connection, today=today)
                if time.monotonic() >= self._traffic_due:
                    self._traffic = await weekly_traffic(connection, today=today)
                    self._traffic_due = time.monotonic() + TRAFFIC_SECONDS
        except StorageUnavailable as error:
            logger.warning("figures are not refreshed: %s", error)
            return
        if weekly != self._weekly:
            self._weekly = weekly

    def start(self) -> None:
        """Begin to refresh in the background."""
        self._task = spawn(self._run(), name="figures")

    def stop(self) -> None:
        """End it."""
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        while True:
            await self.refresh()
            await asyncio.sleep(REFRESH_SECONDS)
