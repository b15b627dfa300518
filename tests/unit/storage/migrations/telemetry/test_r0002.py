import asyncio
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command

from trunkline.protocol.identity import uuid7
from trunkline.storage.days import MS_PER_DAY, day_of, first_id
from trunkline.storage.layout import TELEMETRY
from trunkline.storage.migrate import alembic_config, upgrade_database, upgrade_engine
from trunkline.storage.postgres.databases import Databases
from trunkline.storage.postgres.partitions import Partition, partitions
from trunkline.storage.schema.telemetry import generations
from trunkline.storage.sqlite import connect, sync_engine

COLUMNS = ("id", "key_hash", "workspace_id", "model", "endpoint_id", "status", "cost", "input_tokens", "output_tokens", "details")


def _row(unix_ms: int) -> tuple[object, ...]:
    return (uuid7(unix_ms, bytes(10)), "k", "w", "m", "e", 200, 1, 1, 1, b"")


def _upgrade(url: str, revision: str) -> None:
    asyncio.run(upgrade_engine(TELEMETRY, Databases(url).async_engine(TELEMETRY, pooled=False), revision))


def test_the_old_table_is_the_first_partition_and_no_row_is_lost(new_database: Callable[..., str]) -> None:
    url = new_database(empty=True)
    _upgrade(url, "0001")
    now = time.time_ns() // 1_000_000
    rows = sorted([_row(0), _row(now - MS_PER_DAY), _row(now), _row(now + 3 * MS_PER_DAY), _row((1 << 48) - 1)])
    with closing(Databases(url).connect(TELEMETRY, durable=True)) as connection:
        connection.insert(generations, COLUMNS, rows)
        _upgrade(url, "0002")
        [earlier] = partitions(connection, generations)
        assert earlier in [Partition("generations_earlier", b"", first_id(day_of(now) + days)) for days in (1, 2)]  # midnight may pass
        assert connection.execute(f"SELECT {', '.join(COLUMNS)} FROM generations ORDER BY id").fetchall() == rows
        assert connection.execute("SELECT count(*) FROM ONLY generations_default").fetchone() == (2,)
        connection.prepare_days(generations, range(day_of(now), day_of(now) + 4))
        assert connection.execute("SELECT count(*) FROM ONLY generations_default").fetchone() == (1,)


def test_an_empty_table_leaves_only_the_default(new_database: Callable[..., str]) -> None:
    url = new_database(empty=True)
    _upgrade(url, "0002")
    with closing(Databases(url).connect(TELEMETRY, durable=True)) as connection:
        assert partitions(connection, generations) == []
        assert connection.execute("SELECT count(*) FROM generations_default").fetchone() == (0,)


def test_a_file_gets_the_columns_and_cannot_be_put_back(tmp_path: Path) -> None:
    upgrade_database(TELEMETRY, tmp_path, "0001")
    row = _row(MS_PER_DAY)
    with closing(connect(TELEMETRY, tmp_path)) as connection:
        connection.insert(generations, COLUMNS, [row])
        upgrade_database(TELEMETRY, tmp_path, "0002")
        found = connection.execute(
            f"SELECT {', '.join(COLUMNS)}, provider_name, error_type, finish_reason, app FROM generations"
        ).fetchall()
        assert found == [(*row, None, None, None, None)]
    engine = sync_engine(TELEMETRY, tmp_path)
    with engine.connect() as opened, pytest.raises(NotImplementedError, match="backup"):
        command.downgrade(alembic_config(TELEMETRY, connection=opened), "0001")
    engine.dispose()
