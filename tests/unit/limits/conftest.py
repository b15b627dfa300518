import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from trunkline import settings as settings_room
from trunkline.accounts.keys import Keys, NewKey
from trunkline.protocol.principal import Principal
from trunkline.storage.engines import Storage, open_storage


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    opened = open_storage(settings_room.load({"data_dir": str(tmp_path / "data")}, {}))
    yield opened
    asyncio.run(opened.close())


@pytest.fixture
def principal(storage: Storage) -> Callable[..., Principal]:
    """Makes a key with the given fields and returns its Principal."""

    def make(**fields: object) -> Principal:
        record = asyncio.run(Keys(storage).create(NewKey(name="k", **fields)))[0].record
        return Principal(record.hash, record.kind, record.name, record.label, record.workspace_id, limited=record.spend_limit is not None)

    return make
