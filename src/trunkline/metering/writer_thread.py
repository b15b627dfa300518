"""The thread that empties the backlog into the databases, and at its start replays what dead workers left behind."""

import logging
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final

import msgspec

from trunkline.errors import StorageUnavailable
from trunkline.metering import segments
from trunkline.metering.backlog import Backlog, Waiting
from trunkline.metering.batches import Batches
from trunkline.metering.judge import Evidence, Judge
from trunkline.metering.spool import Place, Spool
from trunkline.protocol.generation import GenerationRecord
from trunkline.storage.connection import Duplicate

FIRST_DELAY: Final = 0.1
LONGEST_DELAY: Final = 5.0

log = logging.getLogger(__name__)


class WriterThread:
    """Stores `batch` records at a time, or what came within `interval` seconds. Outages are waited out, with pauses up to LONGEST_DELAY."""

    def __init__(
        self,
        spool: Spool,
        backlog: Backlog,
        batches: Batches,
        worker_id: str,
        *,
        batch: int,
        interval: float,
        publish: Callable[[], None] = lambda: None,
    ) -> None:
        """`publish` is called about once in an `interval`, and during an outage with each attempt: it tells others how things stand."""
        self._spool = spool
        self._backlog = backlog
        self._batches = batches
        self._worker_id = worker_id
        self._batch = batch
        self._interval = interval
        self._publish = publish
        self._judge = Judge()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._flushes: SimpleQueue[threading.Event] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="metering-writer", daemon=True)

    def start(self) -> None:
        """Starts the thread; once only."""
        self._thread.start()

    def wake(self) -> None:
        """Says that a whole batch waits."""
        if not self._wake.is_set():
            self._wake.set()

    def flush(self, timeout: float) -> bool:
        """Waits until all that waits now is stored; False when that took longer."""
        done = threading.Event()
        self._flushes.put(done)
        self._wake.set()
        return done.wait(timeout)

    def stop(self, timeout: float) -> None:
        """Stores what waits, with one attempt a batch, and ends the thread; returns after `timeout` seconds at the latest."""
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _run(self) -> None:
        try:
            self._guarded(self._replay)
            last, due = False, True
            while not last:
                last = self._stopping.is_set()
                self._guarded(partial(self._round, due=due))
                if not last:
                    due = not self._wake.wait(self._interval)
                    self._wake.clear()
        finally:
            self._batches.close()

    def _guarded(self, step: Callable[[], None]) -> None:
        """Runs `step`; an error nobody foresaw is logged, and the thread goes on: without it no generation would be stored any more."""
        try:
            step()
        except Exception:
            log.exception("the metering writer failed; its records wait in the spool")
            self._stopping.wait(LONGEST_DELAY)

    def _round(self, *, due: bool) -> None:
        """Stores whole batches; when it is `due`, also what waits; also what comes meanwhile, when a flush waits or the end is near."""
        self._publish()
        flushes = self._waiting_flushes()
        stored = self._drain(due=due, everything=bool(flushes) or self._stopping.is_set())
        for done in flushes:
            if stored:
                done.set()
            else:
                self._flushes.put(done)

    def _waiting_flushes(self) -> list[threading.Event]:
        flushes = []
        while True:
            try:
                flushes.append(self._flushes.get_nowait())
            except Empty:
                return flushes

    def _drain(self, *, due: bool, everything: bool) -> bool:
        """False when the process ends before the databases came back."""
        least = 1 if due or everything else self._batch
        while len(self._backlog) >= least:
            if not self._store_waiting(self._backlog.peek(self._batch)):
                return False
            least = 1 if everything else self._batch
        while place := self._backlog.oldest_spooled():
            if not self._store_spooled(place):
                return False
        return True

    def _store_waiting(self, waiting: Sequence[Waiting]) -> bool:
        if not self._persist(
            self._worker_id, [one.record if one.evidence is None else self._judged(one.record, one.evidence) for one in waiting]
        ):
            return False
        self._backlog.done(waiting)
        self._spool.settle(Counter([one.place.segment for one in waiting if one.place is not None]))
        return True

    def _store_spooled(self, place: Place) -> bool:
        try:
            records = self._spool.read(place.segment, place.start, place.end)
        except (OSError, msgspec.DecodeError):
            log.exception("segment %d of the spool cannot be read again and is kept", place.segment)
            self._backlog.read_up_to(place)
            return True
        if not self._persist_all(self._worker_id, records):
            return False
        self._backlog.read_up_to(place)
        self._spool.settle({place.segment: len(records)})
        return True

    def _replay(self) -> None:
        for orphan in self._spool.orphans():
            try:
                for path in orphan.segments():
                    if not self._replay_segment(orphan.worker_id, path):
                        return
            finally:
                orphan.finish()

    def _replay_segment(self, worker_id: str, path: Path) -> bool:
        try:
            records = segments.read(path)
        except (OSError, msgspec.DecodeError):
            log.exception("%s cannot be replayed and is kept", path)
            return True
        if not self._persist_all(worker_id, records):
            return False
        path.unlink(missing_ok=True)
        log.info("replayed %d generations of worker %s", len(records), worker_id)
        return True

    def _persist_all(self, worker_id: str, records: Sequence[GenerationRecord]) -> bool:
        return all(self._persist(worker_id, records[at : at + self._batch]) for at in range(0, len(records), self._batch))

    def _persist(self, worker_id: str, records: Sequence[GenerationRecord]) -> bool:
        """Writes a batch, again and again until the databases take it; False when the process ends first."""
        delay = FIRST_DELAY
        while True:
            try:
                self._batches.write(worker_id, records)
                return True
            except (sqlite3.Error, StorageUnavailable, Duplicate) as error:
                log.warning("%d generations wait for the database: %s", len(self._backlog), error)
            except Exception:
                log.exception("a batch of generations cannot be stored")
            self._publish()
            if self._stopping.wait(delay):
                return False
            delay = min(2 * delay, LONGEST_DELAY)

    def _judged(self, record: GenerationRecord, evidence: Evidence) -> GenerationRecord:
        """The record with the verdict on its answer, which stays unknown where it cannot be judged."""
        try:
            return self._judge.judged(record, evidence)
        except BaseException:  # a panic of the validator, which is native code, is no Exception
            log.exception("the answer of generation %s cannot be judged", record.id.hex())
            return record
