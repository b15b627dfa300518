"""Four workers are one server: one socket, one writer of the analytics, one truth about keys, models and generations; also when a worker is
killed."""

import asyncio
import os
import random
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import aiohttp
import pytest
from clients import Answer, call, chat, chat_body, crowd, get, post, send, until
from gateway import MANAGEMENT_KEY, Gateway
from town import alone, town

from trunkline.metering.writer_lock import LOCK_FILE
from trunkline.mock.script import Answer as Said
from trunkline.mock.script import Match, Pace, Rule
from trunkline.mock.thread import MockServer
from trunkline.protocol.identity import generation_text

WORKERS = 4
TRIES = 60
WRITE_LOCK = 120
"""The byte of SQLite's shared-memory file that is locked by who writes (sqlite.org/walformat.html, 2.3)."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it looks at the processes by way of /proc")


@pytest.fixture(scope="module")
def fleet(mock: MockServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway with four workers, all of which have stored something."""
    with Gateway(tmp_path_factory.mktemp("fleet"), town(mock.url), arguments=("--workers", str(WORKERS))) as running:
        until(lambda: all_hand_over(running), seconds=60)
        yield running
        assert not [line for line in running.log if "Traceback" in line], "".join(running.log)


def all_hand_over(gateway: Gateway) -> bool:
    """Asks, and tells whether all workers but the writer are connected to it by now."""
    asyncio.run(crowd(gateway, [chat_body()] * 8, at_once=8))
    return couriers(gateway) == WORKERS - 1


def workers(gateway: Gateway) -> list[int]:
    """The process ids of the workers."""
    return [int(pid) for pid in Path(f"/proc/{gateway.pid}/task/{gateway.pid}/children").read_text().split()]


def holders(file: Path, kind: str, start: int = 0) -> set[int]:
    """The processes that have this lock on a file now (proc_locks(5))."""
    try:
        inode = file.stat().st_ino
    except FileNotFoundError:
        return set()
    lines = [line.split() for line in Path("/proc/locks").read_text().splitlines() if "->" not in line]
    return {
        int(line[4])
        for line in lines
        if line[1] == kind and line[3] == "WRITE" and line[5:7] == [line[5], str(start)] and inode_of(line) == inode
    }


def inode_of(line: list[str]) -> int:
    return int(line[5].rpartition(":")[2])


def writer(gateway: Gateway) -> int:
    """The worker that writes for all; there is exactly one."""
    [pid] = holders(gateway.data_dir / LOCK_FILE, "FLOCK")
    return pid


def couriers(gateway: Gateway) -> int:
    """How many connections the writer's desk has (unix(4): the state of a connected socket is 3)."""
    names = {path.name for path in gateway.data_dir.glob("writer-*.sock")}
    lines = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()[1:]]
    return sum(1 for line in lines if len(line) > 7 and line[7].rpartition("/")[2] in names and line[5] == "03")


def pico(usd: float) -> int:
    return round(Fraction(str(usd)) * 10**12)


def query(gateway: Gateway, database: str, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(gateway.data_dir / f"{database}.db")) as connection:
        return connection.execute(sql).fetchall()


def of_all(ask: Callable[[], object], tries: int = TRIES) -> set[object]:
    """What many fresh connections are told: with four workers, all of them answer."""
    with ThreadPoolExecutor(8) as threads:
        return set(threads.map(lambda _: ask(), range(tries)))


def test_they_accept_from_one_socket(fleet: Gateway) -> None:
    port = f"{int(fleet.url.rpartition(':')[2]):04X}"
    listening = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    [inode] = [line[9] for line in listening if line[3] == "0A" and line[1].endswith(f":{port}")]
    for pid in workers(fleet):
        assert f"socket:[{inode}]" in map(target, Path(f"/proc/{pid}/fd").iterdir())


def target(link: Path) -> str:
    """What an open descriptor leads to; nothing when it was closed meanwhile."""
    try:
        return str(link.readlink())
    except FileNotFoundError:
        return ""


def test_each_has_a_spool_of_its_own(fleet: Gateway) -> None:
    spool = fleet.data_dir / "spool"
    assert len(list(spool.glob("*.lock"))) == WORKERS
    assert {pid for lock in spool.glob("*.lock") for pid in holders(lock, "FLOCK")} == set(workers(fleet))
    owners = {path.stem for path in spool.glob("*.lock")}
    assert len(list(spool.glob("*.seg"))) >= WORKERS
    assert {path.name.partition(".")[0] for path in spool.glob("*.seg")} == owners


def test_one_of_them_writes_for_all(fleet: Gateway, upstream: MockServer) -> None:
    seen: set[int] = set()
    ending = threading.Event()

    def watch() -> None:
        while not ending.wait(0.0005):
            seen.update(holders(fleet.data_dir / "telemetry.db-shm", "POSIX", WRITE_LOCK))

    watching = threading.Thread(target=watch)
    watching.start()
    answers = asyncio.run(crowd(fleet, [chat_body(stream=number % 2 == 0) for number in range(1200)], at_once=24))
    until(lambda: not lacking(fleet, [answer for answer in answers if answer]))
    ending.set()
    watching.join()
    assert {answer.status for answer in answers if answer} == {200}
    passed_over = any("does not answer" in line for line in fleet.log)  # as it may on a machine that stands still for seconds
    assert seen <= {writer(fleet)} or passed_over
    assert couriers(fleet) == WORKERS - 1 or passed_over
    assert sum("writes the generations of all workers" in line for line in fleet.log) == 1


