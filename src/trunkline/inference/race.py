"""Two attempts beside each other: the first content wins, the other attempt is given up (`inference.losers`).

The first attempt runs alone until it is later than usual; then one more begins at the plan's next endpoint. A failure of one of them is
noted like any other, and the other one goes on alone. Each has a copy of the exchange, and what the winner, or the last to fail, made of
its copy becomes the exchange's own.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from trunkline.errors import ApiError, UpstreamError
from trunkline.inference.call import Exchange
from trunkline.inference.hedging import Hedging, Pair, Queue
from trunkline.inference.losers import Run
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.generation import CANCELLED, AttemptRecord

log = logging.getLogger(__name__)

T = TypeVar("T")


class Race(Generic[T]):
    """One race. `queue` holds the endpoints after the first one; a hedge takes the next of them. `tried` makes an attempt, `failed` notes
    the failure of one while the other goes on."""

    def __init__(
        self,
        hedging: Hedging,
        exchange: Exchange,
        queue: Queue,
        tried: Callable[[Exchange, Endpoint], Coroutine[Any, Any, T]],
        failed: Callable[[Exchange, Endpoint, UpstreamError], None],
    ) -> None:
        self._hedging = hedging
        self._exchange = exchange
        self._queue = queue
        self._tried = tried
        self._failed = failed
        self._runs: list[Run[T]] = []

    async def run(self, endpoint: Endpoint, seconds: float) -> tuple[Endpoint, T]:
        """The result of the faster attempt, and where it came from; the second one begins after `seconds`. Raises what the last to fail
        raised."""
        exchange = self._exchange
        exchange.on_left = self._leave_alone
        try:
            first = self._start(exchange.fork(), endpoint)
            await asyncio.wait([first.task], timeout=seconds)
            if not first.task.done():
                self._hedge(first)
            winner = await self._fastest()
        except BaseException:
            self._end()
            raise
        finally:
            exchange.on_left = None
        self._hedging.budget.won += winner.exchange.hedge
        for run in self._runs:
            if run is not winner:
                self._lose(run)
        exchange.adopt(winner.exchange)
        return winner.endpoint, winner.task.result()

    def _start(self, twin: Exchange, endpoint: Endpoint) -> Run[T]:
        run = Run(twin, endpoint, asyncio.get_running_loop().create_task(self._tried(twin, endpoint)))
        self._runs.append(run)
        return run

    def _hedge(self, first: Run[T]) -> None:
        """Begin the second attempt, where that may be done."""
        exchange, hedging = self._exchange, self._hedging
        if exchange.abandoned or not self._queue:
            return
        endpoint, repair = self._queue[0]
        pair = Pair(exchange.request, first.endpoint, endpoint, exchange.plan.allow_fallbacks, exchange.staged is not None)
        if hedging.why_not(pair) is not None or not hedging.health.begin(endpoint.id):
            return
        del self._queue[0]
        hedging.budget.start()
        exchange.hedged = True
        twin = exchange.fork()
        twin.endpoint, twin.repair, twin.sent_at, twin.hedge = endpoint, repair, time.monotonic(), True
        self._start(twin, endpoint)

    async def _fastest(self) -> Run[T]:
        """The attempt that has its first content."""
        while True:
            for run in sorted([one for one in self._runs if one.task.done()], key=_has_result):
                try:
                    run.task.result()
                except UpstreamError as error:
                    if len(self._runs) == 1:
                        raise
                    self._drop(run)
                    self._failed(run.exchange, run.endpoint, error)
                except Exception as error:
                    if run is self._runs[0]:
                        raise
                    if not isinstance(error, ApiError):
                        log.exception("a hedge at %s", run.endpoint.id)
                    self._drop(run)
                    self._hedging.health.released(run.endpoint.id)
                else:
                    return run
            await asyncio.wait([run.task for run in self._runs], return_when=asyncio.FIRST_COMPLETED)

    def _drop(self, run: Run[T]) -> None:
        """Go on without an attempt that has ended."""
        self._runs.remove(run)
        self._exchange.adopt(self._runs[0].exchange)

    def _leave_alone(self) -> None:
        """The client is gone: nothing more is begun for it, and only one attempt may go on."""
        for run in self._runs[1:]:
            self._lose(run)
        del self._runs[1:]

    def _end(self) -> None:
        """Nobody waits any more: the first attempt is the one by which the request is recorded."""
        main, *others = self._runs
        self._exchange.adopt(main.exchange)
        self._hedging.losers.drop(main)
        for run in others:
            self._lose(run)

    def _lose(self, run: Run[T]) -> None:
        """Give up an attempt, which speaks neither for its endpoint nor against it."""
        exchange, endpoint = run.exchange, run.endpoint
        self._hedging.health.released(endpoint.id)
        metered_as = self._hedging.losers.take(run)
        latency = round((time.monotonic() - exchange.sent_at) * 1000)
        record = AttemptRecord(endpoint.provider_name, endpoint.id, endpoint.model, 0, latency, None, CANCELLED, exchange.hedge, metered_as)
        self._exchange.attempts.append(record)


def _has_result(run: Run[Any]) -> bool:
    """Sorts what failed before what did not, so that no failure is lost."""
    return not run.task.cancelled() and run.task.exception() is None
