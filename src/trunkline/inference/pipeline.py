"""The life of one request, told once: authenticate, decode, plan, reserve, attempt, relay, measure, settle."""

import asyncio
import random
from collections.abc import Callable

from msgspec import Struct

from trunkline.auth.authenticator import Authenticator
from trunkline.auth.permissions import require_inference
from trunkline.catalogue.catalogue import Catalogue
from trunkline.errors import ApiError, UpstreamError
from trunkline.health.monitor import Monitor
from trunkline.inference import self_made
from trunkline.inference.attempts import Attempts
from trunkline.inference.availability import advise, all_excluded
from trunkline.inference.cached import Cache
from trunkline.inference.call import Call, Exchange
from trunkline.inference.candidates import plan_facts, resolve
from trunkline.inference.explain import Row, rows
from trunkline.inference.failures import Failure, summarise
from trunkline.inference.ledger import Ledger
from trunkline.inference.metadata import describe, served_by
from trunkline.inference.relay import let_go, relay
from trunkline.inference.reply import Reply
from trunkline.inference.routers import Routers, names_router
from trunkline.inference.routes import Route
from trunkline.inference.staging import Begun, Staging
from trunkline.inference.upstream import Live, Upstream
from trunkline.inference.watch import Drains, Watch
from trunkline.limits.budgets import Budgets
from trunkline.metering.cost import estimate
from trunkline.metering.estimates import Estimates
from trunkline.plugins.caching.wishes import ENABLE
from trunkline.plugins.wanted import asks
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.principal import Principal
from trunkline.protocol.request import InboundRequest
from trunkline.protocol.routing import Plan, RequestFacts
from trunkline.routing.plan import make_plan


class Services(Struct, frozen=True):
    """What the pipeline works with; `app.composition` builds it. `catalogue` returns the catalogue in force, which a reload replaces."""

    catalogue: Callable[[], Catalogue]
    authenticator: Authenticator
    budgets: Budgets
    estimates: Estimates
    health: Monitor
    attempts: Attempts[Route]
    upstream: Upstream
    ledger: Ledger
    drains: Drains
    staging: Staging | None = None
    cache: Cache | None = None
    routers: Routers | None = None


