"""What the hot writers (ledger, leases, generations) need of a raw connection, whichever engine is behind it.

Their SQL is one text for both engines: `?` marks parameters, conflicts are told by ON CONFLICT, and what differs is a method here. Errors
of SQLite are those of `sqlite3`; PostgreSQL's arrive as StorageUnavailable, Unfit or Duplicate.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final, Protocol

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncEngine

from trunkline.errors import TrunklineError
from trunkline.storage.layout import Database

Row = Sequence[Any]


class Unfit(TrunklineError):
    """A value fits no column, or breaks a rule of its table."""


class Duplicate(TrunklineError):
    """A row with this key exists already."""


DUPLICATES: Final = (sqlite3.IntegrityError, Duplicate)


class Result(Protocol):
    """The rows that a statement gave."""

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...

    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """A connection in autocommit mode, for one thread at a time."""

    def execute(self, sql: str, parameters: Row = ..., /) -> Result:
        """Runs one statement."""
        ...

    def executemany(self, sql: str, rows: Sequence[Row], /) -> object:
        """Runs one statement for each row of parameters."""
        ...

    def insert(self, table: Table, columns: Sequence[str], rows: Sequence[Row], conflict: str = "") -> None:
        """Inserts many rows the fastest way there is. `conflict` is what follows ON CONFLICT; without it a known key is an error."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """A write transaction: commits at the end, rolls back on any error."""
        ...

    def lock_rows(self, table: Table, values: Sequence[str]) -> None:
        """Inside a transaction, keeps all others from the rows whose one-column primary key is among `values`, and from what they guard."""
        ...

    def prepare_days(self, table: Table, days: Iterable[int]) -> None:
        """Has a place ready for the rows of each of these UTC days, where the engine divides `table` by day."""
        ...

    def drop_days(self, table: Table, before: int) -> int:
        """Drops the places that hold only rows of days before the UTC day `before`, and returns how many; what is left are rows."""
        ...

    def close(self) -> None: ...


class Databases(Protocol):
    """Both databases of one engine, before they are open."""

    @property
    def writing(self) -> Mapping[str, Any]:
        """Execution options of a write transaction that is alone from its first statement."""
        ...

    def async_engine(self, database: Database) -> AsyncEngine:
        """An engine for the event loop."""
        ...

    def connect(self, database: Database, *, durable: bool) -> Connection:
        """A raw connection; without `durable` a power cut may undo its last commits."""
        ...

    def alone(self, task: str) -> AbstractContextManager[bool]:
        """Claims a task without waiting, until the end of the `with`; False when another process that shares the databases has it."""
        ...

    def back_up(self, target_dir: Path) -> tuple[Path, ...]:
        """Copies both databases into `target_dir` while they may be in use; returns the files written. Raises ConfigError."""
        ...

    def restore(self, source_dir: Path) -> None:
        """Replaces both databases by what `back_up` wrote. Raises ConfigError, with nothing changed, also while they are in use."""
        ...

    def bring_up_to_date(self) -> None:
        """Leaves both databases in this release's form. Raises ConfigError when that is impossible."""
        ...
