"""Connections to SQLite: the pragmas, and engines that begin transactions as they were asked to.

Python's `sqlite3` opens transactions by itself, in deferred mode, which makes two writers that read first fail with "database is locked"
however long they would wait. Here every connection is in autocommit mode, and a transaction begins with what the engine's option
`sqlite_begin` says.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from sqlalchemy import URL, Engine, Table, create_engine, event
from sqlalchemy import Connection as EngineConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from trunkline.storage.connection import Row
from trunkline.storage.layout import Database, Synchronous

BUSY_SECONDS = 10.0
WRITING = {"sqlite_begin": "BEGIN IMMEDIATE"}
_ROWS = 200
"""Rows inserted by one statement: each statement gives the interpreter's lock away and must win it back from the event loop."""


class Connection(sqlite3.Connection):
    """SQLite's own connection as a `storage.connection.Connection`."""

    def insert(self, table: Table, columns: Sequence[str], rows: Sequence[Row], conflict: str = "") -> None:
        """Inserts `rows`. Raises sqlite3.Error, or OverflowError or UnicodeEncodeError for what no column holds."""
        head = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES "  # noqa: S608 - names of our own tables
        marks, tail = f"({', '.join('?' * len(columns))})", f" ON CONFLICT {conflict}" if conflict else ""
        for start in range(0, len(rows), _ROWS):
            some = rows[start : start + _ROWS]
            self.execute(head + ", ".join([marks] * len(some)) + tail, list(chain.from_iterable(some)))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A write transaction, alone in the database from its start."""
        self.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            if self.in_transaction:  # SQLite itself rolls back after some errors, such as a full disk
                self.execute("ROLLBACK")
            raise

    def lock_rows(self, table: Table, values: Sequence[str]) -> None:
        """Does nothing: a transaction is alone in the database."""

    def prepare_days(self, table: Table, days: Iterable[int]) -> None:
        """Does nothing: a table is one file's."""

    def drop_days(self, table: Table, before: int) -> int:
        """Drops nothing: the rows of all days lie together."""
        return 0


def _set_pragmas(connection: sqlite3.Connection, synchronous: Synchronous) -> None:
    cursor = connection.cursor()
    try:
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute(f"PRAGMA synchronous={synchronous}")
        cursor.execute("PRAGMA journal_size_limit=67108864")
        cursor.execute("PRAGMA temp_store=MEMORY")
    finally:
        cursor.close()


def connect(database: Database, data_dir: Path, *, synchronous: Synchronous | None = None) -> Connection:
    """A raw connection in autocommit mode, which one thread at a time may use. `synchronous` overrides the database's own level.

    Raises sqlite3.OperationalError when the file cannot be opened.
    """
    connection = sqlite3.connect(
        database.file(data_dir),
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
        factory=Connection,
    )
    try:
        _set_pragmas(connection, synchronous or database.synchronous)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _prepare(engine: Engine, database: Database) -> None:
    def on_connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        _set_pragmas(connection, database.synchronous)

    def on_begin(connection: EngineConnection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN"))

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)


def _url(driver: str, database: Database, data_dir: Path) -> URL:
    return URL.create(driver, database=str(database.file(data_dir)))


def sync_engine(database: Database, data_dir: Path) -> Engine:
    """A blocking engine, for creation and migrations."""
    engine = create_engine(_url("sqlite+pysqlite", database, data_dir), connect_args={"timeout": BUSY_SECONDS})
    _prepare(engine, database)
    return engine


def async_engine(database: Database, data_dir: Path) -> AsyncEngine:
    """An engine for the event loop; each of its connections works in a thread of its own."""
    engine = create_async_engine(_url("sqlite+aiosqlite", database, data_dir), connect_args={"timeout": BUSY_SECONDS})
    _prepare(engine.sync_engine, database)
    return engine
