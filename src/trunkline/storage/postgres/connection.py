"""An asyncpg connection lent to a thread: an event loop of its own, run for the time of each call."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import lru_cache
from itertools import count
from typing import Any, Final, TypeVar

import asyncpg
from sqlalchemy import Table, Text
from sqlalchemy.dialects import postgresql

from trunkline.errors import StorageUnavailable
from trunkline.storage.connection import Row
from trunkline.storage.postgres import partitions
from trunkline.storage.postgres.driver import REPORTED, translated

T = TypeVar("T")
Connect = Callable[[], Coroutine[Any, Any, asyncpg.Connection]]
_CLOSE_SECONDS: Final = 2.0
_BEGIN: Final = "BEGIN ISOLATION LEVEL READ COMMITTED"
"""Each statement sees what was committed before it, so that one after a lock sees what the lock waited for."""
_LOOKS: Final = 4
"""Rounds of the loop in which the last words of a server and its hanging up are both read."""
_DIALECT: Final = postgresql.dialect()  # type: ignore[no-untyped-call]


@lru_cache(maxsize=512)
def numbered(sql: str) -> str:
    """`sql` with `$1`, `$2`... in place of its question marks, of which none stands for anything but a parameter."""
    first, *others = sql.split("?")
    numbers = count(1)
    return first + "".join(f"${next(numbers)}{part}" for part in others)


@lru_cache(maxsize=64)
def _upsert(table: Table, columns: tuple[str, ...], conflict: str) -> str:
    """One statement for any number of rows, which it takes column by column."""
    arrays = ", ".join(f"${at}::{table.c[name].type.compile(_DIALECT)}[]" for at, name in enumerate(columns, 1))
    return f"INSERT INTO {table.name} ({', '.join(columns)}) SELECT * FROM unnest({arrays}) ON CONFLICT {conflict}"  # noqa: S608


def _without_nul(table: Table, columns: Sequence[str], rows: Sequence[Row]) -> Sequence[Row]:
    """PostgreSQL's text holds any character but U+0000, which callers may send; it becomes U+FFFD."""
    texts = [at for at, name in enumerate(columns) if isinstance(table.c[name].type, Text)]
    if not any("\0" in row[at] for row in rows for at in texts if type(row[at]) is str):
        return rows
    return [[value.replace("\0", "\ufffd") if isinstance(value, str) else value for value in row] for row in rows]


class Rows:
    """The rows that a statement gave, all of them read."""

    def __init__(self, rows: Sequence[Any]) -> None:
        self._rows = iter([tuple(row) for row in rows])

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return self._rows

    def fetchone(self) -> tuple[Any, ...] | None:
        """The next row."""
        return next(self._rows, None)

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows that are left."""
        return list(self._rows)


class Connection:
    """A `storage.connection.Connection`. It connects when first used, and again when the server has ended the connection in between.

    Every call raises StorageUnavailable when the server does not answer, Unfit for a value that fits no column, Duplicate for a known key.
    """

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._loop = asyncio.new_event_loop()
        self._driver: asyncpg.Connection | None = None
        self._in_transaction = False

    def execute(self, sql: str, parameters: Row = (), /) -> Rows:
        """Runs one statement."""
        return Rows(self._run(self._fetch(numbered(sql), parameters)))

    def executemany(self, sql: str, rows: Sequence[Row], /) -> None:
        """Runs one statement for each row, in one round trip."""
        if rows:
            self._run(self._execute_many(numbered(sql), rows))

    def insert(self, table: Table, columns: Sequence[str], rows: Sequence[Row], conflict: str = "") -> None:
        """Inserts `rows`: by COPY, or where conflicts are expected by one statement with an array for each column."""
        if rows:
            self._run(self._insert(table, tuple(columns), _without_nul(table, columns, rows), conflict))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A transaction; others are kept out only from rows that it locked or wrote."""
        self._run(self._command(_BEGIN))
        self._in_transaction = True
        try:
            yield
            self._run(self._command("COMMIT"))
        except BaseException:
            with suppress(StorageUnavailable):  # the server rolls back what a lost connection had begun
                self._run(self._command("ROLLBACK"))
            raise
        finally:
            self._in_transaction = False

    def lock_rows(self, table: Table, values: Sequence[str]) -> None:
        """Locks the rows whose primary key is among `values`, in order, until the end of the transaction."""
        (key,) = table.primary_key.columns
        locking = f"SELECT 1 FROM {table.name} WHERE {key.name} = ANY(?) ORDER BY {key.name} FOR NO KEY UPDATE"  # noqa: S608
        self.execute(locking, (list(values),))

    def prepare_days(self, table: Table, days: Iterable[int]) -> None:
        """Makes the partitions that `table` lacks for these UTC days."""
        partitions.prepare_days(self, table, days)

    def drop_days(self, table: Table, before: int) -> int:
        """Drops the partitions that hold only days before the UTC day `before`, and returns how many."""
        return partitions.drop_days(self, table, before)

    def close(self) -> None:
        """Ends the connection, gracefully where the server answers; a second call does nothing."""
        if self._loop.is_closed():
            return
        self._complete(self._disconnect())
        self._loop.close()

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        try:
            return self._complete(coroutine)
        except REPORTED as error:
            meaning = translated(error)
            if meaning is error:
                raise
            raise meaning from error

    def _complete(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Runs the loop here, or in a helping thread where this one runs a loop already (at shut-down)."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return self._loop.run_until_complete(coroutine)
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(self._loop.run_until_complete, coroutine).result()

    async def _disconnect(self) -> None:
        if self._driver is not None:
            with suppress(*REPORTED):
                await self._driver.close(timeout=_CLOSE_SECONDS)
            self._driver.terminate()
            self._driver = None
            await asyncio.sleep(0)  # lets the transport report its end

    async def _ready(self) -> asyncpg.Connection:
        driver = self._driver
        if driver is not None and not self._in_transaction:
            for _ in range(_LOOKS):
                await asyncio.sleep(0)  # the loop learns what came while it did not run, such as the end of the connection
        if driver is None or driver.is_closed():
            if self._in_transaction:
                raise StorageUnavailable("PostgreSQL ended the connection in a transaction")
            driver = self._driver = await self._connect()
        return driver

    async def _command(self, sql: str) -> None:
        await (await self._ready()).execute(sql)

    async def _fetch(self, sql: str, parameters: Row) -> Sequence[Any]:
        rows: Sequence[Any] = await (await self._ready()).fetch(sql, *parameters)
        return rows

    async def _execute_many(self, sql: str, rows: Sequence[Row]) -> None:
        await (await self._ready()).executemany(sql, rows)

    async def _insert(self, table: Table, columns: tuple[str, ...], rows: Sequence[Row], conflict: str) -> None:
        driver = await self._ready()
        if conflict:
            await driver.execute(_upsert(table, columns, conflict), *map(list, zip(*rows, strict=True)))
        else:
            await driver.copy_records_to_table(table.name, columns=columns, records=rows)
