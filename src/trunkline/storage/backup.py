"""Copies of SQLite's databases in the data folder: taken while the server runs, put back only when it does not.

Each database is copied as of one moment (SQLite's online backup); the two moments differ by the time of one copy, which replay by
generation id mends.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from trunkline.errors import ConfigError
from trunkline.storage.layout import DATABASES, Database
from trunkline.storage.lock import FolderLock
from trunkline.storage.sqlite import connect
from trunkline.storage.versions import read_state

_PAGES_A_STEP = 2048


def _copy(source: sqlite3.Connection, target: Path) -> None:
    target.unlink(missing_ok=True)
    target.touch(mode=0o600)
    with closing(sqlite3.connect(target, isolation_level=None)) as connection:
        source.backup(connection, pages=_PAGES_A_STEP)
        connection.execute("PRAGMA journal_mode=DELETE")


def back_up(data_dir: Path, target_dir: Path) -> tuple[Path, ...]:
    """Copies both databases into `target_dir` (made when absent) while they may be in use. Returns the files written.

    Raises ConfigError when there is nothing to copy, or `target_dir` already holds a backup.
    """
    files = tuple(database.file(target_dir) for database in DATABASES)
    for database, file in zip(DATABASES, files, strict=True):
        if not database.file(data_dir).is_file():
            raise ConfigError(str(database.file(data_dir)), "there is no database to back up", "a data folder that was served before")
        if file.exists():
            raise ConfigError(str(file), "the file exists, and a backup overwrites nothing", "an empty folder")
    target_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    for database, file in zip(DATABASES, files, strict=True):
        partial = file.with_suffix(".partial")
        with closing(connect(database, data_dir)) as source:
            _copy(source, partial)
        partial.replace(file)
    return files


def _check(database: Database, file: Path) -> None:
    """Raises ConfigError unless `file` is a sound database of ours, of this release or an older one."""
    if not file.is_file():
        raise ConfigError(str(file), "the backup has no such file", "a folder that `trunkline db backup` wrote")
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            sound = connection.execute("PRAGMA quick_check").fetchone()[0] == "ok"
            state = read_state(database, connection)
    except sqlite3.DatabaseError as error:
        raise ConfigError(str(file), f"the backup cannot be read: {error}", "another backup") from error
    if not sound or state not in ("current", "older"):
        raise ConfigError(str(file), "the backup is damaged" if not sound else f"the database is {state}", "another backup")


def restore(source_dir: Path, data_dir: Path) -> None:
    """Replaces both databases in `data_dir`, which is there, by the backup in `source_dir`; the next start upgrades an older schema.

    Raises ConfigError, with nothing changed, when a server or command uses the folder or the backup is not sound.
    """
    for database in DATABASES:
        _check(database, database.file(source_dir))
    lock = FolderLock(data_dir, alone=True)
    try:
        partials = []
        for database in DATABASES:
            partial = database.file(data_dir).with_suffix(".partial")
            with closing(sqlite3.connect(database.file(source_dir))) as source:
                _copy(source, partial)
            partials.append(partial)
        for database, partial in zip(DATABASES, partials, strict=True):
            file = database.file(data_dir)
            for companion in ("-wal", "-shm"):
                file.with_name(file.name + companion).unlink(missing_ok=True)
            partial.replace(file)
    finally:
        lock.release()
