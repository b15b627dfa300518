"""What state a database is in, and how a start brings it to this release: create, accept, upgrade or refuse.

Each database says it in two small reads. A fresh database is created from the metadata and stamped, so that the usual start imports no
Alembic; an older one is upgraded by `trunkline.storage.migrate` in a child process.
"""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Collection
from contextlib import closing
from pathlib import Path
from typing import Literal

from sqlalchemy import Column, MetaData, PrimaryKeyConstraint, String, Table

from trunkline.errors import ConfigError
from trunkline.storage.layout import DATABASES, Database
from trunkline.storage.lock import one_at_a_time
from trunkline.storage.sqlite import WRITING, connect, sync_engine

State = Literal["fresh", "current", "older", "newer", "foreign"]
_CHILD_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV", "SYSTEMROOT")
MIGRATION_SECONDS = 3600


def stamped(database: Database) -> Table:
    """Alembic's version table under the name it has in this database, exactly as Alembic makes it."""
    name = database.version_table
    return Table(
        name, MetaData(), Column("version_num", String(32), nullable=False), PrimaryKeyConstraint("version_num", name=f"{name}_pkc")
    )


def read_state(database: Database, connection: sqlite3.Connection) -> State:
    """Which of the five states the open database is in."""
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    if database.version_table not in tables:
        return judge(database, tables, None)
    row = connection.execute(f"SELECT version_num FROM {database.version_table}").fetchone()  # noqa: S608 a constant of ours
    return judge(database, tables, row[0] if row else "")


def judge(database: Database, tables: Collection[str], version: str | None) -> State:
    """The state that these tables and the stamped version (None = never stamped) tell."""
    if version is None:
        return "foreign" if tables else "fresh"
    if version == database.head:
        return "current"
    return "older" if version in database.revisions else "newer"


def create(database: Database, data_dir: Path) -> None:
    """Creates all tables from the metadata and stamps the newest revision, unless that has been done."""
    engine = sync_engine(database, data_dir)
    table = stamped(database)
    try:
        with engine.connect().execution_options(**WRITING) as connection, connection.begin():
            if engine.dialect.has_table(connection, database.version_table):
                return
            database.metadata.create_all(connection)
            table.create(connection)
            connection.execute(table.insert().values(version_num=database.head))
    finally:
        engine.dispose()


def upgrade_in_child(place: str, words: str = "", *, where: str = "") -> None:
    """Runs `trunkline.storage.migrate` on `place` in a child process, with `words` as its standard input.

    Raises ConfigError, about `where` (default: `place`), with the child's last words when the migrations fail.
    """
    environment = {name: os.environ[name] for name in _CHILD_VARIABLES if name in os.environ}
    command = [sys.executable, "-m", "trunkline.storage.migrate", place]
    result = subprocess.run(command, env=environment, input=words, capture_output=True, text=True, timeout=MIGRATION_SECONDS, check=False)
    if result.returncode:
        last = result.stderr.strip().splitlines()
        reason = last[-1] if last else "no reason was given"
        raise ConfigError(where or place, f"the database could not be upgraded: {reason}", "restore a backup")


def refuse(state: State, where: str, elsewhere: str) -> None:
    """Raises ConfigError for a database that this release must not touch. `elsewhere` is what to use instead of a foreign one."""
    if state == "newer":
        problem = "the database was written by a newer release of Trunkline"
        raise ConfigError(where, problem, "run that release, or restore an older backup")
    if state == "foreign":
        raise ConfigError(where, "there is a database, but not one of Trunkline's", elsewhere)


def _bring_one_up(database: Database, data_dir: Path) -> State:
    """Creates the database if it is fresh; returns the state it was in."""
    file = database.file(data_dir)
    try:
        with closing(connect(database, data_dir)) as connection:
            state = read_state(database, connection)
    except sqlite3.DatabaseError as error:
        problem = f"the database cannot be opened: {error}"
        raise ConfigError(str(file), problem, "restore a backup, or choose another data folder") from error
    refuse(state, str(file), "choose another data folder with --data-dir")
    if state == "fresh":
        create(database, data_dir)
    return state


def bring_up_to_date(data_dir: Path) -> None:
    """Leaves both databases in this release's form. Raises ConfigError for one that is newer, foreign, damaged or cannot be opened."""
    with one_at_a_time(data_dir):
        states = [_bring_one_up(database, data_dir) for database in DATABASES]
        if "older" in states:
            upgrade_in_child(str(data_dir))
