import os
import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from trunkline.protocol.generation import GenerationRecord
from trunkline.protocol.identity import uuid7
from trunkline.storage.connection import Connection
from trunkline.storage.engines import Storage
from trunkline.storage.layout import CONTROL, TELEMETRY, Database

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
    """The databases of a storage, with a switch that takes them away."""

    def __init__(self, storage: Storage) -> None:
        self.available = True
        self._connect = {CONTROL: storage.connect_control, TELEMETRY: storage.connect_telemetry}

    def control(self) -> Connection:
        return self._open(CONTROL)

    def telemetry(self) -> Connection:
        return self._open(TELEMETRY)

    def ids(self) -> tuple[list[bytes], list[bytes]]:
        """The ids in the ledger and in the generation store, sorted."""
        return self.query(CONTROL, "SELECT id FROM ledger ORDER BY id"), self.query(TELEMETRY, "SELECT id FROM generations ORDER BY id")

    def query(self, database: Database, sql: str) -> list[object]:
        with closing(self._connect[database]()) as connection:
            return [value for (value,) in connection.execute(sql)]

    def _open(self, database: Database) -> Connection:
        if not self.available:
            raise sqlite3.OperationalError("unable to open database file")
        return self._connect[database]()


@pytest.fixture
def databases(both_storage: Storage) -> Databases:
    return Databases(both_storage)
