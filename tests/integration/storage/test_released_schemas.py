"""What any release has written is upgraded by the next one, on both engines: no row is lost, and the schema is that of a fresh database."""

import asyncio
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Literal, TypeVar

import asyncpg
import pytest
from released_schemas import ENGINES, GRANT, HASHES, NOW, RECORDS, SERVED, TODAY, WORKER, dump_file, missing
from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine.interfaces import ReflectedIndex
from sqlalchemy.ext.asyncio import AsyncEngine

import trunkline
from trunkline import settings as settings_room
from trunkline.accounts.keys import Keys
from trunkline.accounts.leases_store import newest_revision
from trunkline.accounts.ledger_store import Spending, credits_totals
from trunkline.analytics import histogram
from trunkline.analytics.endpoint_windows import Window
from trunkline.analytics.store import find_generation, weekly_tokens, weekly_traffic
from trunkline.errors import ConfigError
from trunkline.protocol.traffic import Use
from trunkline.settings import Settings
from trunkline.storage.engines import Storage, open_storage
from trunkline.storage.layout import CONTROL, DATABASES, TELEMETRY, Database
from trunkline.storage.schema.telemetry import endpoint_day

T = TypeVar("T")
Check = Literal["full", "none"]
DOLLAR = 10**12
NEXT = "9999"
COLUMNS = {CONTROL.name: "api_keys", TELEMETRY.name: "generations"}
"""The tables that the next release's revision gives a column."""
STORED = [(database, revision) for database in DATABASES for revision in database.revisions]
START = """
import asyncio, os
from trunkline import settings
from trunkline.storage.engines import open_storage
asyncio.run(open_storage(settings.load({}, os.environ)).close())
"""


@pytest.fixture(params=ENGINES)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings for an empty place on each engine in turn."""
    return _settings(tmp_path / "data", "" if request.param == "sqlite" else request.getfixturevalue("new_database")(empty=True))


@pytest.fixture
def fresh(empty: Settings, tmp_path: Path, request: pytest.FixtureRequest) -> Settings:
    """Settings for another such place."""
    return _settings(tmp_path / "fresh", request.getfixturevalue("new_database")(empty=True) if empty.database_url else "")


def _settings(data_dir: Path, url: str) -> Settings:
    return settings_room.load({"data_dir": str(data_dir)}, {"TRUNKLINE_DATABASE_URL": url})


def _load(settings: Settings, database: Database, revision: str) -> None:
    """Puts a stored dump into an empty place."""
    if settings.database_url:
        asyncio.run(_load_postgres(settings.database_url, dump_file(database, revision, "postgres").read_text(encoding="utf-8")))
        return
    settings.data_dir.mkdir(exist_ok=True)
    with closing(sqlite3.connect(database.file(settings.data_dir))) as connection:
        connection.executescript(dump_file(database, revision, "sqlite").read_text(encoding="utf-8"))


async def _load_postgres(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(sql)
    await connection.close()


def _days(connection: Connection) -> set[str]:
    """The partitions of days, which depend on when the rows came; the default one is every database's."""
    if connection.dialect.name == "sqlite":
        return set()
    names = connection.execute(text("SELECT relname FROM pg_class WHERE relispartition AND pg_get_expr(relpartbound, oid) <> 'DEFAULT'"))
    return set(names.scalars())


def _shape(connection: Connection) -> dict[str, object]:
    """All that a schema says, whatever the order of its columns and the days it has rows of."""
    inspector = inspect(connection)
    days = _days(connection)
    shape: dict[str, object] = {
        table: (
            sorted((column["name"], str(column["type"]), column["nullable"], column["default"]) for column in inspector.get_columns(table)),
            inspector.get_pk_constraint(table),
            sorted((index["name"] or "", index["column_names"], _options(index)) for index in inspector.get_indexes(table)),
        )
        for table in inspector.get_table_names()
        if table not in days
    }
    if connection.dialect.name == "sqlite":
        shape["without rowid"] = sorted((row.name, row.wr) for row in connection.execute(text("PRAGMA table_list")))
    else:
        divided = connection.execute(text("SELECT partrelid::regclass::text, pg_get_partkeydef(partrelid) FROM pg_partitioned_table"))
        shape["divided"] = [tuple(row) for row in divided]
    return shape


