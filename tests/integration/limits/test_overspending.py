"""Row 6 of what other gateways get wrong: concurrent calls on a small key overspend by at most one request, in one process and in three."""

import asyncio
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from trunkline import settings
from trunkline.accounts.keys import Keys, NewKey
from trunkline.storage.engines import open_storage
from trunkline.storage.layout import CONTROL
from trunkline.storage.sqlite import connect

SPENDER = Path(__file__).with_name("spender.py")
LIMIT = 50_000_000_000
"""$0.05."""
ESTIMATE = 4_000_000_000


async def _make_key(data_dir: Path) -> str:
    storage = open_storage(settings.load({"data_dir": str(data_dir)}, {}))
    created, _ = await Keys(storage).create(NewKey(name="small", limit=LIMIT))
    await storage.close()
    return created.record.hash


def _spend(data_dir: Path, key: str, *, processes: int, requests: int, seconds: float) -> int:
    command = [sys.executable, str(SPENDER), str(data_dir), key, str(requests), str(seconds)]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(processes)]
    outputs = [child.communicate(timeout=50)[0] for child in children]
    assert [child.returncode for child in children] == [0] * processes
    return sum(int(output) for output in outputs)


def _stored(data_dir: Path) -> tuple[int, int]:
    with closing(connect(CONTROL, data_dir)) as connection:
        spent = connection.execute("SELECT sum(amount) FROM key_spend_day").fetchone()[0]
        return spent, connection.execute("SELECT count(*) FROM leases WHERE remaining <> 0").fetchone()[0]


@pytest.mark.parametrize(("processes", "requests"), [(1, 500), (3, 170)])
def test_a_small_key_is_used_up_and_overspent_by_at_most_one_request(tmp_path: Path, processes: int, requests: int) -> None:
    key = asyncio.run(_make_key(tmp_path))
    spent = _spend(tmp_path, key, processes=processes, requests=requests, seconds=2)
    assert LIMIT <= spent <= LIMIT + ESTIMATE
    assert _stored(tmp_path) == (spent, 0)
    assert _spend(tmp_path, key, processes=1, requests=1, seconds=0) == 0
