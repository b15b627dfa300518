import asyncio
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from trunkline.errors import ConfigError
from trunkline.settings import Settings
from trunkline.storage.engines import Storage, open_storage
from trunkline.storage.layout import CONTROL, DATABASES, TELEMETRY, Database
from trunkline.storage.lock import one_at_a_time
from trunkline.storage.migrate import upgrade_database
from trunkline.storage.sqlite import connect
from trunkline.storage.versions import bring_up_to_date, create, read_state, upgrade_in_child


def _schema(database: Database, data_dir: Path) -> dict[str, list[tuple[object, ...]]]:
    """What a file says of its tables; the text of a table is another once a column was added to it."""
    questions = {
        "all": "SELECT type, name, tbl_name FROM sqlite_master ORDER BY 1, 2",
        "tables": "SELECT name, ncol, wr, strict FROM pragma_table_list ORDER BY 1",
        "columns": "SELECT m.name, c.* FROM sqlite_master m, pragma_table_xinfo(m.name) c WHERE m.type = 'table' ORDER BY 1, 2",
        "indexes": "SELECT name, sql FROM sqlite_master WHERE type = 'index' ORDER BY 1",
    }
    with closing(sqlite3.connect(database.file(data_dir))) as connection:
        return {name: connection.execute(sql).fetchall() for name, sql in questions.items()}


def _set_version(database: Database, data_dir: Path, version: str) -> None:
    with closing(connect(database, data_dir)) as connection:
        connection.execute(f"UPDATE {database.version_table} SET version_num = ?", (version,))


def _state(database: Database, data_dir: Path) -> str:
    with closing(connect(database, data_dir)) as connection:
        return read_state(database, connection)


@pytest.mark.parametrize("database", DATABASES, ids=lambda database: database.name)
def test_a_fresh_database_equals_what_the_migrations_build(database: Database, tmp_path: Path) -> None:
    created, migrated = tmp_path / "created", tmp_path / "migrated"
    created.mkdir()
    migrated.mkdir()
    create(database, created)
    upgrade_database(database, migrated)
    assert _schema(database, created) == _schema(database, migrated)
    assert len(_schema(database, created)["all"]) > len(database.metadata.tables)
    assert len(_schema(database, created)["columns"]) > 3 * len(database.metadata.tables)
    assert _state(database, migrated) == "current"


def test_creating_twice_changes_nothing(tmp_path: Path) -> None:
    create(CONTROL, tmp_path)
    create(CONTROL, tmp_path)
    assert _state(CONTROL, tmp_path) == "current"


def test_many_first_starts_at_once_all_succeed(tmp_path: Path) -> None:
    for attempt in range(5):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        barrier = threading.Barrier(4)

        def start(folder: Path = folder, barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            bring_up_to_date(folder)

        with ThreadPoolExecutor(4) as threads:
            for result in [threads.submit(start) for _ in range(4)]:
                result.result()


def test_a_start_waits_for_the_start_before_it(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as threads:
        with one_at_a_time(tmp_path):
            started = threads.submit(bring_up_to_date, tmp_path)
            time.sleep(0.05)
            assert list(tmp_path.glob("*.db")) == []
        started.result()
    assert len(list(tmp_path.glob("*.db"))) == len(DATABASES)


def test_the_state_of_a_database(tmp_path: Path) -> None:
    assert _state(CONTROL, tmp_path) == "fresh"
    create(CONTROL, tmp_path)
    assert _state(CONTROL, tmp_path) == "current"
    _set_version(CONTROL, tmp_path, "9999")
    assert _state(CONTROL, tmp_path) == "newer"


def test_an_older_database_is_told_by_its_revision(tmp_path: Path) -> None:
    later = Database(CONTROL.name, CONTROL.metadata, (*CONTROL.revisions, "0999"), CONTROL.version_table, CONTROL.synchronous)
    create(CONTROL, tmp_path)
    assert _state(later, tmp_path) == "older"


def test_a_newer_database_is_refused(settings: Settings, storage: Storage) -> None:
    _set_version(TELEMETRY, settings.data_dir, "9999")
    with pytest.raises(ConfigError, match="newer release") as refused:
        bring_up_to_date(settings.data_dir)
    assert refused.value.where.endswith("telemetry.db")


def test_a_foreign_or_damaged_file_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(CONTROL.file(tmp_path))) as connection:
        connection.execute("CREATE TABLE bookmarks (url)")
    with pytest.raises(ConfigError, match="not one of Trunkline's"):
        bring_up_to_date(tmp_path)
    CONTROL.file(tmp_path).write_bytes(b"garbage" * 1000)
    with pytest.raises(ConfigError, match="cannot be opened"):
        bring_up_to_date(tmp_path)


def test_the_child_upgrades_and_keeps_what_is_there(settings: Settings) -> None:
    asyncio.run(open_storage(settings).close())
    with closing(connect(CONTROL, settings.data_dir)) as connection:
        connection.execute("INSERT INTO settings VALUES ('kept', 'yes')")
        for table in CONTROL.metadata.tables:
            if table != "settings":
                connection.execute(f"DROP TABLE {table}")
        connection.execute("ALTER TABLE settings RENAME TO kept")
        connection.execute(f"DELETE FROM {CONTROL.version_table}")
    upgrade_in_child(settings.data_dir)
    assert _state(CONTROL, settings.data_dir) == "current"
    with closing(connect(CONTROL, settings.data_dir)) as connection:
        assert connection.execute("SELECT value FROM kept").fetchall() == [("yes",)]


def test_a_failing_migration_names_its_reason(tmp_path: Path) -> None:
    create(CONTROL, tmp_path)
    _set_version(CONTROL, tmp_path, "9999")
    with pytest.raises(ConfigError, match=r"could not be upgraded.*9999"):
        upgrade_in_child(tmp_path)


def test_a_usual_start_imports_no_alembic(settings: Settings, storage: Storage) -> None:
    code = f"""
import asyncio, sys
from trunkline import settings
from trunkline.storage.engines import open_storage
asyncio.run(open_storage(settings.load({{"data_dir": {str(settings.data_dir)!r}}}, {{}})).close())
sys.exit("alembic" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
