"""The open databases of one process."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from trunkline.errors import ConfigError
from trunkline.settings import Settings
from trunkline.storage.availability import reporting_outages
from trunkline.storage.layout import CONTROL, TELEMETRY
from trunkline.storage.lock import FolderLock
from trunkline.storage.sqlite import WRITING, async_engine, connect
from trunkline.storage.versions import bring_up_to_date


class Storage:
    """Both databases. `worker_id` names this process and start of it, never used again: the owner of its leases."""

    def __init__(self, data_dir: Path, lock: FolderLock) -> None:
        self.data_dir = data_dir
        self.worker_id = uuid4().hex
        self.control = async_engine(CONTROL, data_dir)
        self.telemetry = async_engine(TELEMETRY, data_dir)
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
            async with engine.execution_options(**WRITING).begin() as connection:
                yield connection

    def connect_control(self, *, durable: bool = True) -> sqlite3.Connection:
        """A raw connection to keys, ledger and leases in autocommit mode; the caller closes it. Without `durable` a power cut may undo
        its last commits, which is right for leases: no holder outlives the cut. Raises StorageUnavailable."""
        with reporting_outages():
            return connect(CONTROL, self.data_dir, synchronous="FULL" if durable else "NORMAL")

    def connect_telemetry(self) -> sqlite3.Connection:
        """A raw connection to generations and roll-ups in autocommit mode; the caller closes it. Raises StorageUnavailable."""
        with reporting_outages():
            return connect(TELEMETRY, self.data_dir)

    async def close(self) -> None:
        """Closes the engines and gives the folder free; a second call does nothing."""
        await self.control.dispose()
        await self.telemetry.dispose()
        self._lock.release()


def _refuse_other_engines(database_url: str) -> None:
    scheme = urlsplit(database_url).scheme or database_url
    if scheme not in ("", "sqlite"):
        problem = f"{scheme!r} is not supported: PostgreSQL is not in this release"
        raise ConfigError("TRUNKLINE_DATABASE_URL", problem, "nothing, to use SQLite in the data folder")
    if database_url.removeprefix("sqlite").strip(":/"):
        problem = "SQLite databases always lie in the data folder"
        raise ConfigError("TRUNKLINE_DATABASE_URL", problem, "nothing, and set TRUNKLINE_DATA_DIR")


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
    _refuse_other_engines(settings.database_url)
    prepare_folder(settings.data_dir)
    lock = FolderLock(settings.data_dir)
    try:
        if check == "full":
            bring_up_to_date(settings.data_dir)
        return Storage(settings.data_dir, lock)
    except BaseException:
        lock.release()
        raise
