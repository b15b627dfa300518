from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import inspect

from trunkline.storage.layout import TELEMETRY
from trunkline.storage.migrate import alembic_config, upgrade_database
from trunkline.storage.schema.telemetry import endpoint_day, endpoint_hour, endpoint_minute
from trunkline.storage.sqlite import connect, sync_engine

TABLES = (endpoint_minute, endpoint_hour, endpoint_day)
LATER = {"structured_requests", "structured_failures"}


def test_it_adds_three_empty_tables_and_cannot_be_undone(tmp_path: Path) -> None:
    upgrade_database(TELEMETRY, tmp_path, "0002")
    engine = sync_engine(TELEMETRY, tmp_path)
    before = set(inspect(engine).get_table_names())
    upgrade_database(TELEMETRY, tmp_path, "0003")
    assert set(inspect(engine).get_table_names()) - before == {table.name for table in TABLES}
    for table in TABLES:
        kept = [column.name for column in table.columns if column.name not in LATER]
        assert [column["name"] for column in inspect(engine).get_columns(table.name)] == kept
    with closing(connect(TELEMETRY, tmp_path)) as connection:
        assert [connection.execute(f"SELECT count(*) FROM {table.name}").fetchone() for table in TABLES] == [(0,)] * 3
    with engine.connect() as opened, pytest.raises(NotImplementedError, match="backup"):
        command.downgrade(alembic_config(TELEMETRY, connection=opened), "0002")
    engine.dispose()