def _options(index: ReflectedIndex) -> dict[str, str]:
    """What an index is beside its columns, such as its WHERE."""
    return {"unique": str(index["unique"])} | {name: str(value) for name, value in index.get("dialect_options", {}).items()}


def _ask(settings: Settings, question: Callable[[Storage], Awaitable[T]], *, check: Check = "full") -> T:
    """The answer of an opened Storage, which is closed again in the same event loop."""

    async def ask() -> T:
        storage = open_storage(settings, check=check)
        try:
            return await question(storage)
        finally:
            await storage.close()

    return asyncio.run(ask())


def _engine(storage: Storage, database: Database) -> AsyncEngine:
    return {CONTROL.name: storage.control, TELEMETRY.name: storage.telemetry}[database.name]


def _schema(settings: Settings, database: Database, *, check: Check = "full") -> dict[str, object]:
    async def ask(storage: Storage) -> dict[str, object]:
        async with storage.reading(_engine(storage, database)) as connection:
            return await connection.run_sync(_shape)

    return _ask(settings, ask, check=check)


def _later(settings: Settings, database: Database) -> tuple[list[str], list[str]]:
    """What the next release's revision wrote: the values of its column, and the version."""

    async def ask(storage: Storage) -> tuple[list[str], list[str]]:
        async with storage.reading(_engine(storage, database)) as connection:
            values = await connection.execute(text(f"SELECT DISTINCT later FROM {COLUMNS[database.name]}"))
            version = await connection.execute(text(f"SELECT version_num FROM {database.version_table}"))
            return list(values.scalars()), list(version.scalars())

    return _ask(settings, ask, check="none")