def lacking(gateway: Gateway, answers: list[Answer]) -> set[str]:
    """Which of these generations the store does not hold."""
    return {answer.id for answer in answers} - {generation_text(id) for (id,) in query(gateway, "telemetry", "SELECT id FROM generations")}  # type: ignore[arg-type]


def test_any_of_them_knows_a_generation_right_after_the_reply(fleet: Gateway, upstream: MockServer) -> None:
    def ask() -> tuple[int, bool]:
        answer = chat(fleet, stream=random.random() < 0.5)
        found = get(fleet, f"/generation?id={answer.id}")
        return found.status, found.json["data"]["total_cost"] == pytest.approx(answer.usage["cost"])

    assert of_all(ask, 4 * TRIES) == {(200, True)}


def test_all_of_them_see_a_change_of_keys_and_models_soon(fleet: Gateway, upstream: MockServer) -> None:
    made = send(fleet, "POST", "/keys", key=MANAGEMENT_KEY, name="new").json
    assert of_all(lambda: chat(fleet, key=made["key"]).status) == {200}
    send(fleet, "PATCH", f"/keys/{made['data']['hash']}", key=MANAGEMENT_KEY, disabled=True)
    until(lambda: of_all(lambda: chat(fleet, key=made["key"]).status) == {401}, seconds=5)

    assert of_all(lambda: chat(fleet, model="acme/fresh").status) == {400}
    fleet.config.write_text(fleet.config.read_text() + alone("acme/fresh", "fresh"))
    fleet.signal(signal.SIGHUP)
    until(lambda: of_all(lambda: chat(fleet, model="acme/fresh").status) == {200}, seconds=5)


def test_a_key_that_uses_free_models_only_is_seen_to_be_used(fleet: Gateway, upstream: MockServer) -> None:
    made = send(fleet, "POST", "/keys", key=MANAGEMENT_KEY, name="free").json
    assert made["data"]["last_used_at"] is None
    assert chat(fleet, key=made["key"], model="acme/free").usage["cost"] == 0
    until(lambda: send(fleet, "GET", f"/keys/{made['data']['hash']}", key=MANAGEMENT_KEY).json["data"]["last_used_at"])


async def ask_until_killed(gateway: Gateway, key: str, *, kills: int) -> list[Answer]:
    """Clients ask while the writer is killed under them, again and again; returns what was received to the last byte."""
    received: list[Answer] = []
    ending = False

    async def client(session: aiohttp.ClientSession, number: int) -> None:
        turn = number
        while not ending:
            turn += 1
            answer = await post(session, gateway, chat_body(stream=turn % 2 == 0), key=key)
            if answer is not None:
                received.append(answer)

    timeout = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout) as session:
        tasks = [asyncio.create_task(client(session, number)) for number in range(16)]
        for _ in range(kills):
            await asyncio.sleep(1.0)
            killed = writer(gateway)
            os.kill(killed, signal.SIGKILL)
            async with asyncio.timeout(30):
                while holders(gateway.data_dir / LOCK_FILE, "FLOCK") - {killed} == set():
                    await asyncio.sleep(0.02)
        await asyncio.sleep(0.5)
        ending = True
        await asyncio.gather(*tasks)
    return received


def check_kills(upstream: MockServer, folder: Path, kills: int) -> None:
    upstream.use(
        Rule(match=Match(stream=True), answer=Said(events=6), pace=Pace(event_ms=2)),
        Rule(answer=Said(text="Paris is the capital."), pace=Pace(head_ms=4)),
    )
    with Gateway(folder, town(upstream.url), arguments=("--workers", str(WORKERS))) as gateway:
        until(lambda: all_hand_over(gateway), seconds=60)
        key = send(gateway, "POST", "/keys", key=MANAGEMENT_KEY, name="load", limit=1000).json
        received = asyncio.run(ask_until_killed(gateway, key["key"], kills=kills))
        assert len(received) > 100
        assert {answer.status for answer in received} == {200}
        assert len({answer.id for answer in received}) == len(received)
        until(lambda: not lacking(gateway, received), seconds=30)
        until(lambda: call(gateway, "GET", "/health", key=None).json["recording"]["waiting"] == 0)
        assert gateway.stop() == 0
    own = f"WHERE key_hash = '{key['data']['hash']}'"
    stored = query(gateway, "telemetry", f"SELECT id, cost FROM generations {own}")
    charged = query(gateway, "control", f"SELECT id, amount FROM ledger {own}")
    assert sorted(stored) == sorted(charged)
    costs = {generation_text(id): cost for id, cost in stored}  # type: ignore[arg-type]
    assert len(costs) == len(stored)
    assert {answer.id: costs.get(answer.id) for answer in received} == {answer.id: pico(answer.usage["cost"]) for answer in received}
    total = sum(costs.values())  # type: ignore[arg-type]
    assert query(gateway, "control", f"SELECT sum(amount) FROM key_spend_day {own}") == [(total,)]
    assert query(gateway, "telemetry", f"SELECT sum(requests), sum(cost) FROM key_day {own}") == [(len(stored), total)]
    assert not list((folder / "spool").glob("*.seg"))
    assert not list(folder.glob("writer-*.sock"))
    assert sum("writes the generations of all workers" in line for line in gateway.log) > kills


def test_a_killed_writer_is_replaced_and_everything_is_recorded_and_billed_once(upstream: MockServer, tmp_path: Path) -> None:
    check_kills(upstream, tmp_path, 2)


@pytest.mark.long
def test_twelve_killed_writers_lose_and_double_nothing(upstream: MockServer, tmp_path: Path) -> None:
    check_kills(upstream, tmp_path, 12)
