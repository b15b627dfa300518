"""The life of one request, told once: authenticate, decode, plan, reserve, attempt, relay, measure, settle."""

import asyncio
import random
from collections.abc import Callable

from msgspec import Struct

from trunkline.auth.authenticator import Authenticator
from trunkline.auth.permissions import require_inference
from trunkline.catalogue.catalogue import Catalogue
from trunkline.dialects.chat.request import parse, parse_completion
from trunkline.errors import ApiError, UpstreamError
from trunkline.health.outages import OutageMemory
from trunkline.inference.attempts import Attempts
from trunkline.inference.availability import all_excluded
from trunkline.inference.call import Call, Exchange
from trunkline.inference.candidates import plan_facts, resolve
from trunkline.inference.failures import Failure, summarise
from trunkline.inference.ledger import Ledger
from trunkline.inference.relay import let_go, relay
from trunkline.inference.reply import Reply
from trunkline.inference.upstream import Live, Upstream, stream_for
from trunkline.inference.watch import Drains, Watch
from trunkline.limits.budgets import Budgets
from trunkline.metering.cost import estimate
from trunkline.metering.estimates import Estimates
from trunkline.protocol.catalogue import Endpoint
from trunkline.routing.plan import make_plan


class Services(Struct, frozen=True):
    """What the pipeline works with; `app.composition` builds it. `catalogue` returns the catalogue in force, which a reload replaces."""

    catalogue: Callable[[], Catalogue]
    authenticator: Authenticator
    budgets: Budgets
    estimates: Estimates
    health: OutageMemory
    attempts: Attempts
    upstream: Upstream
    ledger: Ledger
    drains: Drains


class Pipeline:
    """Runs inference requests."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def run(self, call: Call, reply: Reply) -> None:
        """Answer one request. Raises ApiError for whatever the client can still be told with an HTTP status."""
        exchange = await self._admit(call)
        try:
            await (self._stream(exchange, reply) if exchange.request.stream else self._whole(exchange, reply))
        except ApiError as error:
            self._services.ledger.fail(exchange, status=error.status, error_type=error.error_type)
            if not reply.started:
                raise
            await reply.write(stream_for(exchange, exchange.plan.attempts[0]).fail(error), last=True)
        finally:
            self._services.ledger.fail(exchange, status=500, error_type="server")

    async def _admit(self, call: Call) -> Exchange:
        """Who asks for what, may they, where could it go, and what can it cost: all before anything is sent."""
        services = self._services
        authorization = call.headers.get(b"authorization")
        principal = services.authenticator.known(authorization or b"") or await services.authenticator.authenticate(authorization)
        require_inference(principal)
        request = parse_completion(call.body) if call.legacy else parse(call.body)
        candidates = resolve(services.catalogue(), request)
        prompt_tokens = services.estimates.tokens(candidates[0][0].model, request.prompt_bytes)
        facts = plan_facts(request, prompt_tokens)
        plan = make_plan(facts, candidates, services.health.snapshot(), request.preferences, random.random())  # noqa: S311 - load balancing
        if not plan.attempts:
            raise all_excluded(plan, request.models)
        output_tokens = services.estimates.output_tokens(plan.attempts[0].model, request.max_tokens)
        cost = max([estimate(one.pricing, prompt_tokens, output_tokens) for one in plan.attempts])
        hold = services.budgets.reserve_now(principal, cost) or await services.budgets.reserve(principal, cost)
        return Exchange(call, principal, request, plan, hold, prompt_tokens)

    async def _whole(self, exchange: Exchange, reply: Reply) -> None:
        """One complete answer. It is finished, recorded and charged also when the client has left meanwhile."""
        services = self._services
        endpoint, answer = await services.attempts.first_success(exchange, services.upstream.whole)
        usage, cost = services.ledger.succeed(exchange, endpoint, answer)
        await reply.whole(200, answer.encode(usage, cost))

    async def _stream(self, exchange: Exchange, reply: Reply) -> None:
        """An event stream: until the first content another endpoint can step in."""
        services = self._services
        watch = Watch(reply, services.drains, exchange.bills_on)
        live: Live | None = None
        try:
            endpoint, opened = await services.attempts.first_success(exchange, services.upstream.opened)
            live = opened
            await self._deliver(exchange, endpoint, opened, reply, watch)
        except asyncio.CancelledError:
            self._left(exchange, live)
            if not watch.reason:
                raise
            watch.forgive()
        finally:
            watch.stop()
            if live is not None:
                live.response.close()

    async def _deliver(self, exchange: Exchange, endpoint: Endpoint, live: Live, reply: Reply, watch: Watch) -> None:
        """A committed stream to its end. A failure from here on is told in the stream, and never looks like a normal end."""
        services = self._services
        try:
            rest = await relay(live, reply, watch, endpoint.timeouts.content_idle)
        except UpstreamError as error:
            services.attempts.failed(exchange, endpoint, error)
            told = summarise([Failure(endpoint, error)], exchange.request.models)
            services.ledger.fail(exchange, status=told.status, error_type=told.error_type, seen=live.stream)
            await reply.write(live.stream.fail(told), last=True)
            return
        usage, cost = services.ledger.succeed(exchange, endpoint, live.stream, cancelled=watch.draining)
        await reply.write(rest + live.stream.finish(usage, cost), last=True)
        await let_go(live)

    def _left(self, exchange: Exchange, live: Live | None) -> None:
        """The client is gone (or the server stops): what was delivered so far is charged, and nothing when nothing was (adapters 5.3)."""
        if live is not None and exchange.endpoint is not None:
            self._services.ledger.succeed(exchange, exchange.endpoint, live.stream, cancelled=True)
        else:
            self._services.ledger.fail(exchange, status=499, error_type="cancelled", cancelled=True)