async def _check_control(storage: Storage) -> None:
    keys = {key.record.name: key for key in await Keys(storage, clock=lambda: NOW).newest(workspace_id=None, include_disabled=True)}
    assert {name: key.record.hash for name, key in keys.items()} == HASHES
    assert [name for name, key in keys.items() if key.record.disabled] == ["disabled"]
    limited, free = keys["limited"], keys["free"]
    assert limited.spending.own == Spending(total=6 * DOLLAR, daily=3 * DOLLAR, weekly=3 * DOLLAR, monthly=3 * DOLLAR)
    assert (limited.limit_remaining, limited.record.last_used_ms) == (17 * DOLLAR, NOW)
    assert (free.spending.own.total, free.spending.byok.total) == (0, DOLLAR // 1000)
    async with storage.reading(storage.control) as connection:
        assert await credits_totals(connection) == (GRANT, 6 * DOLLAR)
    with closing(storage.connect_control()) as raw:
        assert newest_revision(raw) == 4
        held = "SELECT remaining FROM leases WHERE worker_id = ? AND key_hash = ?"
        assert raw.execute(held, (WORKER, HASHES["limited"])).fetchone()[0] > DOLLAR
        assert raw.execute("SELECT value FROM settings").fetchall() == [("a value",)]


async def _check_telemetry(storage: Storage) -> None:
    async with storage.reading(storage.telemetry) as connection:
        assert await weekly_tokens(connection, today=TODAY) == {"acme/echo-1": 2040, "acme/echo-2": 1000}
        tasks = (await weekly_traffic(connection, today=TODAY)).tasks
        assert tasks in ({}, {"general:math": {"acme/echo-1": Use(2, 90, 30, 10, 700)}})  # none before revision 0005
    with closing(storage.connect_telemetry()) as raw:
        assert [find_generation(raw, record.id) for record in RECORDS] == list(RECORDS)
        assert raw.execute("SELECT sum(requests) FROM key_day").fetchone()[0] == len(RECORDS)
        assert raw.execute("SELECT title, cost FROM app_day").fetchall() == [(RECORDS[0].app_title, 3 * DOLLAR)]
        window = Window(endpoint_day, 1)
        window.read(raw, TODAY)
        assert window.endpoints() in ((), (SERVED.endpoint_id,))  # none in what was released before revision 0003
        for endpoint_id in window.endpoints():
            slot = window.newest(endpoint_id, 1)
            assert histogram.total(slot.latency) == 1
            assert (slot.structured_requests, slot.structured_failures) in ((0, 0), (1, 1))  # none before revision 0004


CHECKS = {CONTROL.name: _check_control, TELEMETRY.name: _check_telemetry}


def _next_release(folder: Path) -> Path:
    """A copy of Trunkline with one more revision of each database; returns what PYTHONPATH must say to run it."""
    package = folder / "trunkline"
    shutil.copytree(Path(trunkline.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    for database in DATABASES:
        table = COLUMNS[database.name]
        with (package / "storage" / "schema" / f"{database.name}.py").open("a", encoding="utf-8") as schema:
            schema.write(f'\nREVISIONS = (*REVISIONS, "{NEXT}")\n{table}.append_column(Column("later", Text))\n')
        (package / "storage" / "migrations" / database.name / f"r{NEXT}.py").write_text(
            "from alembic import op\nfrom sqlalchemy import Column, Text\n\n"
            f'revision = "{NEXT}"\ndown_revision = "{database.head}"\n\n\n'
            f'def upgrade() -> None:\n    op.add_column("{table}", Column("later", Text))\n'
            f"""    op.execute("UPDATE {table} SET later = 'since {NEXT}'")\n""",
            encoding="utf-8",
        )
    return folder


def _start(release: Path, settings: Settings) -> None:
    """Opens and closes the storage as another release does it."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(release),
        "TRUNKLINE_DATA_DIR": str(settings.data_dir),
        "TRUNKLINE_DATABASE_URL": settings.database_url,
    }
    done = subprocess.run([sys.executable, "-c", START], env=environment, cwd=release, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


def test_every_released_revision_has_a_dump_of_each_engine() -> None:
    assert not missing(DATABASES), "run tests/support/released_schemas.py before the release"


def test_a_revision_without_a_dump_is_found() -> None:
    later = Database(CONTROL.name, CONTROL.metadata, (*CONTROL.revisions, NEXT), CONTROL.version_table, CONTROL.synchronous)
    assert missing([later, TELEMETRY]) == [dump_file(CONTROL, NEXT, engine) for engine in ENGINES]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("database", DATABASES, ids=lambda database: database.name)
def test_the_newest_dump_has_rows_in_every_table(database: Database, engine: str) -> None:
    sql = dump_file(database, database.head, engine).read_text(encoding="utf-8")
    filled = set(re.findall(r'^INSERT INTO (?:\w+\.)?"?(\w+)"? VALUES', sql, re.MULTILINE))
    assert filled == {*database.metadata.tables, database.version_table}


@pytest.mark.parametrize(("database", "revision"), STORED, ids=[f"{database.name}-r{revision}" for database, revision in STORED])
def test_a_released_schema_is_upgraded_with_its_rows(database: Database, revision: str, empty: Settings, fresh: Settings) -> None:
    _load(empty, database, revision)
    _ask(empty, CHECKS[database.name])
    upgraded = _schema(empty, database)
    assert upgraded == _schema(fresh, database)
    assert upgraded.keys() >= {*database.metadata.tables, database.version_table}


def test_the_next_release_migrates_what_this_one_wrote(empty: Settings, fresh: Settings, tmp_path: Path) -> None:
    release = _next_release(tmp_path / "release")
    for database in DATABASES:
        _load(empty, database, database.head)
    _start(release, empty)
    _start(release, fresh)

    for database in DATABASES:
        assert _schema(empty, database, check="none") == _schema(fresh, database, check="none")
        assert _later(empty, database) == ([f"since {NEXT}"], [NEXT])
        _ask(empty, CHECKS[database.name], check="none")
    with pytest.raises(ConfigError, match="newer release"):
        open_storage(empty)
