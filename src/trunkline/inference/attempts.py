"""The walk through a plan: endpoint after endpoint, until one has given its first content (the commit rule of docs/architecture.md,
"Errors").

Everything before the first content happens inside the attempt, so that a failure there can be answered by another endpoint without the
caller seeing it.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, Protocol, TypeVar

from trunkline.errors import UpstreamError, UpstreamRefused
from trunkline.health.monitor import Monitor
from trunkline.inference.call import Exchange
from trunkline.inference.failures import Failure, summarise
from trunkline.inference.hedging import Hedging, Queue
from trunkline.inference.race import Race
from trunkline.inference.refused_wishes import RefusedWishes
from trunkline.inference.repairs import Repair, repair_for
from trunkline.inference.verdicts import PASSING, verdict
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.generation import AttemptRecord

MAX_ATTEMPTS = 5
"""For one request, or one for each of its models, whichever is more; besides as many with the caller's own keys."""
MAX_CALLER_FAULTS = 2
"""So many endpoints of a model that refuse a request as wrong are enough."""
DEADLINE_SECONDS = 900.0
"""After so long no further endpoint is tried, counted from the acceptance of the request."""
RETRY_JITTER_SECONDS = 0.2
SHORT_WAIT_SECONDS = 1.0
"""A rate limit that ends so soon is waited for where there is no other endpoint."""

T = TypeVar("T")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
Attempt = Callable[[Exchange, R], Awaitable[T]]


class Ways(Protocol[R_co]):
    """Knows the prepared way to each endpoint."""

    def to(self, endpoint: Endpoint) -> R_co:
        """The way to an endpoint. Raises UpstreamError for one that may not be called."""


class Attempts(Generic[R]):
    """Tries endpoints in order, tells `health` of every outcome, and notes each attempt in the exchange. `hedging` has a further one begin
    beside a slow one; None = never."""

    def __init__(self, routes: Ways[R], health: Monitor) -> None:
        self._routes = routes
        self._health = health
        self._refused = RefusedWishes()
        self.hedging: Hedging | None = None

    async def first_success(self, exchange: Exchange, attempt: Attempt[R, T]) -> tuple[Endpoint, T]:
        """The first endpoint whose attempt succeeds, and its result. Raises ApiError, made of all failures, when none does."""
        self._health.retries.request()
        failures: list[Failure] = []
        queue: Queue = [(endpoint, None) for endpoint in exchange.plan.attempts]
        deadline = exchange.call.started + DEADLINE_SECONDS
        hedging = self.hedging
        while queue and (not failures or time.monotonic() < deadline):
            endpoint, exchange.repair = queue.pop(0)
            if not self._health.begin(endpoint.id) and queue:
                queue.append((endpoint, exchange.repair))
                endpoint, exchange.repair = queue.pop(0)
                self._health.begin(endpoint.id)
            exchange.endpoint = endpoint
            if exchange.repair is None:
                exchange.repair = self._refused.repair(endpoint, exchange.original)
            exchange.sent_at = time.monotonic()
            try:
                if hedging is None:
                    result = await attempt(exchange, self._routes.to(endpoint))
                else:
                    endpoint, result = await self._hedged(hedging, exchange, endpoint, attempt, queue, failures)
            except UpstreamError as error:
                endpoint = exchange.endpoint or endpoint
                self._note(exchange, endpoint, error, queue, failures)
                if not queue and not exchange.abandoned and _is_new(failures) and self._may_repeat(error):
                    await asyncio.sleep(_pause(error))
                    queue.append((endpoint, exchange.repair))
            except BaseException:
                self._health.released((exchange.endpoint or endpoint).id)
                raise
            else:
                exchange.failures = failures
                self._succeeded(exchange, endpoint)
                return endpoint, result
        exchange.failures = failures
        raise summarise(failures, exchange.request.models)

    async def _hedged(
        self, hedging: Hedging, exchange: Exchange, first: Endpoint, attempt: Attempt[R, T], queue: Queue, failures: list[Failure]
    ) -> tuple[Endpoint, T]:
        """An attempt that another one may overtake: where the answer came from, and the result."""

        async def tried(one: Exchange, endpoint: Endpoint) -> T:
            one.repair = one.repair or self._refused.repair(endpoint, one.original)
            return await attempt(one, self._routes.to(endpoint))

        def failed(one: Exchange, endpoint: Endpoint, error: UpstreamError) -> None:
            self._note(one, endpoint, error, queue, failures)

        exchange.hedge = False
        seconds = hedging.patience(exchange, first, queue)
        if seconds is None:
            return first, await tried(exchange, first)
        return await Race(hedging, exchange, queue, tried, failed).run(first, seconds)

    def _note(self, exchange: Exchange, endpoint: Endpoint, error: UpstreamError, queue: Queue, failures: list[Failure]) -> None:
        """Note a failed attempt, and what follows from it for the endpoints that are left."""
        self.failed(exchange, endpoint, error)
        # Without its traceback: that holds the frame, which holds this list, and only the garbage collector would undo the circle.
        failures.append(Failure(endpoint, error.with_traceback(None)))
        _give_up(queue, failures)
        chosen = exchange.request.chosen
        if chosen is not None and endpoint.model in chosen.standbys and verdict(error).error_type not in PASSING:
            queue[:] = [one for one in queue if one[0].model == endpoint.model or one[0].model not in chosen.standbys]
        repair = _further_repair(exchange, endpoint, error)
        if repair is not None and len(failures) < MAX_ATTEMPTS:
            queue.insert(0, (endpoint, repair))
        exchange.response = None
        if exchange.abandoned:
            queue.clear()

    def _may_repeat(self, error: UpstreamError) -> bool:
        """Whether the only endpoint that is left may be tried once more."""
        return (verdict(error).again or _wait_of(error) is not None) and self._health.retries.retry()

    def _succeeded(self, exchange: Exchange, endpoint: Endpoint) -> None:
        exchange.first_content_at = now = time.monotonic()
        self._health.succeeded(endpoint)
        if exchange.repair is not None:
            self._refused.remember(endpoint, exchange.original(), exchange.repair)
        exchange.attempts.append(_record(exchange, endpoint, now, 200))

    def failed(self, exchange: Exchange, endpoint: Endpoint, error: UpstreamError) -> None:
        """Note a failed attempt. One that failed after its first content was noted as a success, whose place this takes."""
        row = verdict(error, own_key=bool(endpoint.byok))
        late = bool(exchange.attempts) and exchange.attempts[-1].error_type is None
        self._health.failed(endpoint, error, counts=row.counts, late=late)
        if late:
            del exchange.attempts[-1]
        exchange.attempts.append(_record(exchange, endpoint, time.monotonic(), error.status, row.error_type))


