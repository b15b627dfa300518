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
COUNTED = "slot, endpoint_id, model, provider_name, successes, errors, rate_limited, refused, tool_requests, tool_failures, cache_hits"


def test_rows_of_before_have_kept_and_broken_no_form(tmp_path: Path) -> None:
    upgrade_database(TELEMETRY, tmp_path, "0003")
    with closing(connect(TELEMETRY, tmp_path)) as connection:
        for table in TABLES:
            connection.execute(
                f"INSERT INTO {table.name} ({COUNTED}, output_tokens) VALUES (7, 'e1', 'a/m', 'Acme', 5, 0, 0, 0, 0, 0, 0, 50)"
            )
    upgrade_database(TELEMETRY, tmp_path, "0004")
    engine = sync_engine(TELEMETRY, tmp_path)
    for table in TABLES:
        assert {column["name"] for column in inspect(engine).get_columns(table.name)} == set(table.columns.keys())
    with closing(connect(TELEMETRY, tmp_path)) as connection:
        for table in TABLES:
            found = connection.execute(f"SELECT slot, successes, structured_requests, structured_failures FROM {table.name}").fetchall()
            assert found == [(7, 5, 0, 0)]
    with engine.connect() as opened, pytest.raises(NotImplementedError, match="backup"):
        command.downgrade(alembic_config(TELEMETRY, connection=opened), "0003")
    engine.dispose()
