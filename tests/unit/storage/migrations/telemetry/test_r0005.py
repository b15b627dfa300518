from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import inspect

from trunkline.storage.layout import TELEMETRY
from trunkline.storage.migrate import alembic_config, upgrade_database
from trunkline.storage.schema.telemetry import task_day
from trunkline.storage.sqlite import connect, sync_engine


def test_it_adds_an_empty_table_and_cannot_be_undone(tmp_path: Path) -> None:
    upgrade_database(TELEMETRY, tmp_path, "0004")
    engine = sync_engine(TELEMETRY, tmp_path)
    before = set(inspect(engine).get_table_names())
    upgrade_database(TELEMETRY, tmp_path, "0005")
    assert set(inspect(engine).get_table_names()) - before == {task_day.name}
    assert [column["name"] for column in inspect(engine).get_columns(task_day.name)] == task_day.columns.keys()
    with closing(connect(TELEMETRY, tmp_path)) as connection:
        assert connection.execute("SELECT count(*) FROM task_day").fetchone() == (0,)
    with engine.connect() as opened, pytest.raises(NotImplementedError, match="backup"):
        command.downgrade(alembic_config(TELEMETRY, connection=opened), "0004")
    engine.dispose()
