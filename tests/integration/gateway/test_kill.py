"""`kill -9` under load: what a client received in full is recorded once and charged once (design decision 7, pitfalls 6)."""

import asyncio
import sqlite3
import time
from fractions import Fraction
from pathlib import Path

import aiohttp
import pytest
from clients import Answer, chat_body, get, post, send, until
from gateway import MANAGEMENT_KEY, Gateway
from town import town

from trunkline.mock.script import Answer as Said
from trunkline.mock.script import Match, Pace, Rule
from trunkline.mock.thread import MockServer
from trunkline.protocol.identity import generation_text

CLIENTS = 16
SECONDS = 1.0


async def load_and_kill(gateway: Gateway, key: str) -> list[Answer]:
    """Clients ask one thing after another until the server is killed under them; returns what was received to the last byte."""
    received: list[Answer] = []
    killed = False

    async def client(session: aiohttp.ClientSession, number: int) -> None:
        turn = number
        while not killed:
            turn += 1
            answer = await post(session, gateway, chat_body(stream=turn % 2 == 0), key=key)
            if answer is None:
                return
            received.append(answer)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=20)) as session:
        tasks = [asyncio.create_task(client(session, number)) for number in range(CLIENTS)]
        await asyncio.sleep(SECONDS)
        killed = True
        gateway.kill()
        await asyncio.gather(*tasks)
    return received


def pico(usd: float) -> int:
    return round(Fraction(str(usd)) * 10**12)


def usage_of(gateway: Gateway, key: str) -> int:
    return pico(get(gateway, "/key", key=key).json["data"]["usage"])


def check_kills(upstream: MockServer, folder: Path, kills: int) -> None:
    upstream.use(
        Rule(match=Match(stream=True), answer=Said(events=6), pace=Pace(event_ms=2)),
        Rule(answer=Said(text="Paris is the capital."), pace=Pace(head_ms=4)),
    )
    received: list[Answer] = []
    with Gateway(folder, town(upstream.url)) as gateway:
        key = send(gateway, "POST", "/keys", key=MANAGEMENT_KEY, name="load", limit=100).json["key"]
        for _ in range(kills):
            fresh = asyncio.run(load_and_kill(gateway, key))
            assert len(fresh) > 20, "".join(gateway.log)
            received += fresh
            gateway.start()
            missing = [answer.id for answer in fresh if get(gateway, f"/generation?id={answer.id}", key=key).status != 200]
            assert missing == []
        assert {answer.status for answer in received} == {200}
        assert len({answer.id for answer in received}) == len(received)
        acknowledged = sum(pico(answer.usage["cost"]) for answer in received)
        until(lambda: usage_of(gateway, key) >= acknowledged)
        settle(gateway, key)
        recorded = recorded_costs(gateway)
        assert usage_of(gateway, key) == sum(recorded.values())
        assert all(recorded[answer.id] == pico(answer.usage["cost"]) for answer in received)


def settle(gateway: Gateway, key: str) -> None:
    """Wait until the ledger has taken what was left in the spool."""
    before = -1
    while (now := usage_of(gateway, key)) != before:
        before = now
        time.sleep(0.3)


def recorded_costs(gateway: Gateway) -> dict[str, int]:
    """The cost in pico-dollars of every generation in the store, by its id on the wire."""
    gateway.stop()
    database = sqlite3.connect(gateway.data_dir / "telemetry.db")
    rows = database.execute("SELECT id, cost FROM generations").fetchall()
    database.close()
    gateway.start()
    assert len({row[0] for row in rows}) == len(rows)
    return {generation_text(row[0]): row[1] for row in rows}


def test_two_kills_lose_and_double_nothing(upstream: MockServer, tmp_path: Path) -> None:
    check_kills(upstream, tmp_path, 2)


@pytest.mark.long
def test_twenty_kills_lose_and_double_nothing(upstream: MockServer, tmp_path: Path) -> None:
    check_kills(upstream, tmp_path, 20)
