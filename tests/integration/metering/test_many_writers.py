"""Several workers write batches of the same keys, models and apps at once, some of them twice: every sum is exact on each engine."""

import asyncio
import os
import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from trunkline.accounts.ledger_store import settle_batch
from trunkline.errors import StorageUnavailable
from trunkline.metering.batches import BatchWriter
from trunkline.protocol.generation import GenerationRecord
from trunkline.protocol.identity import uuid7
from trunkline.settings import Settings
from trunkline.storage.connection import Duplicate
from trunkline.storage.engines import Storage, open_storage

WRITERS = 4
BATCHES = 12
COST = 7


def batch(dice: random.Random) -> list[GenerationRecord]:
    now = 1_795_400_000_000
    return [
        GenerationRecord(
            id=uuid7(now, os.urandom(10)),
            created_ms=now - dice.randrange(3) * 86_400_000,
            key_hash=f"k{dice.randrange(20)}",
            workspace_id="default",
            model=f"acme/m{dice.randrange(20)}",
            endpoint_id=f"e{dice.randrange(3)}",
            provider_name="Acme",
            api_type="completions",
            cost=COST,
            app_referer=f"https://a{dice.randrange(20)}.example",
        )
        for _ in range(60)
    ]


def write(storage: Storage, name: str, batches: Sequence[list[GenerationRecord]]) -> None:
    """Writes all batches, each until it is stored."""
    with closing(BatchWriter(storage.connect_control, storage.connect_telemetry, settle_batch)) as writer:
        for records in batches:
            while True:
                try:
                    writer.write(name, records)
                    break
                except (StorageUnavailable, Duplicate):
                    writer.close()
        assert writer.rejected == 0


def test_sums_are_exact_whoever_else_writes(both_settings: Settings) -> None:
    dice = random.Random(7)
    batches = [batch(dice) for _ in range(BATCHES)]
    storage = open_storage(both_settings)
    orders = [dice.sample(batches, len(batches)) for _ in range(WRITERS)]  # each writer writes all: most rows are replays
    with ThreadPoolExecutor(WRITERS) as threads:
        assert len(list(threads.map(write, [storage] * WRITERS, [f"w{n}" for n in range(WRITERS)], orders))) == WRITERS
    count = sum(map(len, batches))
    with closing(storage.connect_control()) as control, closing(storage.connect_telemetry()) as telemetry:
        assert control.execute("SELECT count(*), sum(amount) FROM ledger").fetchone() == (count, count * COST)
        assert control.execute("SELECT sum(amount) FROM key_spend_day").fetchone() == (count * COST,)
        assert telemetry.execute("SELECT count(*) FROM generations").fetchone() == (count,)
        for table in ("model_day", "key_day", "app_day"):
            assert telemetry.execute(f"SELECT sum(requests), sum(cost) FROM {table}").fetchone() == (count, count * COST)
    asyncio.run(storage.close())
