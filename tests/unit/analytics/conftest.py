import os
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from trunkline.protocol.generation import GenerationRecord
from trunkline.protocol.identity import uuid7
from trunkline.storage.connection import Connection
from trunkline.storage.engines import Storage

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
def telemetry(both_storage: Storage) -> Iterator[Connection]:
    """A connection to an empty generation store, on each engine in turn."""
    with closing(both_storage.connect_telemetry()) as connection:
        yield connection
