"""A worker is killed while it records: whatever it had acknowledged is afterwards charged and stored exactly once."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from trunkline.accounts.ledger_store import settle_batch
from trunkline.analytics import histogram
from trunkline.analytics.endpoint_rollup import unpack
from trunkline.analytics.slots import HISTOGRAMS
from trunkline.metering.recorder import Recorder
from trunkline.metering.spool import Spool
from trunkline.settings import Settings
from trunkline.storage.connection import Connection
from trunkline.storage.engines import Storage, open_storage

WORKER = """
import os, sys, time
from pathlib import Path
from trunkline import settings
from trunkline.accounts.ledger_store import settle_batch
from trunkline.metering.recorder import Recorder
from trunkline.metering.spool import Spool
from trunkline.protocol.generation import AttemptRecord, GenerationRecord
from trunkline.protocol.identity import uuid7
from trunkline.storage.engines import open_storage

folder, interval = Path(sys.argv[1]), float(sys.argv[2])
storage = open_storage(settings.load({"data_dir": str(folder)}, os.environ), check="none")
spool = Spool(folder / "spool", storage.worker_id, segment_bytes=20_000)
recorder = Recorder(spool, storage.connect_control, storage.connect_telemetry, storage.worker_id, settle_batch, batch=20, interval=interval)
recorder.start()
while True:
    now = int(time.time() * 1000)
    record = GenerationRecord(
        id=uuid7(now, os.urandom(10)), created_ms=now, key_hash="key", workspace_id="default", model="acme/echo-1", endpoint_id="e",
        provider_name="Acme", api_type="completions", cost=7, input_tokens=3, output_tokens=2, streamed=True, generation_ms=9,
        attempts=(AttemptRecord("Acme", "e", "acme/echo-1", 200, 5),),
    )
    recorder.record(record)
    os.write(1, record.id.hex().encode() + b"\\n")
"""


@pytest.fixture
def storage(both_settings: Settings) -> Iterator[Storage]:
    opened = open_storage(both_settings)
    yield opened
    asyncio.run(opened.close())


def acknowledged_until_killed(settings: Settings, *, lines: int, interval: float) -> list[str]:
    """The ids that a worker acknowledged before it was killed, after at least `lines` of them."""
    command = [sys.executable, "-c", WORKER, str(settings.data_dir), str(interval)]
    environment = {**os.environ, "TRUNKLINE_DATABASE_URL": settings.database_url}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as worker:
        assert worker.stdout is not None
        ids = [worker.stdout.readline() for _ in range(lines)]
        worker.kill()
        ids += worker.stdout.readlines()
    return [line.decode().strip() for line in ids if line.endswith(b"\n")]


def column(connection: Connection, query: str) -> list[Any]:
    try:
        return [value for (value,) in connection.execute(query)]
    finally:
        connection.close()


@pytest.mark.parametrize(("lines", "interval"), [(1, 30.0), (500, 0.005), (3000, 0.005), (2000, 30.0)])
def test_each_acknowledged_generation_is_charged_and_stored_once(
    both_settings: Settings, storage: Storage, lines: int, interval: float
) -> None:
    acknowledged = acknowledged_until_killed(both_settings, lines=lines, interval=interval)
    assert len(acknowledged) == len(set(acknowledged)) >= lines

    recorder = Recorder(
        Spool(storage.data_dir / "spool", storage.worker_id),
        storage.connect_control,
        storage.connect_telemetry,
        storage.worker_id,
        settle_batch,
    )
    recorder.start()
    assert recorder.flush(60)
    recorder.close()

    charged = column(storage.connect_control(), "SELECT id FROM ledger")
    stored = column(storage.connect_telemetry(), "SELECT id FROM generations")
    assert len(charged) == len(set(charged))
    assert set(map(bytes.fromhex, acknowledged)) <= set(charged)
    assert sorted(stored) == sorted(charged)
    assert column(storage.connect_control(), "SELECT sum(amount) FROM key_spend_day") == [7 * len(charged)]
    assert column(storage.connect_telemetry(), "SELECT sum(requests) FROM model_day") == [len(charged)]
    assert column(storage.connect_telemetry(), "SELECT sum(cost) FROM key_day") == [7 * len(charged)]
    for table in ("endpoint_minute", "endpoint_hour", "endpoint_day"):
        assert column(storage.connect_telemetry(), f"SELECT sum(successes) FROM {table}") == [len(charged)]
        packed = column(storage.connect_telemetry(), f"SELECT distributions FROM {table}")
        assert [sum(map(histogram.total, bins)) for bins in zip(*map(unpack, packed), strict=True)] == [len(charged)] * len(HISTOGRAMS)
    assert [path for path in (storage.data_dir / "spool").iterdir() if path.suffix == ".seg"] == []
