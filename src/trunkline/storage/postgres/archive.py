"""Both schemas as one file of pg_dump: written while gateways run, put back only while none does.

The file holds one moment of both. A restore replaces the schemas in one transaction, so that whatever ends it before leaves what was
there; the schemas are dropped as a whole, since the partitions that are there are seldom those of the file.
"""

from pathlib import Path
from typing import Final

from trunkline.errors import ConfigError
from trunkline.storage.layout import DATABASES, Database
from trunkline.storage.postgres.programs import Programs
from trunkline.storage.versions import State, judge

FILE: Final = "trunkline.dump"
_DUMP: Final = ("pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--no-password")
_SCRIPT: Final = ("pg_restore", "--no-owner", "--no-privileges", "--file=-")
_PSQL: Final = ("psql", "--no-psqlrc", "--no-password", "--quiet", "--set=ON_ERROR_STOP=1", "--single-transaction")
_DROP: Final = "SET client_min_messages = warning; DROP SCHEMA IF EXISTS {} CASCADE"


def back_up(programs: Programs, target_dir: Path) -> Path:
    """Writes the file into `target_dir` (made when absent). Raises ConfigError when it exists already, or pg_dump is missing or fails."""
    file = target_dir / FILE
    if file.exists():
        raise ConfigError(str(file), "the file exists, and a backup overwrites nothing", "an empty folder")
    target_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = file.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600)
    schemas = [f"--schema={database.name}" for database in DATABASES]
    try:
        programs.run(*_DUMP, *schemas, f"--file={partial}", f"--dbname={programs.database}")
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)
    return file


def check(programs: Programs, source_dir: Path) -> None:
    """Raises ConfigError unless `source_dir` holds a backup of ours, of this release or an older one."""
    file = source_dir / FILE
    if not file.is_file():
        raise ConfigError(str(file), "the backup has no such file", "a folder that `trunkline db backup` wrote from PostgreSQL")
    for database in DATABASES:
        state = _state(programs, file, database)
        if state not in ("current", "older"):
            raise ConfigError(str(file), f"the schema {database.name} in it is {state}", "another backup")


def restore(programs: Programs, source_dir: Path) -> None:
    """Replaces both schemas by those of the file. Raises ConfigError, with nothing changed, when a program is missing or fails."""
    drop = _DROP.format(", ".join(database.name for database in DATABASES))
    target = (*_PSQL, f"--dbname={programs.database}", f"--command={drop}", "--file=-")
    programs.pipe((*_SCRIPT, str(source_dir / FILE)), target)


def _state(programs: Programs, file: Path, database: Database) -> State:
    """The state that the version in the file tells."""
    wanted = (f"--schema={database.name}", f"--table={database.version_table}")
    lines = programs.run(*_SCRIPT, "--data-only", *wanted, str(file)).splitlines()
    data = [at for at, line in enumerate(lines, 1) if line.startswith("COPY ")]
    return judge(database, (), lines[data[0]] if data else None)
