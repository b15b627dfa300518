"""Alembic, and only here: `python -m trunkline.storage.migrate DATA_DIR` brings both databases to the newest revision.

`serve` runs it as a child process when a database is older than the release, so that a usual start never imports Alembic.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from alembic import command
from alembic.config import Config

from trunkline.errors import ConfigError
from trunkline.storage.layout import DATABASES, Database
from trunkline.storage.sqlite import sync_engine

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


def main(arguments: Sequence[str]) -> int:
    """The command line: one argument, the data folder. Returns the exit code."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        sys.stderr.write("usage: python -m trunkline.storage.migrate DATA_DIR\n")
        return 2
    try:
        upgrade(Path(arguments[0]))
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