def _give_up(queue: Queue, failures: Sequence[Failure]) -> None:
    """Take out of the queue what is not to be tried any more. A model with many endpoints must not use up the attempts of those that the
    caller named as its fallbacks, and when it refuses a request as wrong another one may not (contract 3.5)."""
    last = failures[-1].endpoint.model
    tried = {one.endpoint.model for one in failures}
    untried = {endpoint.model for endpoint, _ in queue} - tried
    own_keys = sum(bool(one.endpoint.byok) for one in failures)
    if len(failures) - min(own_keys, MAX_ATTEMPTS) + len(untried) >= MAX_ATTEMPTS:
        queue[:] = [one for one in queue if one[0].model in untried]
    elif sum(one.error.kind == "caller_fault" and one.endpoint.model == last for one in failures) >= MAX_CALLER_FAULTS:
        queue[:] = [one for one in queue if one[0].model != last]


def _is_new(failures: Sequence[Failure]) -> bool:
    """Whether the endpoint that failed last had not failed before, and may have another chance."""
    return len(failures) < MAX_ATTEMPTS and [one.endpoint for one in failures].count(failures[-1].endpoint) == 1


def _further_repair(exchange: Exchange, endpoint: Endpoint, error: UpstreamError) -> Repair | None:
    """What else may be changed for an endpoint that refused the request: once, beside what was known before."""
    known = exchange.repair
    if known is not None and not known.learned:
        return None
    repair = repair_for(error, exchange.conversation, endpoint)
    return None if repair is None else repair.after(known)


def _wait_of(error: UpstreamError) -> float | None:
    """Seconds until a rate limit ends, when that is soon."""
    hint = error.retry_after if isinstance(error, UpstreamRefused) and error.kind == "rate_limit" else None
    return hint if hint is not None and hint <= SHORT_WAIT_SECONDS else None


def _pause(error: UpstreamError) -> float:
    """Seconds to wait before a repetition."""
    return (_wait_of(error) or 0.0) + random.random() * RETRY_JITTER_SECONDS  # noqa: S311 - jitter, not a secret


def _record(exchange: Exchange, endpoint: Endpoint, now: float, status: int, error_type: str | None = None) -> AttemptRecord:
    latency = round((now - exchange.sent_at) * 1000)
    return AttemptRecord(
        endpoint.provider_name, endpoint.id, endpoint.model, status, latency, None, error_type, exchange.hedge, is_byok=bool(endpoint.byok)
    )
