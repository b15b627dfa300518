import asyncio
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from postgres_server import PostgresServer
from sqlalchemy import text

from trunkline.errors import ConfigError, StorageUnavailable
from trunkline.storage import versions
from trunkline.storage.availability import reporting_outages
from trunkline.storage.layout import CONTROL, DATABASES, Database
from trunkline.storage.migrate import upgrade_url
from trunkline.storage.postgres.databases import Databases, read_state

Make = Callable[..., str]
SHAPE = """
SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns
WHERE table_schema = ? AND table_name <> ? ORDER BY 1, 2
"""
INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = ? AND tablename <> ? ORDER BY 1"


def _change(url: str, sql: str) -> None:
    with closing(Databases(url).connect(CONTROL, durable=True)) as connection:
        connection.execute(sql)


def _states(url: str) -> set[str]:
    with closing(Databases(url).connect(CONTROL, durable=True)) as connection:
        return {read_state(database, connection) for database in DATABASES}


def _shape(url: str, database: Database) -> list[list[tuple[object, ...]]]:
    with closing(Databases(url).connect(database, durable=True)) as connection:
        return [connection.execute(sql, (database.name, database.version_table)).fetchall() for sql in (SHAPE, INDEXES)]


def test_a_fresh_database_gets_both_schemas_once_whoever_else_starts(new_database: Make) -> None:
    url = new_database(empty=True)
    assert _states(url) == {"fresh"}
    with ThreadPoolExecutor(3) as threads:
        for started in [threads.submit(Databases(url).bring_up_to_date) for _ in range(3)]:
            started.result()
    assert _states(url) == {"current"}


def test_what_is_created_equals_what_the_migrations_build(new_database: Make) -> None:
    created, migrated = new_database(), new_database(empty=True)
    asyncio.run(upgrade_url(migrated))
    assert _states(migrated) == {"current"}
    for database in DATABASES:
        assert _shape(created, database) == _shape(migrated, database)
        assert _shape(created, database)[0]


def test_an_older_one_is_upgraded_by_a_child_that_no_list_of_processes_betrays(new_database: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    url = new_database()
    _change(url, "UPDATE control.control_version SET version_num = '0000'")
    monkeypatch.setattr(CONTROL.__class__, "head", "0001")
    calls: list[tuple[object, ...]] = []
    names = Databases.bring_up_to_date.__globals__
    monkeypatch.setitem(names, "judge", lambda *_: "older")
    monkeypatch.setitem(names, "upgrade_in_child", lambda *words, where: calls.append((*words, where)))
    Databases(url).bring_up_to_date()
    assert calls == [("-", url, "TRUNKLINE_DATABASE_URL")]


def test_the_child_upgrades(new_database: Make) -> None:
    url = new_database(empty=True)
    versions.upgrade_in_child("-", url, where="TRUNKLINE_DATABASE_URL")
    assert _states(url) == {"current"}


def test_a_failing_child_names_its_reason_and_not_the_url(new_database: Make) -> None:
    url = new_database()
    _change(url, "UPDATE control.control_version SET version_num = 'gone'")
    with pytest.raises(ConfigError, match="gone") as raised:
        versions.upgrade_in_child("-", url, where="TRUNKLINE_DATABASE_URL")
    assert url not in str(raised.value)


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("UPDATE control.control_version SET version_num = '9999'", "newer release"),
        ("DROP TABLE control.control_version", "not one of Trunkline's"),
    ],
)
def test_a_newer_or_foreign_schema_is_refused(new_database: Make, sql: str, reason: str) -> None:
    url = new_database()
    _change(url, sql)
    with pytest.raises(ConfigError, match=reason) as raised:
        Databases(url).bring_up_to_date()
    assert "schema control" in raised.value.where


def test_a_user_without_rights_ends_the_start_with_the_reason(postgres: PostgresServer, new_database: Make) -> None:
    url = new_database(empty=True)
    postgres.command("CREATE ROLE weak LOGIN")
    with pytest.raises(ConfigError, match="permission denied") as raised:
        Databases(url.replace("trunkline@", "weak@")).bring_up_to_date()
    assert raised.value.where == "TRUNKLINE_DATABASE_URL"
    assert _states(url) == {"fresh"}


def test_a_pooled_engine_outlives_a_restart_of_the_server(postgres: PostgresServer, new_database: Make) -> None:
    engine = Databases(new_database()).async_engine(CONTROL)

    async def ask() -> int:
        with reporting_outages():
            async with engine.connect() as connection:
                return (await connection.execute(text("SELECT count(*) FROM settings"))).scalar_one()

    async def scenario() -> list[int]:
        answers = [await ask()]
        postgres.stop()
        with pytest.raises(StorageUnavailable):
            await ask()
        postgres.start()
        answers.append(await ask())
        await engine.dispose()
        return answers

    assert asyncio.run(scenario()) == [0, 0]


def test_a_server_that_goes_while_it_answers_is_an_outage(postgres: PostgresServer, new_database: Make) -> None:
    engine = Databases(new_database()).async_engine(CONTROL, pooled=False)

    async def scenario() -> None:
        with pytest.raises(StorageUnavailable), reporting_outages():
            async with engine.connect() as connection:
                await connection.execute(text("SELECT 1"))
                postgres.stop()
                postgres.start()
                await connection.execute(text("SELECT 1"))
        await engine.dispose()

    asyncio.run(scenario())


def test_a_usual_start_imports_no_alembic(new_database: Make) -> None:
    program = f"""
import sys
from trunkline.storage.engines import databases_at
databases_at({new_database()!r}).bring_up_to_date()
print("alembic" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "False\n"
