import asyncio
import re
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import text
from sqlite_threads import ended_threads

from trunkline import settings as settings_room
from trunkline.errors import ConfigError, StorageUnavailable
from trunkline.settings import Settings
from trunkline.storage.engines import Files, Storage, databases_of, open_storage
from trunkline.storage.layout import CONTROL, DATABASES


def test_a_first_start_makes_a_private_folder_and_both_databases(settings: Settings, storage: Storage) -> None:
    assert stat.S_IMODE(settings.data_dir.stat().st_mode) == 0o700
    assert {database.file(settings.data_dir).is_file() for database in DATABASES} == {True}


def test_each_process_start_has_its_own_worker_id(settings: Settings) -> None:
    first, second = open_storage(settings), open_storage(settings)
    assert first.worker_id != second.worker_id
    asyncio.run(first.close())
    asyncio.run(second.close())


@pytest.mark.parametrize(("durable", "level"), [(True, 2), (False, 1)])
def test_control_commits_reach_the_disk_unless_leases_ask_otherwise(storage: Storage, durable: bool, level: int) -> None:
    with closing(storage.connect_control(durable=durable)) as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (level,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_telemetry_commits_do_not_wait_for_the_disk(storage: Storage) -> None:
    with closing(storage.connect_telemetry()) as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (1,)


def test_a_write_transaction_rolls_back_on_an_error(storage: Storage) -> None:
    async def scenario() -> int:
        with pytest.raises(KeyError):
            async with storage.writing(storage.control) as connection:
                await connection.execute(text("INSERT INTO settings VALUES ('a', '1')"))
                raise KeyError
        async with storage.reading(storage.control) as connection:
            return (await connection.execute(text("SELECT count(*) FROM settings"))).scalar_one()

    assert asyncio.run(scenario()) == 0


def test_writers_that_read_first_wait_for_each_other_instead_of_failing(storage: Storage) -> None:
    async def add_one() -> None:
        async with storage.writing(storage.control) as connection:
            value = (await connection.execute(text("SELECT value FROM settings WHERE name = 'n'"))).scalar_one()
            await asyncio.sleep(0)
            await connection.execute(text("UPDATE settings SET value = :value WHERE name = 'n'"), {"value": str(int(value) + 1)})

    async def scenario() -> str:
        async with storage.writing(storage.control) as connection:
            await connection.execute(text("INSERT INTO settings VALUES ('n', '0')"))
        await asyncio.gather(*(add_one() for _ in range(20)))
        async with storage.reading(storage.control) as connection:
            return (await connection.execute(text("SELECT value FROM settings"))).scalar_one()

    assert asyncio.run(scenario()) == "20"


def test_a_database_that_does_not_answer_is_reported_as_such(storage: Storage, settings: Settings) -> None:
    async def scenario() -> None:
        async with ended_threads():
            with pytest.raises(StorageUnavailable):
                async with storage.reading(storage.control) as connection:
                    await connection.execute(text("SELECT * FROM settings"))

    CONTROL.file(settings.data_dir).unlink()
    CONTROL.file(settings.data_dir).mkdir()
    asyncio.run(scenario())
    with pytest.raises(StorageUnavailable):
        storage.connect_control()


@pytest.mark.parametrize("url", ["mysql://u:secret@db", "mssql", "sqlite:////tmp/other.db"])
def test_other_databases_are_refused_without_showing_the_url(tmp_path: Path, url: str) -> None:
    settings = settings_room.load({"data_dir": str(tmp_path)}, {"TRUNKLINE_DATABASE_URL": url})
    with pytest.raises(ConfigError) as refused:
        open_storage(settings)
    assert refused.value.where == "TRUNKLINE_DATABASE_URL"
    assert "secret" not in str(refused.value)


def test_a_postgresql_that_does_not_answer_ends_the_start_without_showing_the_url(tmp_path: Path) -> None:
    url = f"postgresql://u:secret@/x?host={tmp_path}"
    with pytest.raises(ConfigError, match="cannot be opened") as refused:
        open_storage(settings_room.load({"data_dir": str(tmp_path)}, {"TRUNKLINE_DATABASE_URL": url}))
    assert refused.value.where == "TRUNKLINE_DATABASE_URL"
    assert "secret" not in str(refused.value)


def test_without_its_driver_postgresql_tells_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("trunkline.storage.postgres")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    with pytest.raises(ConfigError, match=re.escape("trunkline[postgres]")):
        open_storage(settings_room.load({"data_dir": str(tmp_path)}, {"TRUNKLINE_DATABASE_URL": "postgresql://db/x"}))


def test_sqlite_loads_nothing_of_postgresql(tmp_path: Path) -> None:
    program = f"""
import asyncio, sys
from trunkline import settings
from trunkline.storage.engines import open_storage
asyncio.run(open_storage(settings.load({{"data_dir": {str(tmp_path)!r}}}, {{}})).close())
print([name for name in sys.modules if "asyncpg" in name or "postgres" in name])
"""
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_sqlite_by_name_is_the_default(tmp_path: Path) -> None:
    settings = settings_room.load({"data_dir": str(tmp_path)}, {"TRUNKLINE_DATABASE_URL": "sqlite://"})
    asyncio.run(open_storage(settings).close())


def test_a_folder_that_cannot_be_made_is_a_config_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings = settings_room.load({"data_dir": str(tmp_path / "file" / "data")}, {})
    with pytest.raises(ConfigError, match="data folder cannot be used"):
        open_storage(settings)


def test_a_failed_start_leaves_no_lock(settings: Settings) -> None:
    settings.data_dir.mkdir()
    with closing(sqlite3.connect(CONTROL.file(settings.data_dir))) as connection:
        connection.execute("CREATE TABLE other (x)")
    with pytest.raises(ConfigError):
        open_storage(settings)
    CONTROL.file(settings.data_dir).unlink()
    asyncio.run(open_storage(settings).close())


def test_the_databases_are_those_of_the_settings(settings: Settings, tmp_path: Path) -> None:
    databases = databases_of(settings)
    assert isinstance(databases, Files)
    databases.restore(_copied(settings, tmp_path / "copy"))
    with pytest.raises(ConfigError, match="TRUNKLINE_DATA_DIR"):
        databases_of(replace(settings, database_url="sqlite:///elsewhere.db"))


def _copied(settings: Settings, folder: Path) -> Path:
    asyncio.run(open_storage(settings).close())
    assert databases_of(settings).back_up(folder) == tuple(database.file(folder) for database in DATABASES)
    return folder


def test_a_task_is_claimed_by_one_process_at_a_time(both_storage: Storage) -> None:
    with both_storage.alone("a task") as first, both_storage.alone("a task") as second, both_storage.alone("another") as other:
        assert (first, second, other) == (True, False, True)
    with both_storage.alone("a task") as again:
        assert again
