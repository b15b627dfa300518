"""Every test of this room runs on each engine."""

import asyncio
from collections.abc import Callable

import pytest
from postgres_server import both_storage as storage

from trunkline.accounts.keys import Keys, NewKey
from trunkline.protocol.principal import Principal
from trunkline.storage.engines import Storage

__all__ = ["principal", "storage"]


@pytest.fixture
def principal(storage: Storage) -> Callable[..., Principal]:
    """Makes a key with the given fields and returns its Principal."""

    def make(**fields: object) -> Principal:
        record = asyncio.run(Keys(storage).create(NewKey(name="k", **fields)))[0].record
        return Principal(record.hash, record.kind, record.name, record.label, record.workspace_id, limited=record.spend_limit is not None)

    return make
