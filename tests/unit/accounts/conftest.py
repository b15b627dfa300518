import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from trunkline import settings as settings_room
from trunkline.settings import Settings
from trunkline.storage.engines import Storage, open_storage


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_room.load({"data_dir": str(tmp_path / "data")}, {})


@pytest.fixture
def storage(settings: Settings) -> Iterator[Storage]:
    opened = open_storage(settings)
    yield opened
    asyncio.run(opened.close())
