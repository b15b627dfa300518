import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from trunkline.protocol.generation import GenerationRecord
from trunkline.protocol.identity import uuid7
from trunkline.storage.layout import CONTROL, TELEMETRY, Database
from trunkline.storage.sqlite import connect, sync_engine

NOW_MS = 1_795_400_000_000


def make_record(**changes: object) -> GenerationRecord:
    fields: dict[str, object] = {
        "id": uuid7(NOW_MS, os.urandom(10)),
        "created_ms": NOW_MS,
        "key_hash": "ab" * 32,
        "workspace_id": "default",
        "model": "acme/echo-1",
        "endpoint_id": "acme/acme/echo-1",
        "provider_name": "Acme",
        "api_type": "completions",
        "cost": 1_000_000,
        "input_tokens": 100,
        "output_tokens": 20,
    }
    return GenerationRecord(**{**fields, **changes})


@pytest.fixture
def record() -> Callable[..., GenerationRecord]:
    return make_record


class Databases:
    """Both databases in a folder, with switches that take them away."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.available = True
        for database in (CONTROL, TELEMETRY):
            engine = sync_engine(database, folder)
            database.metadata.create_all(engine)
            engine.dispose()

    def control(self) -> sqlite3.Connection:
        return self._connect(CONTROL)

    def telemetry(self) -> sqlite3.Connection:
        return self._connect(TELEMETRY)

    def ids(self) -> tuple[list[bytes], list[bytes]]:
        """The ids in the ledger and in the generation store, sorted."""
        return self.query(CONTROL, "SELECT id FROM ledger ORDER BY id"), self.query(TELEMETRY, "SELECT id FROM generations ORDER BY id")

    def query(self, database: Database, sql: str) -> list[object]:
        connection = connect(database, self.folder)
        try:
            return [value for (value,) in connection.execute(sql)]
        finally:
            connection.close()

    def _connect(self, database: Database) -> sqlite3.Connection:
        if not self.available:
            raise sqlite3.OperationalError("unable to open database file")
        return connect(database, self.folder)


@pytest.fixture
def databases(tmp_path: Path) -> Databases:
    return Databases(tmp_path)
