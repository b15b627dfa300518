import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from trunkline.storage.layout import CONTROL
from trunkline.storage.sqlite import WRITING, async_engine, connect, sync_engine


def test_raw_connections_are_in_autocommit_mode(tmp_path: Path) -> None:
    with closing(connect(CONTROL, tmp_path)) as first, closing(connect(CONTROL, tmp_path)) as second:
        first.execute("CREATE TABLE t (x)")
        first.execute("INSERT INTO t VALUES (1)")
        assert second.execute("SELECT x FROM t").fetchall() == [(1,)]


def test_a_file_that_is_no_database_is_closed_again(tmp_path: Path) -> None:
    CONTROL.file(tmp_path).write_bytes(b"not a database" * 100)
    with pytest.raises(sqlite3.DatabaseError):
        connect(CONTROL, tmp_path)


def test_a_writing_transaction_holds_the_lock_before_its_first_write(tmp_path: Path) -> None:
    engine = sync_engine(CONTROL, tmp_path)
    with closing(connect(CONTROL, tmp_path)) as other:
        other.execute("PRAGMA busy_timeout=0")
        with engine.connect().execution_options(**WRITING) as connection:
            connection.execute(text("SELECT 1"))
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("BEGIN IMMEDIATE")
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
            other.execute("BEGIN IMMEDIATE")
    engine.dispose()


def test_engines_set_the_pragmas_of_their_database(tmp_path: Path) -> None:
    async def synchronous() -> int:
        engine = async_engine(CONTROL, tmp_path)
        async with engine.connect() as connection:
            level = (await connection.execute(text("PRAGMA synchronous"))).scalar_one()
        await engine.dispose()
        return level

    assert asyncio.run(synchronous()) == 2


def test_a_transaction_that_sqlite_ended_itself_reports_its_own_error(tmp_path: Path) -> None:
    with closing(connect(CONTROL, tmp_path)) as connection:
        connection.execute("CREATE TABLE t (x NOT NULL)")
        with pytest.raises(sqlite3.IntegrityError), connection.transaction():
            connection.execute("INSERT OR ROLLBACK INTO t VALUES (NULL)")
        with connection.transaction():
            connection.execute("INSERT INTO t VALUES (1)")
        assert not connection.in_transaction
