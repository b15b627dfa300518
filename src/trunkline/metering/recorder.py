"""Takes finished generations from the request path and sees each of them into the ledger and the generation store, exactly once.

`record` writes to the spool and to memory; everything else happens in one thread (`writer_thread`), in batches: judge answers, settle
the ledger, store the generation and its roll-ups, then let the spool go. Each step is idempotent by generation id, so a batch that failed
halfway is simply done again. While a database is away the records wait: up to `capacity` in memory, the rest in the spool only, from
where they are read again.
"""

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

from trunkline.analytics.store import find_generation
from trunkline.errors import StorageUnavailable
from trunkline.metering.backlog import Backlog
from trunkline.metering.batches import Batches, BatchWriter, Connect, Settle
from trunkline.metering.judge import Evidence
from trunkline.metering.one_writer import OneWriter
from trunkline.metering.spool import Place, Spool
from trunkline.metering.tally import Tally
from trunkline.metering.writer_thread import WriterThread
from trunkline.protocol.generation import GenerationRecord
from trunkline.storage.connection import Connection

log = logging.getLogger(__name__)


def _unobserved(_record: GenerationRecord) -> None:
    """Watches nothing."""


class Recorder:
    """The meter's memory of one worker. `record` and `find` belong to the event loop; `flush` and `close` block."""

    def __init__(
        self,
        spool: Spool,
        open_control: Connect,
        open_telemetry: Connect,
        worker_id: str,
        settle: Settle,
        *,
        shared: Path | None = None,
        tally: Tally | None = None,
        observe: Callable[[GenerationRecord], None] = _unobserved,
        batch: int = 1000,
        interval: float = 1.0,
        capacity: int = 20_000,
    ) -> None:
        """`batch` records, or what came within `interval` seconds, are stored together; at most `capacity` wait in memory.

        `settle` is `accounts.ledger_store.settle_batch`; `worker_id` names the owner of the leases that it charges. Workers that give the
        same folder as `shared` have one of them write for all, and with a `tally` they count together. `observe` is told each generation
        as it is recorded (`health.monitor`).
        """
        self.dropped = 0
        self._spool = spool
        self._batch = batch
        self._backlog = Backlog(capacity)
        batches = BatchWriter(open_control, open_telemetry, settle)
        self._batches: Batches = batches if shared is None else OneWriter(shared, batches)
        self._writer = WriterThread(spool, self._backlog, self._batches, worker_id, batch=batch, interval=interval, publish=self._publish)
        self._tally = tally
        self._observe = observe
        self._open_telemetry = open_telemetry
        self._reader: Connection | None = None
        self._reader_lock = threading.Lock()

    def start(self) -> None:
        """Starts the writer thread, which first replays what dead workers left."""
        self._writer.start()

    def record(self, record: GenerationRecord, evidence: Evidence | None = None) -> None:
        """Takes a finished generation. After this returns it survives the end of this process, unless the spool failed (`counters`)."""
        place = self._spool.append(record)
        self._observe(record)
        if not self._backlog.add(record, evidence, place):
            self._refuse(record, place)
        if len(self._backlog) >= self._batch:
            self._writer.wake()

    async def find(self, id: bytes) -> GenerationRecord | None:
        """The generation with these 16 bytes as id, whichever worker served it, from the moment it was recorded.

        Raises StorageUnavailable when no spool has it and the store does not answer.
        """
        record = self._backlog.get(id)
        if record is not None:
            return record
        return await asyncio.to_thread(self._find_elsewhere, id)

    def counters(self) -> dict[str, int]:
        """For `GET /health`: how many records wait in memory now, and since the start how many went wrong, and how; in all workers.

        `lost`: the spool has no copy; they are stored from memory as ever, and gone only if the process dies before that. `rejected`: they
        fit no database and were given up. `dropped`: neither spool nor memory had room; these are gone, and are among the `lost` too.
        """
        return self._counters() if self._tally is None else self._tally.total(self._counters())

    def flush(self, timeout: float = 10.0) -> bool:
        """Waits until all that was recorded is stored; False when that took longer than `timeout` seconds."""
        return self._writer.flush(timeout)

    def close(self, timeout: float = 10.0) -> None:
        """Stores what waits and ends the thread; what is not stored within `timeout` seconds stays in the spool for the next start."""
        self._writer.stop(timeout)
        self._spool.close()
        with self._reader_lock:
            self._close_reader()

    def _counters(self) -> dict[str, int]:
        return {
            "waiting": len(self._backlog),
            "lost": self._spool.lost,
            "rejected": self._batches.rejected,
            "dropped": self.dropped,
        }

    def _publish(self) -> None:
        if self._tally is not None:
            self._tally.publish(self._counters())

    def _refuse(self, record: GenerationRecord, place: Place | None) -> None:
        if self._backlog.get(record.id) is not None:
            log.error("generation %s was recorded twice; the first record counts", record.id.hex())
            if place is not None:
                self._spool.settle({place.segment: 1})
            return
        self.dropped += 1
        log.error("generation %s (cost %d pico-dollars) is lost: spool and memory are full", record.id.hex(), record.cost)

    def _find_elsewhere(self, id: bytes) -> GenerationRecord | None:
        """In the store, then in the spools, then again in the store: a record may move from there to here in between."""
        outage: StorageUnavailable | None = None
        for look in (self._find_stored, self._spool.find, self._find_stored):
            try:
                record = look(id)
            except StorageUnavailable as error:
                outage = error
                continue
            if record is not None:
                return record
        if outage is not None:
            raise outage
        return None

    def _find_stored(self, id: bytes) -> GenerationRecord | None:
        with self._reader_lock:
            try:
                if self._reader is None:
                    self._reader = self._open_telemetry()
                return find_generation(self._reader, id)
            except sqlite3.Error as error:
                self._close_reader()
                raise StorageUnavailable(f"the generation store did not answer: {error.__class__.__name__}") from error

    def _close_reader(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None
