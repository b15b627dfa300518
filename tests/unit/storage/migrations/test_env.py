from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import inspect

from trunkline.storage.layout import CONTROL
from trunkline.storage.migrate import alembic_config
from trunkline.storage.sqlite import sync_engine


def test_a_revision_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    engine = sync_engine(CONTROL, tmp_path)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE settings (other)")
    with engine.connect() as connection, pytest.raises(Exception, match="already exists"):
        command.upgrade(alembic_config(CONTROL, connection=connection), "head")
    assert inspect(engine).get_table_names() == ["settings"]
    engine.dispose()
