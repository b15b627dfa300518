import asyncio
from contextlib import closing
from pathlib import Path

import pytest

from trunkline.errors import ConfigError
from trunkline.settings import Settings
from trunkline.storage.backup import back_up, restore
from trunkline.storage.engines import Files, Storage, open_storage
from trunkline.storage.layout import CONTROL, DATABASES
from trunkline.storage.sqlite import connect


def _write(settings: Settings, value: str) -> None:
    with closing(connect(CONTROL, settings.data_dir)) as connection:
        connection.execute("INSERT INTO settings VALUES ('n', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (value,))


def _read(settings: Settings) -> str:
    with closing(connect(CONTROL, settings.data_dir)) as connection:
        return connection.execute("SELECT value FROM settings").fetchone()[0]


def test_a_backup_of_a_running_server_comes_back(settings: Settings, tmp_path: Path) -> None:
    storage = open_storage(settings)
    _write(settings, "before")
    files = back_up(settings.data_dir, tmp_path / "copy")
    assert [file.stat().st_mode & 0o777 for file in files] == [0o600] * len(DATABASES)
    _write(settings, "after")
    asyncio.run(storage.close())
    restore(tmp_path / "copy", settings.data_dir)
    assert _read(settings) == "before"
    asyncio.run(open_storage(settings).close())


def test_restoring_into_an_empty_folder_makes_it_usable(settings: Settings, storage: Storage, tmp_path: Path) -> None:
    _write(settings, "moved")
    back_up(settings.data_dir, tmp_path / "copy")
    other = tmp_path / "other"
    Files(other).restore(tmp_path / "copy")
    assert sorted(file.name for file in other.glob("*.db")) == ["control.db", "telemetry.db"]


def test_a_restore_is_refused_while_the_folder_is_open(settings: Settings, storage: Storage, tmp_path: Path) -> None:
    back_up(settings.data_dir, tmp_path / "copy")
    _write(settings, "mine")
    with pytest.raises(ConfigError, match="in use"):
        restore(tmp_path / "copy", settings.data_dir)
    assert _read(settings) == "mine"


def test_a_damaged_or_missing_backup_changes_nothing(settings: Settings, tmp_path: Path) -> None:
    asyncio.run(open_storage(settings).close())
    _write(settings, "mine")
    back_up(settings.data_dir, tmp_path / "copy")
    CONTROL.file(tmp_path / "copy").write_bytes(b"garbage" * 1000)
    with pytest.raises(ConfigError, match="cannot be read"):
        restore(tmp_path / "copy", settings.data_dir)
    with pytest.raises(ConfigError, match="no such file"):
        restore(tmp_path / "nowhere", settings.data_dir)
    assert _read(settings) == "mine"


def test_a_backup_overwrites_nothing_and_needs_a_database(settings: Settings, storage: Storage, tmp_path: Path) -> None:
    back_up(settings.data_dir, tmp_path / "copy")
    with pytest.raises(ConfigError, match="overwrites nothing"):
        back_up(settings.data_dir, tmp_path / "copy")
    with pytest.raises(ConfigError, match="no database to back up"):
        back_up(tmp_path / "empty", tmp_path / "more")
