"""Connections to SQLite: the pragmas, and engines that begin transactions as they were asked to.

Python's `sqlite3` opens transactions by itself, in deferred mode, which makes two writers that read first fail with "database is locked"
however long they would wait. Here every connection is in autocommit mode, and a transaction begins with what the engine's option
`sqlite_begin` says.
"""

import sqlite3
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from trunkline.storage.layout import Database, Synchronous

BUSY_SECONDS = 10.0
WRITING = {"sqlite_begin": "BEGIN IMMEDIATE"}


def _set_pragmas(connection: sqlite3.Connection, synchronous: Synchronous) -> None:
    cursor = connection.cursor()
    try:
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute(f"PRAGMA synchronous={synchronous}")
        cursor.execute("PRAGMA journal_size_limit=67108864")
        cursor.execute("PRAGMA temp_store=MEMORY")
    finally:
        cursor.close()


def connect(database: Database, data_dir: Path, *, synchronous: Synchronous | None = None) -> sqlite3.Connection:
    """A raw connection in autocommit mode, which one thread at a time may use. `synchronous` overrides the database's own level.

    Raises sqlite3.OperationalError when the file cannot be opened.
    """
    connection = sqlite3.connect(
        database.file(data_dir), timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=256
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

    def on_begin(connection: Connection) -> None:
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
