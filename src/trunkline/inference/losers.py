"""What becomes of an attempt that was given up because another one was faster, and what it costs.

Providers bill what they have begun. So the connection is closed at once where that ends the bill (`on_cancel = "stops"`), and the prompt is
counted by estimate, with what had come; where it goes on (`bills_on`) the answer is read to its end, within the bounds that hold for
callers who left, and counted as the upstream counts it. Either way it is recorded once, as a generation of its own:
`GenerationRecord.hedge_of`.
"""

import asyncio
import time
from functools import partial
from typing import Any, Generic, TypeVar

from trunkline.errors import ApiError, UpstreamError
from trunkline.inference.call import Exchange, Mint
from trunkline.inference.ledger import Ledger
from trunkline.inference.records import UNSEEN
from trunkline.inference.relay import let_go
from trunkline.inference.upstream import Live
from trunkline.inference.watch import DRAIN_SECONDS, Drains
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.identity import generation_text
from trunkline.transport.tasks import spawn

T = TypeVar("T")


class Run(Generic[T]):
    """One of the attempts that run beside each other, with its own copy of the exchange."""

    __slots__ = ("endpoint", "exchange", "task")

    def __init__(self, exchange: Exchange, endpoint: Endpoint, task: asyncio.Task[T]) -> None:
        self.exchange = exchange
        self.endpoint = endpoint
        self.task = task


class Losers:
    """Sees them off. `cost` is what they have cost since the start, in pico-dollars."""

    def __init__(self, drains: Drains, ledger: Ledger) -> None:
        self.cost = 0
        self._drains = drains
        self._ledger = ledger
        self._mint = Mint()
        self._running: set[asyncio.Task[None]] = set()

    def take(self, run: Run[Any]) -> str:
        """Close or drain an attempt, and record what it cost; returns the id under which that will be recorded."""
        id = self._mint.mint(time.time_ns() // 1_000_000)
        draining = run.endpoint.on_cancel == "bills_on" and self._drains.take()
        if not draining:
            run.task.cancel()
        task = spawn(_drained(run) if draining else _closed(run), name="hedge that lost")
        self._running.add(task)
        task.add_done_callback(partial(self._ended, run, id, draining))
        return generation_text(id)

    def drop(self, run: Run[Any]) -> None:
        """Close an attempt that is recorded otherwise."""
        if not run.task.done():
            run.task.cancel()
            spawn(_closed(run), name="hedged attempt that ended")
        elif (live := _live_of(run)) is not None:
            live.response.close()

    async def close(self) -> None:
        """Have what still runs recorded as far as it has come."""
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(self._running)

    def _ended(self, run: Run[Any], id: bytes, draining: bool, task: asyncio.Task[None]) -> None:
        """Record it. A callback of the task, since one that is cancelled at once never runs a line of its own."""
        self._running.discard(task)
        if draining:
            self._drains.give()
        run.task.cancel()
        live = _live_of(run)
        if live is not None:
            live.response.close()
        seen = UNSEEN if live is None else live.stream
        self.cost += self._ledger.lose(run.exchange, run.endpoint, seen, id, billed=run.exchange.is_billed() and not _is_refused(run))


async def _closed(run: Run[Any]) -> None:
    await asyncio.wait([run.task])
    live = _live_of(run)
    if live is not None:
        live.response.close()


async def _drained(run: Run[Any]) -> None:
    """Read the answer to its end, or until it has had its time."""
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            live = await run.task
            if isinstance(live, Live):
                await _read(live)
    except (UpstreamError, ApiError, TimeoutError):
        return


async def _read(live: Live) -> None:
    stream, splitter = live.stream, live.splitter
    while not stream.done:
        data = await live.response.read()
        stream.feed(splitter.feed(data) if data else splitter.close())
        if not data or stream.error is not None:
            stream.end()
            return
    await let_go(live)


def _live_of(run: Run[Any]) -> Live | None:
    """The stream that an attempt has opened, if it has."""
    task = run.task
    if not task.done() or task.cancelled() or task.exception() is not None:
        return None
    result = task.result()
    return result if isinstance(result, Live) else None


def _is_refused(run: Run[Any]) -> bool:
    """Whether the attempt failed by itself meanwhile: upstreams do not bill that."""
    return run.task.done() and not run.task.cancelled() and run.task.exception() is not None
