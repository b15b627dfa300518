"""Row 6 of what other gateways get wrong: concurrent calls on a small key overspend by at most one request, in one process and in three."""

import asyncio
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from trunkline.accounts.keys import Keys, NewKey
from trunkline.settings import Settings
from trunkline.storage.engines import open_storage

SPENDER = Path(__file__).with_name("spender.py")
LIMIT = 50_000_000_000
"""$0.05."""
ESTIMATE = 4_000_000_000


async def _make_key(settings: Settings) -> str:
    storage = open_storage(settings)
    created, _ = await Keys(storage).create(NewKey(name="small", limit=LIMIT))
    await storage.close()
    return created.record.hash


def _spend(settings: Settings, key: str, *, processes: int, requests: int, seconds: float) -> int:
    command = [sys.executable, str(SPENDER), str(settings.data_dir), key, str(requests), str(seconds)]
    environment = {**os.environ, "TRUNKLINE_DATABASE_URL": settings.database_url}
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(processes)]
    outputs = [child.communicate(timeout=180)[0] for child in children]
    assert [child.returncode for child in children] == [0] * processes
    return sum(int(output) for output in outputs)


def _stored(settings: Settings) -> tuple[int, int]:
    storage = open_storage(settings)
    with closing(storage.connect_control()) as connection:
        spent = connection.execute("SELECT sum(amount) FROM key_spend_day").fetchone()[0]
        leased = connection.execute("SELECT count(*) FROM leases WHERE remaining <> 0").fetchone()[0]
    asyncio.run(storage.close())
    return spent, leased


@pytest.mark.parametrize(("processes", "requests"), [(1, 500), (3, 170)])
def test_a_small_key_is_used_up_and_overspent_by_at_most_one_request(both_settings: Settings, processes: int, requests: int) -> None:
    key = asyncio.run(_make_key(both_settings))
    spent = _spend(both_settings, key, processes=processes, requests=requests, seconds=2)
    assert LIMIT <= spent <= LIMIT + ESTIMATE
    assert _stored(both_settings) == (spent, 0)
    assert _spend(both_settings, key, processes=1, requests=1, seconds=0) == 0
