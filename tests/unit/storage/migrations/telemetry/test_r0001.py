from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import inspect

from trunkline.storage.layout import TELEMETRY
from trunkline.storage.migrate import alembic_config, upgrade_database
from trunkline.storage.sqlite import sync_engine

TABLES = ("generations", "model_day", "key_day", "app_day")
"""Those of the first release."""


def test_it_builds_every_table_and_cannot_be_undone(tmp_path: Path) -> None:
    upgrade_database(TELEMETRY, tmp_path, "0001")
    engine = sync_engine(TELEMETRY, tmp_path)
    tables = set(inspect(engine).get_table_names())
    with engine.connect() as connection, pytest.raises(NotImplementedError, match="backup"):
        command.downgrade(alembic_config(TELEMETRY, connection=connection), "base")
    assert tables == {*TABLES, TELEMETRY.version_table} == set(inspect(engine).get_table_names())
    engine.dispose()
