"""Who asks for what, may they, where could it go, and what can it cost: the first half of a request's life."""

import random

from msgspec import structs

from trunkline.auth.permissions import require_inference
from trunkline.errors import ApiError
from trunkline.health.stickiness import Thread
from trunkline.inference import self_made
from trunkline.inference.availability import advise, all_excluded
from trunkline.inference.call import Call, Exchange
from trunkline.inference.candidates import plan_facts, resolve
from trunkline.inference.explain import Row, rows
from trunkline.inference.metadata import describe, served_by
from trunkline.inference.routers import names_router
from trunkline.inference.services import Services
from trunkline.inference.staging import Begun
from trunkline.inference.threads import matters, thread_of
from trunkline.metering.cost import estimate
from trunkline.plugins.wanted import asks
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.principal import Principal
from trunkline.protocol.request import InboundRequest
from trunkline.protocol.routing import Plan, RequestFacts
from trunkline.routing.plan import make_plan


class Admission:
    """What is decided of a request before anything is sent, and what can be told of it.

    Operations beside chat fit, price and describe their endpoints in their own ways.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    async def authenticated(self, call: Call) -> Principal:
        """Who asks, and whether they may at all."""
        authenticator, authorization = self._services.authenticator, call.authorization
        principal = authenticator.known(authorization or b"") or await authenticator.authenticate(authorization)
        require_inference(principal)
        return principal

    async def admit(self, call: Call, principal: Principal, request: InboundRequest) -> Exchange:
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
        thread = None
        if services.stickiness is not None and matters(request, begun.candidates):
            thread = thread_of(call, principal, request)
        plan = self.planned(request, prompt_tokens, begun, thread)
        if not plan.attempts and services.staging is not None and (rescued := services.staging.rescue(call, request, plan, begun.staged)):
            begun, plan = rescued, self.planned(request, prompt_tokens, rescued)
        if not plan.attempts:
            raise self._nowhere(call, request, plan, prompt_tokens)
        cost = max([self.expected_cost(request, one, prompt_tokens) for one in plan.attempts])
        hold = services.budgets.reserve_now(principal, cost) or await services.budgets.reserve(principal, cost)
        return Exchange(call, principal, request, plan, hold, prompt_tokens, begun.staged, thread)

    async def routed(self, call: Call, principal: Principal, request: InboundRequest) -> InboundRequest:
        """The request with the models for which its routers stand. Raises ApiError when there are none."""
        routers = self._services.routers
        return request if routers is None else await routers.expand(call, principal, request)

    def planned(self, request: InboundRequest, prompt_tokens: int, begun: Begun, thread: Thread | None = None) -> Plan:
        """Where the request could go; one that is compressed counts as no longer than it will be, one of a `thread` is drawn to where that
        was."""
        most = None if begun.staged is None else begun.staged.most_tokens
        facts = self.facts(request, prompt_tokens if most is None else min(prompt_tokens, most))
        if thread is not None and self._services.stickiness is not None:
            facts = structs.replace(facts, sticky=self._services.stickiness.choice(thread.key))
        health = self._services.health.snapshot()
        return make_plan(facts, begun.candidates, health, request.preferences, random.random())  # noqa: S311 - load balancing

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

    def described(self, request: InboundRequest, plan: Plan, prompt_tokens: int, exchange: Exchange | None = None) -> list[Row]:
        """Each endpoint of a plan with its place, its price for the prompt, and what was measured of it. Before an exchange the
        selected one is that which would be tried first."""
        served = next(iter(plan.attempts), None) if exchange is None else served_by(exchange)
        health = self._services.health.snapshot()
        return rows(plan, health, lambda one: self.expected_cost(request, one, prompt_tokens), served)

    def router_metadata(self, exchange: Exchange) -> bytes | None:
        """`openrouter_metadata`, for callers who ask for it."""
        if not exchange.call.wants_metadata:
            return None
        seen = self.described(exchange.request, exchange.plan, exchange.prompt_tokens, exchange)
        return describe(self._services.catalogue(), exchange.request, seen, exchange)

    def tell(self, exchange: Exchange, error: ApiError) -> None:
        """Add to an error what is known of the request beside it."""
        error.generation_id = exchange.call.id_text
        error.router = self.router_metadata(exchange)
        advise(error, self._services.catalogue(), exchange.request.models)
        if exchange.staged is not None and exchange.attempts:
            exchange.staged.explain(error)
