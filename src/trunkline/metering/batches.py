"""One batch into both databases: the ledger first, then generations and roll-ups. Idempotent by generation id; for one thread."""

import logging
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol

from trunkline.accounts.ledger_store import LedgerEntry
from trunkline.analytics.rollup import write_batch
from trunkline.protocol.generation import GenerationRecord
from trunkline.storage.connection import Connection, Unfit

log = logging.getLogger(__name__)

Connect = Callable[[], Connection]

_UNFIT: Final = (
    OverflowError,
    UnicodeEncodeError,
    sqlite3.IntegrityError,
    sqlite3.DataError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
    Unfit,
)
"""What says that a value fits no column; any other error says that the database is away."""


class Settle(Protocol):
    """`accounts.ledger_store.settle_batch`."""

    def __call__(self, connection: Connection, worker_id: str, entries: Sequence[LedgerEntry], /) -> int: ...


class Batches(Protocol):
    """Where the writer thread takes batches: a `BatchWriter`, or with several workers a `one_writer.OneWriter`."""

    @property
    def rejected(self) -> int: ...

    def write(self, worker_id: str, records: Sequence[GenerationRecord]) -> None:
        """Settles and stores `records`, which `worker_id` served. Raises sqlite3.Error, StorageUnavailable or Duplicate."""
        ...

    def close(self) -> None: ...


class BatchWriter:
    """Writes batches over two connections, which it opens when first needed and again after an error.

    `rejected` counts records that no database takes; they are logged and given up, so that they hold up no others.
    """

    def __init__(self, open_control: Connect, open_telemetry: Connect, settle: Settle) -> None:
        self.rejected = 0
        self._open_control = open_control
        self._open_telemetry = open_telemetry
        self._settle = settle
        self._control: Connection | None = None
        self._telemetry: Connection | None = None

    def write(self, worker_id: str, records: Sequence[GenerationRecord]) -> None:
        """Settles and stores `records`, which `worker_id` served. Raises sqlite3.Error, StorageUnavailable, or
        Duplicate when another worker stores the same just now; the same batch may then be tried again.
        """
        try:
            unfit = self._in_halves(records, lambda some: self._charge(worker_id, _entries(some)))
            self._write_generations([record for record in records if record not in unfit] if unfit else records)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Closes the connections; the next `write` opens new ones."""
        for connection in (self._control, self._telemetry):
            if connection is not None:
                connection.close()
        self._control = self._telemetry = None

    def _charge(self, worker_id: str, entries: Sequence[LedgerEntry]) -> None:
        if entries:
            self._control = self._control or self._open_control()
            self._settle(self._control, worker_id, entries)

    def _write_generations(self, records: Sequence[GenerationRecord]) -> None:
        telemetry = self._telemetry = self._telemetry or self._open_telemetry()
        self._in_halves(records, lambda some: write_batch(telemetry, some))

    def _in_halves(
        self, records: Sequence[GenerationRecord], write: Callable[[Sequence[GenerationRecord]], object]
    ) -> list[GenerationRecord]:
        """Writes all records that fit and returns the others: where a batch holds one that does not, each half of it is tried alone."""
        try:
            write(records)
        except _UNFIT as error:
            if len(records) == 1:
                self._reject(records[0], error)
                return list(records)
            middle = len(records) // 2
            return self._in_halves(records[:middle], write) + self._in_halves(records[middle:], write)
        return []

    def _reject(self, record: GenerationRecord, error: Exception) -> None:
        self.rejected += 1
        log.error(
            "generation %s of key %s (cost %d pico-dollars) fits no database and is given up: %s",
            record.id.hex(),
            record.key_hash,
            record.cost,
            error,
        )


def _entries(records: Iterable[GenerationRecord]) -> list[LedgerEntry]:
    """What the ledger takes of `records`: what the key pays, or with the caller's own credential what that was charged upstream."""
    return [
        LedgerEntry(
            record.id, record.key_hash, (record.upstream_cost or 0) if record.is_byok else record.cost, record.created_ms, record.is_byok
        )
        for record in records
    ]
