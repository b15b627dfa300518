"""One worker writes for all workers of a data folder: the others hand it their batches and wait until it has stored them.

Several writers of one SQLite file wait for each other by polling, which is unfair: with four of them the unlucky batch waits for seconds.
So whoever holds the `writer_lock` writes and opens a desk (`handover`); the others are couriers. No more than speed hangs on it: every
batch is idempotent by generation id and lies in its worker's spool until the receipt has come. So a batch whose receipt was lost is handed
over again, the first worker that misses a dead writer takes its place, and a writer that is silent is passed over.
"""

import logging
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from trunkline.errors import StorageUnavailable
from trunkline.metering.batches import BatchWriter
from trunkline.metering.handover import Courier, Desk
from trunkline.metering.parcels import Parcel, Receipt, fits, frame
from trunkline.metering.turns import Turns
from trunkline.metering.writer_lock import WriterLock
from trunkline.protocol.generation import GenerationRecord
from trunkline.storage.connection import Duplicate

ANSWER_SECONDS: Final = 5.0
"""A writer that stores nothing of ours for so long is passed over. Less than the end of a worker may take."""
ALONE_SECONDS: Final = 30.0
"""For so long a worker then writes by itself, before it asks again."""
PAUSE_SECONDS: Final = 0.02

log = logging.getLogger(__name__)


class OneWriter:
    """`batches.Batches` for one worker of several. `write` and `close` belong to one thread.

    `rejected` counts the records of this worker that no database takes, whoever found that out.
    """

    def __init__(self, folder: Path, batches: BatchWriter) -> None:
        """`folder` is the data folder, the same for all workers; `batches` is used when this worker writes."""
        self.rejected = 0
        self._batches = batches
        self._lock = WriterLock(folder)
        self._courier = Courier()
        self._writing = Turns()
        self._owns = False
        self._desk: Desk | None = None
        self._closed = False
        self._alone_until = 0.0

    def write(self, worker_id: str, records: Sequence[GenerationRecord]) -> None:
        """Settles and stores `records`, which `worker_id` served, here or at the worker that writes.

        Raises sqlite3.Error, StorageUnavailable or Duplicate; the same batch may then be tried again.
        """
        if self._is_mine():
            self._write_here(worker_id, records)
            return
        letter = _letter(worker_id, records)
        if letter is None and len(records) > 1:
            middle = len(records) // 2
            self.write(worker_id, records[:middle])
            self.write(worker_id, records[middle:])
            return
        receipt = self._hand_over(letter) if letter is not None else None
        if receipt is None:
            self._write_here(worker_id, records)
        elif receipt.problem:
            raise StorageUnavailable(receipt.problem)
        else:
            self.rejected += receipt.rejected

    def close(self) -> None:
        """Writes no more; when this worker was the writer, another takes its place with its next batch."""
        self._courier.close()
        with self._writing:
            self._closed = True
            self._batches.close()
        self._lock.release()  # before the desk ends: who misses it finds the lock free
        if self._desk is not None:
            self._desk.close()

    def _is_mine(self) -> bool:
        """Whether this worker writes for all. While there is a connection to another one, that one lives."""
        if self._owns or self._courier.is_connected:
            return self._owns
        try:
            self._owns = self._lock.take()
        except OSError as error:
            log.warning("the lock of the metering writer cannot be used: %s", error)
        if self._owns:
            self._open_desk()
        return self._owns

    def _open_desk(self) -> None:
        try:
            self._desk = Desk(path := self._lock.new_desk(), self._take)
            self._lock.announce(path)
        except OSError as error:
            log.warning("the other workers cannot hand over their generations, and write them themselves: %s", error)
        else:
            log.info("this worker writes the generations of all workers")

    def _hand_over(self, letter: bytes) -> Receipt | None:
        """The writer's receipt. None when this worker is to store the batch: nobody else writes any more, or no receipt comes."""
        deadline = time.monotonic() + ANSWER_SECONDS
        while not self._is_mine() and time.monotonic() >= self._alone_until:
            try:
                return self._courier.deliver(self._lock.desk(), letter, ANSWER_SECONDS)
            except (OSError, msgspec.DecodeError) as error:
                self._courier.close()
                if time.monotonic() >= deadline:
                    self._alone_until = time.monotonic() + ALONE_SECONDS
                    log.warning("the worker that writes generations does not answer (%s); this one writes by itself", error)
                    break
                time.sleep(PAUSE_SECONDS)
        return None

    def _take(self, parcel: Parcel) -> Receipt | None:
        """Stores what another worker hands over; None when this one writes no more."""
        try:
            with self._writing:
                return None if self._closed else Receipt(self._store(parcel.worker_id, parcel.records))
        except (sqlite3.Error, StorageUnavailable, Duplicate) as error:
            return Receipt(problem=f"{type(error).__name__}: {error}")
        except Exception as error:
            log.exception("a batch of another worker cannot be stored")
            return Receipt(problem=f"the writer failed: {type(error).__name__}")

    def _write_here(self, worker_id: str, records: Sequence[GenerationRecord]) -> None:
        with self._writing:
            self.rejected += self._store(worker_id, records)

    def _store(self, worker_id: str, records: Sequence[GenerationRecord]) -> int:
        """Writes into the databases and returns how many records they did not take; one thread at a time."""
        rejected = self._batches.rejected
        self._batches.write(worker_id, records)
        return self._batches.rejected - rejected


def _letter(worker_id: str, records: Sequence[GenerationRecord]) -> bytes | None:
    """A batch as it is sent; None when it is too long for that, or holds a record that msgpack cannot hold."""
    try:
        letter = frame(Parcel(worker_id, records))
    except (ValueError, OverflowError):
        return None
    return letter if fits(letter) else None
