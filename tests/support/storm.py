"""Clients that go on asking while something is broken under them, and what they were told: the receipts of a test of losses."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Any

import aiohttp
from clients import TIMEOUT, Answer, chat_body, post
from gateway import Gateway

from trunkline import settings
from trunkline.mock.script import Answer as Said
from trunkline.mock.script import Match, Pace, Rule
from trunkline.protocol.identity import generation_text
from trunkline.storage.engines import open_storage

DEAR_USD = 0.001007
"""What a call of `acme/dear` costs with RULES and one token of output."""
ENOUGH = 50
RULES = (
    Rule(match=Match(model="dear"), answer=Said(text="Hi", usage={"prompt_tokens": 7, "completion_tokens": 1})),
    Rule(match=Match(stream=True), answer=Said(events=6), pace=Pace(event_ms=2)),
    Rule(answer=Said(text="Paris is the capital."), pace=Pace(head_ms=4)),
)


def pico(usd: float) -> int:
    """US dollars as integer pico-dollars."""
    return round(Fraction(str(usd)) * 10**12)


class Caller:
    """So many clients of one key, each of which asks `pause` seconds after its last answer; streamed and whole in turn."""

    def __init__(self, key: str, *, clients: int = 1, pause: float = 0.0, **fields: Any) -> None:
        self.key = key
        self.clients = clients
        self.pause = pause
        self.sent = 0
        self.received: list[tuple[float, Answer]] = []
        self._fields = fields

    @property
    def receipts(self) -> dict[str, int]:
        """What each answer with status 200 said that it cost, in pico-dollars, by the generation's id."""
        return {answer.id: pico(answer.usage["cost"]) for _, answer in self.received if answer.status == 200}

    @property
    def statuses(self) -> Counter[int]:
        """How often each status came."""
        return Counter(answer.status for _, answer in self.received)

    async def ask(self, session: aiohttp.ClientSession, gateway: Gateway, ended: asyncio.Event) -> None:
        """Ask until it has ended; a connection that breaks is no answer."""
        while not ended.is_set():
            if not gateway.url:  # it starts
                await asyncio.sleep(0.05)
                continue
            self.sent += 1
            answer = await post(session, gateway, chat_body(stream=self.sent % 2 == 0, **self._fields), key=self.key)
            if answer is not None:
                self.received.append((time.monotonic(), answer))
            await asyncio.sleep(self.pause if answer is not None else 0.05)


def storm(gateway: Gateway, callers: Sequence[Caller], strike: Callable[[], object], *, before: float = 0.5, after: float = 0.5) -> None:
    """Runs the callers, after `before` seconds and ENOUGH answers `strike` in a thread, and ends `after` seconds after that."""
    known = sum(len(caller.received) for caller in callers)

    async def run() -> None:
        ended = asyncio.Event()
        timeout = aiohttp.ClientTimeout(total=TIMEOUT)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout) as session, asyncio.TaskGroup() as group:
            for caller in callers:
                for _ in range(caller.clients):
                    group.create_task(caller.ask(session, gateway, ended))
            try:
                await asyncio.sleep(before)
                async with asyncio.timeout(TIMEOUT):
                    while sum(len(caller.received) for caller in callers) < known + ENOUGH:
                        await asyncio.sleep(0.01)
                await asyncio.to_thread(strike)
                await asyncio.sleep(after)
            finally:
                ended.set()

    asyncio.run(run())


class Books:
    """What both databases hold while no gateway runs: costs in pico-dollars by the id on the wire, and the latest end of a lease that
    holds money (Unix milliseconds, 0 = none)."""

    def __init__(self, data_dir: Path, database_url: str) -> None:
        self._settings = settings.load({"data_dir": str(data_dir)}, {"TRUNKLINE_DATABASE_URL": database_url})
        storage = open_storage(self._settings)
        with closing(storage.connect_control()) as control, closing(storage.connect_telemetry()) as telemetry:
            ledger = control.execute("SELECT id, amount FROM ledger").fetchall()
            generations = telemetry.execute("SELECT id, cost FROM generations").fetchall()
            self.charged = int(control.execute("SELECT coalesce(sum(amount), 0) FROM key_spend_day").fetchone()[0])
            self.counted = int(telemetry.execute("SELECT coalesce(sum(requests), 0) FROM model_day").fetchone()[0])
            self.leased_until_ms = control.execute("SELECT coalesce(max(expires_ms), 0) FROM leases WHERE remaining > 0").fetchone()[0]
        self.ledger = {generation_text(bytes(row[0])): row[1] for row in ledger}
        self.generations = {generation_text(bytes(row[0])): row[1] for row in generations}
        self.doubled = len(ledger) - len(self.ledger) + len(generations) - len(self.generations)
        asyncio.run(storage.close())

    def age_leases(self) -> None:
        """Let all leases end now."""
        storage = open_storage(self._settings)
        with closing(storage.connect_control()) as control, control.transaction():
            control.execute("UPDATE leases SET expires_ms = ?", (int(time.time() * 1000) - 1,))
        asyncio.run(storage.close())

    def check(self, receipts: dict[str, int], sent: int) -> None:
        """Each receipt is charged and stored once with its cost, and nothing beyond what was sent is."""
        lost = [one for one in receipts if one not in self.ledger or one not in self.generations]
        assert not lost, f"{len(lost)} of {len(receipts)} receipts are lost: {lost[:5]}"
        assert self.doubled == 0
        wrong = [one for one, cost in receipts.items() if not self.ledger[one] == self.generations[one] == cost]
        assert not wrong, wrong[:5]
        assert self.ledger == self.generations
        assert len(self.ledger) <= sent
        assert self.charged == sum(self.ledger.values())
        assert self.counted == len(self.generations)