class Pipeline:
    """Runs inference requests."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def run(self, call: Call, reply: Reply) -> None:
        """Answer one request. Raises ApiError for whatever the client can still be told with an HTTP status."""
        principal = await self.authenticated(call)
        request = call.skin.parse(call.body)
        if self._services.cache is not None and ENABLE in call.headers:
            await self._cached(call, principal, request, reply, self._services.cache)
        else:
            await self._run(await self._admit(call, principal, request), reply)

    async def _cached(self, call: Call, principal: Principal, request: InboundRequest, reply: Reply, cache: Cache) -> None:
        """Answer with what was kept, or keep the answer."""
        answered = await cache.answer(call, principal, request, reply)
        if answered is True:
            return
        exchange = await self._admit(call, principal, request)
        await self._run(exchange, answered.listening(exchange) if answered else reply)

    async def _run(self, exchange: Exchange, reply: Reply) -> None:
        call, request = exchange.call, exchange.request
        try:
            if request.chosen is not None and request.chosen.answer is not None:
                await self_made.answer(exchange, reply, self._services.ledger, self._router(exchange))
            else:
                await (self._stream(exchange, reply) if request.stream else self._whole(exchange, reply))
        except ApiError as error:
            self._tell(exchange, error)
            self._services.ledger.fail(exchange, status=error.status, error_type=error.error_type)
            if not reply.started:
                raise
            await reply.write(call.skin.encoder(exchange.identity(exchange.plan.attempts[0]), exchange.request).fail(error), last=True)
        finally:
            self._services.ledger.fail(exchange, status=500, error_type="server")

    async def authenticated(self, call: Call) -> Principal:
        """Who asks, and whether they may at all."""
        authenticator, authorization = self._services.authenticator, call.authorization
        principal = authenticator.known(authorization or b"") or await authenticator.authenticate(authorization)
        require_inference(principal)
        return principal

    async def _admit(self, call: Call, principal: Principal, request: InboundRequest) -> Exchange:
        """Where the request could go, and what can it cost: all before anything is sent."""
        services = self._services
        if names_router(request.models):
            request = await self.routed(call, principal, request)
            if request.chosen is not None and request.chosen.answer is not None:
                return self_made.exchange_of(call, principal, request, request.chosen)
        candidates = self.fitting(request, resolve(services.catalogue(), request))
        begun = Begun(None, candidates)
        if services.staging is not None and asks(request):
            begun = await services.staging.begin(call, request, candidates)
        more_bytes = 0 if begun.staged is None else begun.staged.more_bytes
        prompt_tokens = services.estimates.tokens(begun.candidates[0][0].model, request.prompt_bytes + more_bytes)
        plan = self.planned(request, prompt_tokens, begun)
        if not plan.attempts and services.staging is not None and (rescued := services.staging.rescue(call, request, plan, begun.staged)):
            begun, plan = rescued, self.planned(request, prompt_tokens, rescued)
        if not plan.attempts:
            raise self._nowhere(call, request, plan, prompt_tokens)
        cost = max([self.expected_cost(request, one, prompt_tokens) for one in plan.attempts])
        hold = services.budgets.reserve_now(principal, cost) or await services.budgets.reserve(principal, cost)
        return Exchange(call, principal, request, plan, hold, prompt_tokens, begun.staged)

    async def routed(self, call: Call, principal: Principal, request: InboundRequest) -> InboundRequest:
        """The request with the models for which its routers stand. Raises ApiError when there are none."""
        routers = self._services.routers
        return request if routers is None else await routers.expand(call, principal, request)

    def planned(self, request: InboundRequest, prompt_tokens: int, begun: Begun) -> Plan:
        """Where the request could go; one that is compressed counts as no longer than it will be."""
        most = None if begun.staged is None else begun.staged.most_tokens
        facts = self.facts(request, prompt_tokens if most is None else min(prompt_tokens, most))
        health = self._services.health.snapshot()
        return make_plan(facts, begun.candidates, health, request.preferences, random.random())  # noqa: S311 - load balancing

    def described(self, request: InboundRequest, plan: Plan, prompt_tokens: int, exchange: Exchange | None = None) -> list[Row]:
        """Each endpoint of a plan with its place, its price for the prompt, and what was measured of it. Before an exchange the
        selected one is that which would be tried first."""
        served = next(iter(plan.attempts), None) if exchange is None else served_by(exchange)
        health = self._services.health.snapshot()
        return rows(plan, health, lambda one: self.expected_cost(request, one, prompt_tokens), served)

    def _router(self, exchange: Exchange) -> bytes | None:
        """`openrouter_metadata`, for callers who ask for it."""
        if not exchange.call.wants_metadata:
            return None
        seen = self.described(exchange.request, exchange.plan, exchange.prompt_tokens, exchange)
        return describe(self._services.catalogue(), exchange.request, seen, exchange)

    def _tell(self, exchange: Exchange, error: ApiError) -> None:
        """Add to an error what is known of the request beside it."""
        error.generation_id = exchange.call.id_text
        error.router = self._router(exchange)
        advise(error, self._services.catalogue(), exchange.request.models)
        if exchange.staged is not None and exchange.attempts:
            exchange.staged.explain(error)

    def _nowhere(self, call: Call, request: InboundRequest, plan: Plan, prompt_tokens: int) -> ApiError:
        """The error of a request that no endpoint may serve."""
        error = all_excluded(plan, request.models, request.preferences.only)
        error.generation_id = call.id_text
        if call.wants_metadata:
            error.router = describe(self._services.catalogue(), request, self.described(request, plan, prompt_tokens))
        return error

    def fitting(self, _request: InboundRequest, candidates: list[tuple[Endpoint, ...]]) -> list[tuple[Endpoint, ...]]:
        """The endpoints that can serve this operation: here all of them, since there is a way from every dialect to every other."""
        return candidates

    def facts(self, request: InboundRequest, prompt_tokens: int) -> RequestFacts:
        """What routing may know of the request."""
        return plan_facts(self._services.catalogue(), request, prompt_tokens)

    def expected_cost(self, request: InboundRequest, endpoint: Endpoint, prompt_tokens: int) -> int:
        """Pico-dollars to reserve, should this endpoint answer."""
        return estimate(endpoint.pricing, prompt_tokens, self._services.estimates.output_tokens(endpoint.model, request.max_tokens))

    async def _whole(self, exchange: Exchange, reply: Reply) -> None:
        """One complete answer. It is finished, recorded and charged also when the client has left meanwhile."""
        services = self._services
        endpoint, answer = await services.attempts.first_success(exchange, services.upstream.whole)
        usage, cost = services.ledger.succeed(exchange, endpoint, answer)
        await reply.whole(200, answer.encode(usage, cost, metadata=self._router(exchange)))

    async def _stream(self, exchange: Exchange, reply: Reply) -> None:
        """An event stream: until the first content another endpoint can step in."""
        services = self._services
        watch = Watch(reply, services.drains, exchange.bills_on)
        live: Live | None = None
        try:
            endpoint, opened = await self.open_stream(exchange)
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

    async def open_stream(self, exchange: Exchange) -> tuple[Endpoint, Live]:
        """The first endpoint that gives content, and its stream."""
        return await self._services.attempts.first_success(exchange, self._services.upstream.opened)

    async def _deliver(self, exchange: Exchange, endpoint: Endpoint, live: Live, reply: Reply, watch: Watch) -> None:
        """A committed stream to its end. A failure from here on is told in the stream, and never looks like a normal end."""
        services = self._services
        if exchange.echoes:
            live.first = exchange.echoed() + live.first
        try:
            rest = await relay(live, reply, watch, endpoint.timeouts.content_idle)
        except UpstreamError as error:
            services.attempts.failed(exchange, endpoint, error)
            told = summarise([Failure(endpoint, error)], exchange.request.models)
            self._tell(exchange, told)
            services.ledger.fail(exchange, status=told.status, error_type=told.error_type, seen=live.stream)
            await reply.write(live.stream.fail(told), last=True)
            return
        usage, cost = services.ledger.succeed(exchange, endpoint, live.stream, cancelled=watch.draining)
        await reply.write(rest + live.stream.finish(usage, cost, metadata=self._router(exchange)), last=True)
        await let_go(live)

    def _left(self, exchange: Exchange, live: Live | None) -> None:
        """The client is gone (or the server stops): what was delivered so far is charged, and nothing when nothing was (adapters 5.3)."""
        if live is not None and exchange.endpoint is not None:
            self._services.ledger.succeed(exchange, exchange.endpoint, live.stream, cancelled=True)
        else:
            self._services.ledger.fail(exchange, status=499, error_type="cancelled", cancelled=True)
