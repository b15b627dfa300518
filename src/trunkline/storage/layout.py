"""The two databases: file, tables, revisions and how much each commit must survive."""

from pathlib import Path
from typing import Literal

from msgspec import Struct
from sqlalchemy import MetaData

from trunkline.storage.schema import control, telemetry

Synchronous = Literal["FULL", "NORMAL"]


class Database(Struct, frozen=True):
    """One database. `synchronous` is SQLite's: FULL survives a power cut at every commit, NORMAL may lose the last ones and stays
    consistent."""

    name: str
    metadata: MetaData
    revisions: tuple[str, ...]
    version_table: str
    synchronous: Synchronous

    def file(self, data_dir: Path) -> Path:
        return data_dir / f"{self.name}.db"

    @property
    def head(self) -> str:
        return self.revisions[-1]


CONTROL = Database("control", control.metadata, control.REVISIONS, control.VERSION_TABLE, "FULL")
TELEMETRY = Database("telemetry", telemetry.metadata, telemetry.REVISIONS, telemetry.VERSION_TABLE, "NORMAL")
DATABASES = (CONTROL, TELEMETRY)
