import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from trunkline.protocol.generation import GenerationRecord
from trunkline.protocol.identity import uuid7
from trunkline.storage.layout import TELEMETRY
from trunkline.storage.sqlite import connect, sync_engine

DAY_MS = 86_400_000


def make_record(*, day: int = 20_000, **changes: object) -> GenerationRecord:
    created_ms = day * DAY_MS + 1000
    fields: dict[str, object] = {
        "id": uuid7(created_ms, os.urandom(10)),
        "created_ms": created_ms,
        "key_hash": "k1",
        "workspace_id": "default",
        "model": "acme/echo-1",
        "endpoint_id": "e1",
        "provider_name": "Acme",
        "api_type": "completions",
        "cost": 10,
        "input_tokens": 100,
        "output_tokens": 20,
    }
    return GenerationRecord(**{**fields, **changes})


@pytest.fixture
def record() -> Callable[..., GenerationRecord]:
    return make_record


@pytest.fixture
def telemetry(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to an empty generation store in `tmp_path`."""
    engine = sync_engine(TELEMETRY, tmp_path)
    TELEMETRY.metadata.create_all(engine)
    engine.dispose()
    connection = connect(TELEMETRY, tmp_path)
    yield connection
    connection.close()
