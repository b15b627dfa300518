"""`kill -9` of any process under load: what a client received in full is recorded once and charged once, no lease outlives its end, and a
limit holds and can be used up (design decision 7, pitfalls 6)."""

import asyncio
import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import pytest
from clients import chat_body, crowd, get, send, until
from gateway import MANAGEMENT_KEY, Gateway
from postgres_server import PostgresServer
from storm import DEAR_USD, RULES, Books, Caller, pico, storm
from town import town

from trunkline.accounts.ledger_store import LEASE_MS
from trunkline.mock.thread import MockServer

PAID_EACH_KILL = 0.25
"""US dollars that the limited key has for each kill: more than a round spends."""


class Strike(Protocol):
    """Kills a process of this running gateway, chosen by the dice, and returns when all is up again."""

    def __call__(self, gateway: Gateway, dice: random.Random) -> None: ...


def lives(pid: int) -> bool:
    """Whether the process runs; a dead one that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def children(pid: int) -> list[int]:
    """The process's children."""
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def kill_the_server(gateway: Gateway, _dice: random.Random) -> None:
    """The only process, or the parent of the workers, which end by themselves: the next gateway starts meanwhile."""
    workers = children(gateway.pid)
    gateway.kill()
    gateway.start()
    until(lambda: not any(map(lives, workers)), seconds=60)


def kill_a_worker(gateway: Gateway, dice: random.Random) -> None:
    """One of the workers, which the parent starts again."""
    before = children(gateway.pid)
    victim = dice.choice(before)
    os.kill(victim, signal.SIGKILL)
    until(lambda: len(set(children(gateway.pid)) - {victim}) == len(before), seconds=60)


def killers_of_postgres(postgres: PostgresServer) -> list[Strike]:
    """The whole server, or one of its processes, after which it starts all others again."""

    def kill_the_database(_gateway: Gateway, dice: random.Random) -> None:
        postgres.kill()
        time.sleep(dice.uniform(0, 1.5))
        postgres.start()

    def kill_a_connection(_gateway: Gateway, dice: random.Random) -> None:
        os.kill(dice.choice(children(postgres.pid)), signal.SIGKILL)
        until(postgres.answers, seconds=60)

    return [kill_the_database, kill_a_connection]


def usage_of(gateway: Gateway, key: str) -> int:
    """What the key has spent, in pico-dollars."""
    return pico(get(gateway, "/key", key=key).json["data"]["usage"])


def spend_the_rest(gateway: Gateway, key: str, limit: int) -> int:
    """Uses up a key's limit with calls to acme/dear; returns its usage. Both in pico-dollars."""

    def spent() -> bool:
        answers = asyncio.run(crowd(gateway, [chat_body(model="acme/dear", max_tokens=1)] * 64, at_once=16, key=key))
        assert {answer.status for answer in answers if answer} <= {200, 402}
        return usage_of(gateway, key) >= limit

    until(spent, seconds=60)
    return usage_of(gateway, key)


def left(gateway: Gateway) -> list[Path]:
    """What lies in the spool."""
    return list((gateway.data_dir / "spool").glob("*.seg"))


def end(gateway: Gateway) -> None:
    """Stops it. What a worker left that was killed a moment ago, when the next had no time to begin, is stored by the next start."""
    assert gateway.stop() == 0
    if left(gateway):
        gateway.start()
        assert gateway.stop() == 0


def check_kills(gateway: Gateway, url: str, strikes: list[Strike], kills: int, *, wait: bool) -> str:
    """Strikes under load so many times and compares the books with the receipts; `wait` for the leases' true end. Returns the tally."""
    begun, dice = time.monotonic(), random.Random(kills)
    limit = PAID_EACH_KILL * kills
    gateway.start()
    keys = [send(gateway, "POST", "/keys", key=MANAGEMENT_KEY, name="load", limit=usd).json["key"] for usd in (100, limit)]
    callers = [Caller(keys[0], clients=14), Caller(keys[1], clients=2, pause=0.02, model="acme/dear", max_tokens=1)]
    for kill in range(kills):
        strike = strikes[kill % len(strikes)] if kill < len(strikes) else dice.choice(strikes)
        storm(gateway, callers, lambda strike=strike: strike(gateway, dice), before=dice.uniform(0.4, 1.2))
    receipts = callers[0].receipts | callers[1].receipts
    sent, statuses = sum(caller.sent for caller in callers), callers[0].statuses + callers[1].statuses
    assert statuses[200] == len(receipts)
    assert set(callers[0].statuses) <= {200, 503}, statuses
    assert set(callers[1].statuses) <= {200, 402, 503}, statuses
    assert statuses[503] == 0 or url, statuses
    with suppress(AssertionError):  # the books tell more
        until(lambda: all(usage_of(gateway, caller.key) >= sum(caller.receipts.values()) for caller in callers), seconds=60)
    end(gateway)
    books = Books(gateway.data_dir, url)
    books.check(receipts, sent)
    assert not left(gateway)
    left_ms = books.leased_until_ms - int(time.time() * 1000)
    assert left_ms <= LEASE_MS
    time.sleep(max(0, left_ms) / 1000) if wait else books.age_leases()
    gateway.start()
    assert spend_the_rest(gateway, keys[1], pico(limit)) <= pico(limit) + pico(DEAR_USD)
    assert gateway.stop() == 0
    assert "Traceback" not in "".join(gateway.log)
    told = ", ".join(f"{status}: {count}" for status, count in sorted(statuses.items()))
    return f"{kills} kills, {sent} calls ({told}), {len(receipts)} receipts, 0 lost, 0 doubled, {time.monotonic() - begun:.0f} s"


@pytest.fixture
def killed(request: pytest.FixtureRequest, database_url: str, upstream: MockServer, tmp_path: Path) -> Callable[..., str]:
    """`killed(workers, kills)` is the check on each engine in turn."""

    def check(workers: int, kills: int, *, wait: bool = False) -> str:
        upstream.use(*RULES)
        strikes: list[Strike] = [kill_the_server] if workers == 1 else [kill_a_worker, kill_the_server]
        if database_url:
            strikes += killers_of_postgres(request.getfixturevalue("postgres"))
        arguments = ("--workers", str(workers))
        gateway = Gateway(tmp_path, town(upstream.url), arguments=arguments, environ={"TRUNKLINE_DATABASE_URL": database_url})
        try:
            return check_kills(gateway, database_url, strikes, kills, wait=wait)
        finally:
            gateway.__exit__(None, None, None)

    return check


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_kill_of_the_server_loses_and_doubles_nothing(killed: Callable[..., str]) -> None:
    killed(1, 1)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_kill_of_a_worker_loses_and_doubles_nothing(killed: Callable[..., str]) -> None:
    killed(2, 1)


@pytest.mark.long
@pytest.mark.parametrize("workers", [1, 2])
def test_ten_kills_of_any_process_lose_and_double_nothing(killed: Callable[..., str], workers: int) -> None:
    print(killed(workers, 10, wait=True))
