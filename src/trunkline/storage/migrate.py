"""Alembic, and only here: `python -m trunkline.storage.migrate DATA_DIR` brings both databases to the newest revision; with `-` those of
PostgreSQL, whose URL then comes on standard input, where no list of processes shows it.

`serve` runs it as a child process when a database is older than the release, so that a usual start never imports Alembic.
"""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy.ext.asyncio import AsyncEngine

from trunkline.errors import ConfigError
from trunkline.storage.engines import databases_at
from trunkline.storage.layout import DATABASES, Database
from trunkline.storage.sqlite import sync_engine
from trunkline.storage.versions import MIGRATION_SECONDS

MIGRATIONS = Path(__file__).parent / "migrations"


def alembic_config(database: Database, **attributes: object) -> Config:
    """Alembic's configuration for one database: one environment for both, a folder of revisions for each."""
    config = Config(attributes={"version_table": database.version_table, **attributes})
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("version_locations", str(MIGRATIONS / database.name))
    config.set_main_option("path_separator", "newline")
    return config


def upgrade_database(database: Database, data_dir: Path, revision: str = "head") -> None:
    """Upgrades one database, which may be empty, to `revision`."""
    engine = sync_engine(database, data_dir)
    try:
        with engine.connect() as connection:
            command.upgrade(alembic_config(database, connection=connection), revision)
    finally:
        engine.dispose()


def upgrade(data_dir: Path) -> None:
    """Upgrades both databases in `data_dir`."""
    for database in DATABASES:
        upgrade_database(database, data_dir)


async def upgrade_engine(database: Database, engine: AsyncEngine, revision: str = "head") -> None:
    """Upgrades one schema of PostgreSQL, which may be absent, to `revision`."""
    async with engine.connect() as connection:
        await connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {database.name}")
        await connection.commit()
        await connection.run_sync(lambda sync: command.upgrade(alembic_config(database, connection=sync), revision))
        await connection.commit()
    await engine.dispose()


async def upgrade_url(url: str) -> None:
    """Upgrades both schemas of the PostgreSQL database at `url`."""
    databases = databases_at(url, patience=MIGRATION_SECONDS)
    for database in DATABASES:
        await upgrade_engine(database, databases.async_engine(database))


def main(arguments: Sequence[str]) -> int:
    """The command line: one argument, the data folder or `-`. Returns the exit code."""
    if len(arguments) != 1 or not (arguments[0] == "-" or Path(arguments[0]).is_dir()):
        sys.stderr.write("usage: python -m trunkline.storage.migrate DATA_DIR, or - with the URL of PostgreSQL on standard input\n")
        return 2
    try:
        if arguments[0] == "-":
            asyncio.run(upgrade_url(sys.stdin.read().strip()))
        else:
            upgrade(Path(arguments[0]))
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
