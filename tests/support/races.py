"""A pipeline with hedging over real sockets: mock upstreams whose endpoints count as measured, so that one that is slow is noticed."""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
from pipelines import USER, Bench, Outcome, served, words

from trunkline.analytics import histogram
from trunkline.analytics.slots import Slot
from trunkline.errors import ApiError
from trunkline.health.hedges import HedgeBudget
from trunkline.inference.attempts import Attempts
from trunkline.inference.call import Call, Exchange, Mint
from trunkline.inference.hedging import Hedging
from trunkline.inference.ledger import Ledger
from trunkline.inference.losers import Losers
from trunkline.inference.pipeline import Pipeline
from trunkline.inference.reply import AsgiReply
from trunkline.inference.routes import Routes
from trunkline.inference.skins import CHAT
from trunkline.inference.upstream import Live, Upstream
from trunkline.mock.script import Answer, Fault, Pace, Rule, Tokens
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.generation import GenerationRecord
from trunkline.protocol.identity import generation_text
from trunkline.providers.credentials import Credentials
from trunkline.transport.client import Client
from trunkline.transport.egress import EgressGuard

LATE_MS = 50
ORDER = {"order": ["one", "two", "three", "four"]}
ANSWER = Answer(text="one two three four", tokens=Tokens(prompt=7, completion=3))
QUICK = Rule(answer=ANSWER)
NEVER = Rule(answer=ANSWER, fault=Fault(kind="slow_first", seconds=3600))


def slow(milliseconds: float) -> Rule:
    """First content after so long."""
    return Rule(answer=ANSWER, pace=Pace(first_ms=milliseconds))


FAILING = Rule(fault=Fault(kind="status", status=500))
STREAMED = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n" + b"".join(words("Par", "is."))
REFUSED = b"HTTP/1.1 500 Oh\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"


def at(tag: str, url: str, **changes: Any) -> Endpoint:
    """An endpoint of the model a/m at an upstream."""
    return served(tag, base_url=url, **{"on_cancel": "stops", **changes})


class Gate:
    """An upstream that answers each request with what it is told, when it is told: `calls` have come, `closed` of them were given up."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1"
        self.calls = 0
        self.closed = 0
        self._answers: asyncio.Queue[bytes] = asyncio.Queue()

    def answer(self, data: bytes) -> None:
        """Let the oldest call that waits have this answer."""
        self._answers.put_nowait(data)

    async def open(self) -> asyncio.Server:
        """Listen."""
        return await asyncio.start_server(self._serve, sock=self._socket)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
        self.calls += 1
        gone, answer = asyncio.create_task(reader.read(1)), asyncio.create_task(self._answers.get())
        await asyncio.wait((gone, answer), return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            writer.write(answer.result())
            await writer.drain()
        else:
            self.closed += 1
        for task in (gone, answer):
            task.cancel()
        await asyncio.gather(gone, answer, return_exceptions=True)
        writer.close()


class Course(Bench):
    """Runs requests in one event loop. `share` is the extra load that is allowed, None = no hedging; of each endpoint `known` streams were
    measured, all with their first content after `late_ms`."""

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        *,
        gates: Sequence[Gate] = (),
        share: float | None = 1.0,
        known: int = 20,
        late_ms: int = LATE_MS,
        drains: int = 32,
    ) -> None:
        super().__init__(endpoints)
        self.real = Client(EgressGuard())
        self.drains._free = drains
        ledger = Ledger(self.ledgers, self.ledgers, self.estimates)
        self.losers = Losers(self.drains, ledger)
        self.hedging = Hedging(self.health, self.losers, HedgeBudget(share or 0.0))
        self.ways = Routes(self.real, Credentials({}), {})
        attempts = Attempts(self.ways, self.health)
        attempts.hedging = None if share is None else self.hedging
        self.services = msgspec.structs.replace(self.services, attempts=attempts, upstream=Upstream(self.real), ledger=ledger)
        self.pipeline = Pipeline(self.services)
        for endpoint in endpoints:
            slot = Slot()
            for _ in range(known):
                histogram.add(slot.latency, late_ms)
            self.health.seed(int(time.time()) // 60, endpoint.id, slot)
        self.gates = gates

    def go(self, scene: Callable[["Course"], Awaitable[None]]) -> None:
        """Run a scene; afterwards no task and no connection in use is left."""

        async def run() -> None:
            servers = [await gate.open() for gate in self.gates]
            async with asyncio.timeout(60):
                await scene(self)
                for server in servers:
                    server.close()
                await self.until(lambda: len(asyncio.all_tasks()) == 1)
                await self.until(lambda: self.real.stats().open == self.real.stats().idle)
            await self.real.close()

        asyncio.run(run())

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until the condition holds."""
        while not condition():
            await asyncio.sleep(0.002)

    async def admitted(self) -> Exchange:
        """A request of which nothing was sent yet."""
        call = self._call({})
        return await self.pipeline.admit(call, USER, CHAT.parse(call.body))

    async def opened(self, exchange: Exchange) -> Live:
        """An attempt at its endpoint."""
        assert exchange.endpoint is not None
        return await self.services.upstream.opened(exchange, self.ways.to(exchange.endpoint))

    def _call(self, fields: dict[str, Any]) -> Call:
        body = {"model": "a/m", "messages": [{"role": "user", "content": "Say so."}], "provider": ORDER, "stream": True, **fields}
        headers = {b"authorization": b"Bearer good", b"x-openrouter-metadata": b"enabled"}
        return Call(headers, msgspec.json.encode(body), Mint(), CHAT)

    async def one(self, *, gone: Awaitable[Any] | None = None, **fields: Any) -> Outcome:
        """One request, a stream unless told otherwise. The client leaves once `gone` is over."""
        call = self._call(fields)
        outcome = Outcome()

        async def receive() -> dict[str, str]:
            await (asyncio.sleep(3600) if gone is None else gone)
            return {"type": "http.disconnect"}

        try:
            await self.pipeline.run(call, AsgiReply(outcome.send, receive, []))
        except ApiError as error:
            outcome.error = error
        return outcome

    def ask(self, **fields: Any) -> Outcome:
        """One request in a loop of its own."""
        outcomes: list[Outcome] = []

        async def scene(_course: "Course") -> None:
            outcomes.append(await self.one(**fields))

        self.go(scene)
        return outcomes[0]

    @property
    def answers(self) -> list[GenerationRecord]:
        """The records of requests."""
        return [one for one in self.ledgers.records if one.hedge_of is None]

    @property
    def lost(self) -> list[GenerationRecord]:
        """The records of attempts that were given up."""
        return [one for one in self.ledgers.records if one.hedge_of is not None]

    def metered(self) -> GenerationRecord:
        """What was recorded of the one attempt that was given up, which its request's record names."""
        (answer,), (lost,) = self.answers, self.lost
        assert lost.hedge_of == generation_text(answer.id)
        assert [one.metered_as for one in answer.attempts if one.error_type == "cancelled"] == [generation_text(lost.id)]
        assert (lost.cost, lost.attempts, lost.cancelled) == (0, (), True)
        assert len(self.ledgers.settled) == 1, "the key's hold is settled by the request alone"
        assert self.losers.cost == lost.upstream_cost
        return lost
