"""The walk through a plan: endpoint after endpoint, until one has given its first content (the commit rule of docs/architecture.md,
"Errors").

Everything before the first content happens inside the attempt, so that a failure there can be answered by another endpoint without the
caller seeing it.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeVar

from trunkline.errors import UpstreamError
from trunkline.health.outages import OutageMemory
from trunkline.inference.call import Exchange
from trunkline.inference.failures import Failure, summarise
from trunkline.inference.repairs import Repair, repair_for
from trunkline.inference.verdicts import verdict
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.generation import AttemptRecord

MAX_ATTEMPTS = 5
MAX_CALLER_FAULTS = 2
DEADLINE_SECONDS = 900.0
"""After so long no further endpoint is tried, counted from the acceptance of the request."""
RETRY_JITTER_SECONDS = 0.2

T = TypeVar("T")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
Attempt = Callable[[Exchange, R], Awaitable[T]]


class Ways(Protocol[R_co]):
    """Knows the prepared way to each endpoint."""

    def to(self, endpoint: Endpoint) -> R_co:
        """The way to an endpoint. Raises UpstreamError for one that may not be called."""


class Attempts(Generic[R]):
    """Tries endpoints in order, tells `health` of every outcome, and notes each attempt in the exchange."""

    def __init__(self, routes: Ways[R], health: OutageMemory) -> None:
        self._routes = routes
        self._health = health

    async def first_success(self, exchange: Exchange, attempt: Attempt[R, T]) -> tuple[Endpoint, T]:
        """The first endpoint whose attempt succeeds, and its result. Raises ApiError, made of all failures, when none does."""
        failures: list[Failure] = []
        queue: list[tuple[Endpoint, Repair | None]] = [(endpoint, None) for endpoint in exchange.plan.attempts]
        faults = 0
        deadline = exchange.call.started + DEADLINE_SECONDS
        while queue and len(failures) < MAX_ATTEMPTS and faults < MAX_CALLER_FAULTS and (not failures or time.monotonic() < deadline):
            endpoint, exchange.repair = queue.pop(0)
            exchange.endpoint = endpoint
            exchange.sent_at = time.monotonic()
            try:
                result = await attempt(exchange, self._routes.to(endpoint))
            except UpstreamError as error:
                self.failed(exchange, endpoint, error)
                failures.append(Failure(endpoint, error))
                faults += error.kind == "caller_fault"
                repair = repair_for(error, exchange.conversation, endpoint) if exchange.repair is None else None
                if repair is not None:
                    queue.insert(0, (endpoint, repair))
                elif not queue and verdict(error).again and [one.endpoint for one in failures].count(endpoint) == 1:
                    await asyncio.sleep(random.random() * RETRY_JITTER_SECONDS)  # noqa: S311 - jitter, not a secret
                    queue.append((endpoint, exchange.repair))
            else:
                self._succeeded(exchange, endpoint)
                return endpoint, result
        raise summarise(failures, exchange.request.models)

    def _succeeded(self, exchange: Exchange, endpoint: Endpoint) -> None:
        exchange.first_content_at = now = time.monotonic()
        self._health.succeeded(endpoint.id)
        exchange.attempts.append(_record(exchange, endpoint, now, 200))

    def failed(self, exchange: Exchange, endpoint: Endpoint, error: UpstreamError) -> None:
        """Note a failed attempt, also one that failed after its first content."""
        if verdict(error).counts:
            self._health.failed(endpoint.id)
        exchange.attempts.append(_record(exchange, endpoint, time.monotonic(), error.status, verdict(error).error_type))


def _record(exchange: Exchange, endpoint: Endpoint, now: float, status: int, error_type: str | None = None) -> AttemptRecord:
    latency = round((now - exchange.sent_at) * 1000)
    return AttemptRecord(endpoint.provider_name, endpoint.id, endpoint.model, status, latency, None, error_type)
