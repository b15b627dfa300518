"""The open databases of one process."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Literal, cast
from urllib.parse import urlsplit
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from trunkline.errors import ConfigError
from trunkline.settings import Settings
from trunkline.storage import backup
from trunkline.storage.availability import reporting_outages
from trunkline.storage.connection import Connection, Databases
from trunkline.storage.layout import CONTROL, TELEMETRY, Database
from trunkline.storage.lock import FolderLock, claimed
from trunkline.storage.sqlite import WRITING, async_engine, connect
from trunkline.storage.versions import bring_up_to_date

_VARIABLE: Final = "TRUNKLINE_DATABASE_URL"
_POSTGRES: Final = "trunkline.storage.postgres.databases"
_OPTIONAL: Final = {"postgresql": _POSTGRES, "postgres": _POSTGRES}
"""Engines beyond SQLite, by URL scheme: the module that is loaded when a URL asks for it."""


class Files:
    """SQLite in the data folder: `storage.connection.Databases` as files."""

    writing: Mapping[str, Any] = WRITING

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir

    def async_engine(self, database: Database) -> AsyncEngine:
        """An engine for the event loop."""
        return async_engine(database, self._data_dir)

    def connect(self, database: Database, *, durable: bool) -> Connection:
        """A raw connection with the synchronous level of the database, or with NORMAL."""
        return connect(database, self._data_dir, synchronous=database.synchronous if durable else "NORMAL")

    def alone(self, task: str) -> AbstractContextManager[bool]:
        """Claims a task by a lock on a file of the data folder."""
        return claimed(self._data_dir, task)

    def back_up(self, target_dir: Path) -> tuple[Path, ...]:
        """Copies both files."""
        return backup.back_up(self._data_dir, target_dir)

    def restore(self, source_dir: Path) -> None:
        """Replaces both files."""
        prepare_folder(self._data_dir)
        backup.restore(source_dir, self._data_dir)

    def bring_up_to_date(self) -> None:
        """Creates, upgrades or refuses the files."""
        bring_up_to_date(self._data_dir)


class Storage:
    """Both databases. `worker_id` names this process and start of it, never used again: the owner of its leases."""

    def __init__(self, data_dir: Path, lock: FolderLock, databases: Databases) -> None:
        self.data_dir = data_dir
        self.worker_id = uuid4().hex
        self.control = databases.async_engine(CONTROL)
        self.telemetry = databases.async_engine(TELEMETRY)
        self._databases = databases
        self._lock = lock

    @asynccontextmanager
    async def reading(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        """A connection that sees one state of the database. Raises StorageUnavailable when the database does not answer."""
        with reporting_outages():
            async with engine.connect() as connection:
                yield connection

    @asynccontextmanager
    async def writing(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        """A write transaction, alone from its first statement; commits at the end, rolls back on any error. Raises StorageUnavailable."""
        with reporting_outages():
            async with engine.execution_options(**self._databases.writing).begin() as connection:
                yield connection

    def connect_control(self, *, durable: bool = True) -> Connection:
        """A raw connection to keys, ledger and leases in autocommit mode; the caller closes it. Without `durable` a power cut may undo
        its last commits, which is right for leases: no holder outlives the cut. Raises StorageUnavailable."""
        with reporting_outages():
            return self._databases.connect(CONTROL, durable=durable)

    def connect_telemetry(self) -> Connection:
        """A raw connection to generations and roll-ups in autocommit mode; the caller closes it. Raises StorageUnavailable."""
        with reporting_outages():
            return self._databases.connect(TELEMETRY, durable=True)

    def alone(self, task: str) -> AbstractContextManager[bool]:
        """Claims a task without waiting, until the end of the `with`; False when another process has it. Raises StorageUnavailable."""
        return self._databases.alone(task)

    async def close(self) -> None:
        """Closes the engines and gives the folder free; a second call does nothing."""
        await self.control.dispose()
        await self.telemetry.dispose()
        self._lock.release()


def databases_at(url: str, **options: float) -> Databases:
    """The databases of the engine that `url` names, made with `options`. Raises ConfigError when there is no such engine, or it is not
    installed."""
    scheme = urlsplit(url).scheme or url
    if scheme not in _OPTIONAL:
        raise ConfigError(
            _VARIABLE, f"{scheme!r} is no supported database", "postgresql://..., or nothing to use SQLite in the data folder"
        )
    try:
        module = import_module(_OPTIONAL[scheme])
    except ModuleNotFoundError as error:
        raise ConfigError(_VARIABLE, f"{error.name} is not installed", "pip install 'trunkline[postgres]'") from error
    return cast("Databases", module.Databases(url, **options))


def databases_of(settings: Settings) -> Databases:
    """The databases that the settings ask for, not yet open. Raises ConfigError as above, or for SQLite outside of the data folder."""
    url = settings.database_url
    if urlsplit(url).scheme not in ("", "sqlite"):
        return databases_at(url)
    if url.removeprefix("sqlite").strip(":/"):
        raise ConfigError(_VARIABLE, "SQLite databases always lie in the data folder", "nothing, and set TRUNKLINE_DATA_DIR")
    return Files(settings.data_dir)


def prepare_folder(data_dir: Path) -> None:
    """Makes the data folder for its owner only (0700). Raises ConfigError when that is impossible."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        data_dir.chmod(0o700)
    except OSError as error:
        raise ConfigError(
            str(data_dir), f"the data folder cannot be used: {error.strerror}", "a folder you own, with --data-dir"
        ) from error


def open_storage(settings: Settings, *, check: Literal["full", "none"] = "full") -> Storage:
    """Opens the databases in the data folder, after creating or upgrading them; `check="none"` skips that in a worker whose parent did it.

    Raises ConfigError when the folder or a database cannot be used, or is of a newer release.
    """
    databases = databases_of(settings)
    prepare_folder(settings.data_dir)
    lock = FolderLock(settings.data_dir)
    try:
        if check == "full":
            databases.bring_up_to_date()
        return Storage(settings.data_dir, lock, databases)
    except BaseException:
        lock.release()
        raise
