"""A running gateway removes generations that are older than its configuration wants, on both engines, and nothing else."""

import asyncio
import time
from contextlib import closing

from clients import chat, get, until
from gateway import Gateway
from postgres_server import open_unpooled
from town import town

from trunkline.analytics.rollup import write_batch
from trunkline.mock.thread import MockServer
from trunkline.protocol.generation import GenerationRecord
from trunkline.protocol.identity import generation_text, uuid7
from trunkline.settings import Settings
from trunkline.storage.days import MS_PER_DAY, day_of

DAYS = 2
RULE = f"\n[storage]\ngeneration_days = {DAYS}\n"


def _record(unix_ms: int) -> GenerationRecord:
    return GenerationRecord(
        id=uuid7(unix_ms, bytes(10)),
        created_ms=unix_ms,
        key_hash="k",
        workspace_id="default",
        model="pair/m0",
        endpoint_id="e1",
        provider_name="Acme",
        api_type="completions",
        cost=10**6,
    )


def test_what_is_too_old_goes_while_requests_are_served(both_settings: Settings, upstream: MockServer) -> None:
    storage = open_unpooled(both_settings)
    today = day_of(time.time_ns() // 1_000_000)
    old = [_record((today - DAYS - ago) * MS_PER_DAY - 1) for ago in (0, 1, 30)]
    first = (today - DAYS + 1) * MS_PER_DAY  # one day more than needed, should midnight pass
    young = [_record(first), _record(first + MS_PER_DAY - 1)]
    environ = {"TRUNKLINE_DATABASE_URL": both_settings.database_url}
    with closing(storage.connect_telemetry()) as telemetry:
        write_batch(telemetry, [*old, *young])
        config = town(upstream.url) + RULE
        with Gateway(both_settings.data_dir, config, arguments=("--workers", "2"), environ=environ) as gateway:
            answer = chat(gateway)
            ids = "SELECT id FROM generations ORDER BY id"
            until(lambda: {id for (id,) in telemetry.execute(ids)}.isdisjoint(record.id for record in old), seconds=90)
            until(lambda: get(gateway, f"/generation?id={answer.id}").status == 200)
            assert gateway.stop() == 0
            assert not any("Traceback" in line or "failed" in line for line in gateway.log), "".join(gateway.log)
        stored = [generation_text(id) for (id,) in telemetry.execute(ids)]
        assert stored == [*(generation_text(record.id) for record in young), answer.json["id"]]
        assert telemetry.execute("SELECT sum(requests) FROM model_day").fetchone() == (len(old) + len(young) + 1,)
        if both_settings.database_url:
            assert telemetry.execute("SELECT count(*) FROM pg_class WHERE relispartition AND relkind = 'r'").fetchone()[0] >= 9
    asyncio.run(storage.close())
