"""Both databases as schemas of one PostgreSQL database: engines, connections, and how a start brings them to this release."""

import asyncio
import time
import zlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import asyncpg
from sqlalchemy import Connection as EngineConnection
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from trunkline.errors import ConfigError, StorageUnavailable
from trunkline.storage.layout import DATABASES, TELEMETRY, Database
from trunkline.storage.postgres import archive
from trunkline.storage.postgres.connection import Connection
from trunkline.storage.postgres.driver import APPLICATION, COMMAND_SECONDS, connect
from trunkline.storage.postgres.programs import Programs
from trunkline.storage.versions import MIGRATION_SECONDS, State, judge, refuse, stamped, upgrade_in_child

VARIABLE: Final = "TRUNKLINE_DATABASE_URL"
_POOL: Final = {"pool_size": 2, "max_overflow": 6, "pool_timeout": 5.0}
"""Few connections rest and few more are made, for each worker has two engines and PostgreSQL takes a hundred connections in all."""
_OTHERS: Final = f"""
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = '{APPLICATION}' AND pid <> pg_backend_pid()
"""  # noqa: S608 - a constant of ours
LEAVE_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 0.1
_TABLES: Final = "SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = ?"


def _lock_number(name: str) -> int:
    """The number of an advisory lock of ours."""
    return zlib.crc32(f"trunkline {name}".encode())


class Databases:
    """A `storage.connection.Databases`. `url` is a URL that asyncpg takes, `postgresql://user@host/name?...`; it may hold a password.

    Each command of an engine may take `patience` seconds.
    """

    writing: Mapping[str, Any] = {"isolation_level": "READ COMMITTED", "trunkline_alone": True}

    def __init__(self, url: str, *, patience: float = COMMAND_SECONDS) -> None:
        self._url = url
        self._patience = patience

    def async_engine(self, database: Database, *, pooled: bool = True) -> AsyncEngine:
        """An engine for the event loop; unpooled, each of its connections may belong to another loop."""

        async def connect_driver() -> object:
            return await connect(self._url, database.name, patience=self._patience)

        pool: dict[str, Any] = dict(_POOL) if pooled else {"poolclass": NullPool}
        engine = create_async_engine("postgresql+asyncpg://", async_creator=connect_driver, isolation_level="REPEATABLE READ", **pool)
        lock = f"SELECT pg_advisory_xact_lock({_lock_number(database.name)})"

        def on_begin(connection: EngineConnection) -> None:
            if connection.get_execution_options().get("trunkline_alone"):
                connection.exec_driver_sql(lock)

        event.listen(engine.sync_engine, "begin", on_begin)
        event.listen(engine.sync_engine, "checkout", _refuse_closed)
        return engine

    def connect(self, database: Database, *, durable: bool, patience: float = COMMAND_SECONDS) -> Connection:
        """A connection that is made when first used; each command may take `patience` seconds."""
        return Connection(lambda: connect(self._url, database.name, durable=durable, patience=patience))

    @contextmanager
    def alone(self, task: str) -> Iterator[bool]:
        """Claims a task by an advisory lock, which the end of its connection gives back. Raises StorageUnavailable."""
        with closing(self.connect(TELEMETRY, durable=False)) as connection:
            yield connection.execute("SELECT pg_try_advisory_lock(?)", (_lock_number(task),)).fetchone() == (True,)

    def back_up(self, target_dir: Path) -> tuple[Path, ...]:
        """Has pg_dump write both schemas, as of one moment, into one file."""
        with _telling(), closing(self.connect(TELEMETRY, durable=True)) as connection:
            for database in DATABASES:
                if read_state(database, connection) in ("fresh", "foreign"):
                    where = f"{VARIABLE}, schema {database.name}"
                    raise ConfigError(where, "there is no database to back up", "a database that was served before")
        return (archive.back_up(Programs(self._url), target_dir),)

    def restore(self, source_dir: Path) -> None:
        """Has pg_restore and psql replace both schemas in one transaction; starts wait until it is done."""
        programs = Programs(self._url)
        archive.check(programs, source_dir)
        with _telling(), self._starting() as connection:
            _wait_alone(connection)
            archive.restore(programs, source_dir)

    def bring_up_to_date(self) -> None:
        """Creates, upgrades or refuses the schemas; one process at a time. Raises ConfigError."""
        with ThreadPoolExecutor(1) as thread, _telling():  # the caller's thread may be running an event loop
            thread.submit(self._bring_up).result()

    @contextmanager
    def _starting(self) -> Iterator[Connection]:
        """A connection whose owner alone creates, upgrades or replaces the schemas."""
        with closing(self.connect(TELEMETRY, durable=True, patience=MIGRATION_SECONDS)) as connection:
            connection.execute("SELECT pg_advisory_lock(?)", (_lock_number("start"),))
            yield connection

    def _bring_up(self) -> None:
        with self._starting() as connection:
            states = {database: read_state(database, connection) for database in DATABASES}
            for database, state in states.items():
                refuse(state, f"{VARIABLE}, schema {database.name}", "another database")
            for database in [database for database, state in states.items() if state == "fresh"]:
                asyncio.run(self._create(database))
            if "older" in states.values():
                upgrade_in_child("-", self._url, where=VARIABLE)

    async def _create(self, database: Database) -> None:
        """Creates all tables from the metadata and stamps the newest revision, in one transaction."""
        table = stamped(database)
        engine = self.async_engine(database, pooled=False)
        async with engine.execution_options(**self.writing).begin() as connection:
            await connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {database.name}")
            await connection.run_sync(database.metadata.create_all)
            await connection.run_sync(table.create)
            await connection.execute(table.insert().values(version_num=database.head))
        await engine.dispose()


def _wait_alone(connection: Connection) -> None:
    """Raises ConfigError unless all other connections of ours end soon, as those of a server do that was stopped just now."""
    deadline = time.monotonic() + LEAVE_SECONDS
    while connection.execute(_OTHERS).fetchone() != (0,):
        if time.monotonic() > deadline:
            raise ConfigError(VARIABLE, "the database is in use by a running server or command", "stop it, and try again")
        time.sleep(_LOOK_SECONDS)


@contextmanager
def _telling() -> Iterator[None]:
    """What the database says, as ConfigError."""
    try:
        yield
    except StorageUnavailable as error:
        raise ConfigError(VARIABLE, f"the database cannot be opened: {error}", "the URL of a database that answers") from error
    except (asyncpg.PostgresError, DBAPIError) as error:
        reason = error.orig if isinstance(error, DBAPIError) else error
        raise ConfigError(VARIABLE, f"the database cannot be used: {reason}", "a user who may create schemas in it") from error


def read_state(database: Database, connection: Connection) -> State:
    """Which of the five states the schema is in."""
    tables = {name for (name,) in connection.execute(_TABLES, (database.name,))}
    if database.version_table not in tables:
        return judge(database, tables, None)
    row = connection.execute(f"SELECT version_num FROM {database.name}.{database.version_table}").fetchone()  # noqa: S608 constants of ours
    return judge(database, tables, row[0] if row else "")


def _refuse_closed(connection: Any, _record: object, _proxy: object) -> None:
    """Lets the pool replace a connection that the server has ended, before anyone uses it."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError
