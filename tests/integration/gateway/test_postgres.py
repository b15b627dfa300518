"""The whole gateway on PostgreSQL: it meters as on SQLite, and goes on while the database is away."""

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from clients import chat, get, send, until
from gateway import MANAGEMENT_KEY, Gateway
from postgres_server import PostgresServer
from storm import RULES, Books, Caller, pico, storm
from town import town

from trunkline.mock.thread import MockServer

LEASED_SECONDS = 25
"""For how long a lease surely lasts: it is taken for 60 s and renewed after 30."""
STRANGER = "sk-or-v1-" + "c3" * 32


def usage(gateway: Gateway, key: str) -> int:
    """What the key has spent, in pico-dollars."""
    return pico(get(gateway, "/key", key=key).json["data"]["usage"])


def made(gateway: Gateway, **fields: Any) -> str:
    """The secret of a new key."""
    return str(send(gateway, "POST", "/keys", key=MANAGEMENT_KEY, name="known", **fields).json["key"])


@pytest.mark.parametrize("seconds", [3, pytest.param(60, marks=pytest.mark.long)])
def test_while_the_database_is_away_known_keys_go_on_and_nothing_is_lost(
    postgres: PostgresServer, new_database: Callable[..., str], upstream: MockServer, tmp_path: Path, seconds: int
) -> None:
    upstream.use(*RULES)
    url, begun = new_database(empty=True), time.monotonic()
    with Gateway(tmp_path, town(upstream.url), environ={"TRUNKLINE_DATABASE_URL": url}) as gateway:
        free = Caller(made(gateway), clients=6, pause=0.01)
        limited = Caller(made(gateway, limit=100), pause=0.2)
        stranger = Caller(STRANGER, pause=0.2)
        times = [0.0, 0.0]

        def outage() -> None:
            times[0] = time.monotonic()
            postgres.stop()
            try:
                time.sleep(seconds)
                times[1] = time.monotonic()
            finally:
                postgres.start()

        storm(gateway, [free, limited, stranger], outage, before=1, after=1)
        away = {caller: [(at, one) for at, one in caller.received if times[0] + 1 < at < times[1]] for caller in (free, limited, stranger)}
        assert all(away.values())
        assert set(free.statuses) == {200}
        assert {one.status for at, one in away[limited] if at < times[0] + LEASED_SECONDS} == {200}
        assert set(limited.statuses) <= {200, 503}
        assert {one.status for _, one in away[stranger]} == {503}
        assert set(stranger.statuses) == {401, 503}
        assert len(free.received) == free.sent

        until(lambda: chat(gateway, key=STRANGER).status == 401)
        until(lambda: chat(gateway, key=limited.key).status == 200)
        receipts = free.receipts | limited.receipts
        until(lambda: usage(gateway, free.key) == sum(free.receipts.values()), seconds=60)
        for answer in random.Random(7).sample([one for _, one in free.received], 20):
            assert pico(get(gateway, f"/generation?id={answer.id}", key=free.key).json["data"]["total_cost"]) == receipts[answer.id]
        assert gateway.stop() == 0
        assert not any("Traceback" in line for line in gateway.log), "".join(gateway.log)
    Books(tmp_path, url).check(receipts, free.sent + limited.sent + 60)
    took, broken = time.monotonic() - begun, limited.statuses[503]
    print(f"{seconds} s away: {len(receipts)} receipts, {broken} refused for want of a lease, 0 lost, 0 doubled, {took:.0f} s")


def test_several_workers_share_one_key_and_a_gateway_on_another_folder_knows_it(
    new_database: Callable[..., str], upstream: MockServer, tmp_path: Path
) -> None:
    environ = {"TRUNKLINE_DATABASE_URL": new_database()}
    with (
        Gateway(tmp_path / "one", town(upstream.url), arguments=("--workers", "2"), environ=environ) as first,
        Gateway(tmp_path / "two", town(upstream.url), environ=environ) as second,
    ):
        key = send(first, "POST", "/keys", key=MANAGEMENT_KEY, name="shared", limit=100).json["key"]
        answers = [chat(gateway, key=key) for gateway in (first, second) * 5]
        assert {answer.status for answer in answers} == {200}
        cost = sum(pico(answer.usage["cost"]) for answer in answers)
        until(lambda: all(usage(gateway, key) == cost for gateway in (first, second)))
