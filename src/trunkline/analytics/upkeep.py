"""Keeps the store of generations in order: places for the days to come, and an end to what is older than the operator wants it.

A thread of its own looks once an hour, first a moment after the start. Whichever worker claims the task does it; the others find nothing
left to do. Generations go by whole UTC days: as partitions where the engine has them, and as rows in batches so small that no writer
waits for long. What endpoints did by minute stays for two days, by hour for thirty; all other roll-ups stay for ever.
"""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import Final

from sqlalchemy import Table

from trunkline.errors import StorageUnavailable
from trunkline.storage.connection import Connection
from trunkline.storage.days import date_of, day_of, first_id
from trunkline.storage.engines import Storage
from trunkline.storage.schema.telemetry import endpoint_hour, endpoint_minute, generations

TASK: Final = "upkeep"
DAYS_AHEAD: Final = 7
"""Places are made for today and for so many days after it, so that a week without upkeep is no harm."""
BATCH: Final = 500
PAUSE_SECONDS: Final = 0.05
FIRST_SECONDS: Final = 1.0
INTERVAL_SECONDS: Final = 3600.0
RETRY_SECONDS: Final = 60.0
"""After a round that failed, such as while pg_dump holds the tables."""
SLOTS: Final = 10
"""Minutes or hours of all endpoints that are deleted at once."""
MINUTE_DAYS: Final = 2
HOUR_DAYS: Final = 30
_AFTER_BATCH: Final = "SELECT id FROM generations WHERE id < ? ORDER BY id LIMIT 1 OFFSET ?"
_COUNT: Final = "SELECT count(*) FROM generations WHERE id < ?"
_DELETE: Final = "DELETE FROM generations WHERE id < ?"

log = logging.getLogger(__name__)


class Upkeep:
    """The upkeep of one worker. `keep_days` tells for how many days generations are kept, None = for ever; `clock` gives Unix seconds."""

    def __init__(self, storage: Storage, keep_days: Callable[[], int | None], *, clock: Callable[[], float] = time.time) -> None:
        self._storage = storage
        self._keep_days = keep_days
        self._clock = clock
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="upkeep", daemon=True)

    def start(self) -> None:
        """Begins to look after the store."""
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Ends it, after the batch that runs; waits for that for at most `timeout` seconds."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def tidy(self) -> None:
        """One round, unless another worker is at it. Raises StorageUnavailable or sqlite3.Error when the database does not answer."""
        with self._storage.alone(TASK) as alone:
            if not alone:
                return
            today = day_of(int(self._clock() * 1000))
            with closing(self._storage.connect_telemetry()) as connection:
                connection.prepare_days(generations, range(today, today + DAYS_AHEAD + 1))
                keep = self._keep_days()
                if keep is not None:
                    self._forget(connection, max(0, today - keep))
                self._delete_slots(connection, endpoint_minute, (today - MINUTE_DAYS) * 24 * 60)
                self._delete_slots(connection, endpoint_hour, (today - HOUR_DAYS) * 24)

    def _run(self) -> None:
        delay = FIRST_SECONDS
        while not self._stopping.wait(delay):
            delay = INTERVAL_SECONDS
            try:
                self.tidy()
            except (sqlite3.Error, StorageUnavailable) as error:
                log.warning("the upkeep of generations is put off: %s", error)
                delay = RETRY_SECONDS
            except Exception:
                log.exception("the upkeep of generations failed")

    def _forget(self, connection: Connection, day: int) -> None:
        """Removes what is of days before `day`."""
        places = connection.drop_days(generations, day)
        rows = self._delete_rows(connection, first_id(day))
        if places or rows:
            log.info("generations of the days before %s are removed: %d whole days, %d single rows", date_of(day), places, rows)

    def _delete_rows(self, connection: Connection, end: bytes) -> int:
        """Deletes the rows whose id is below `end`, oldest first, with a pause after each batch; returns how many."""
        deleted = 0
        while (after := connection.execute(_AFTER_BATCH, (end, BATCH)).fetchone()) is not None:
            connection.execute(_DELETE, (after[0],))
            deleted += BATCH
            if self._stopping.wait(PAUSE_SECONDS):
                return deleted
        last: int = connection.execute(_COUNT, (end,)).fetchone()[0]
        if last:
            connection.execute(_DELETE, (end,))
        return deleted + last

    def _delete_slots(self, connection: Connection, table: Table, end: int) -> None:
        """Deletes the slots before number `end`, oldest first, a few at a time with a pause after each."""
        query = f"SELECT min(slot) FROM {table.name} WHERE slot < ?"  # noqa: S608 - a table of ours
        delete = f"DELETE FROM {table.name} WHERE slot < ?"  # noqa: S608
        while (oldest := connection.execute(query, (end,)).fetchone()[0]) is not None:
            connection.execute(delete, (min(oldest + SLOTS, end),))
            if self._stopping.wait(PAUSE_SECONDS):
                return
