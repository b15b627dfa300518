"""Who asks for what, may they, where could it go, and what can it cost: the first half of a request's life."""

import random
from collections.abc import Sequence
from typing import TypeVar

from msgspec import structs

from trunkline.auth.permissions import require_inference
from trunkline.errors import ApiError
from trunkline.health.stickiness import Thread
from trunkline.inference import self_made
from trunkline.inference.availability import SHORTEN, advise, all_excluded
from trunkline.inference.call import Call, Exchange
from trunkline.inference.candidates import plan_facts, resolve
from trunkline.inference.explain import Row, rows
from trunkline.inference.failures import elided
from trunkline.inference.metadata import describe, served_by
from trunkline.inference.prompt import read
from trunkline.inference.routers import names_router
from trunkline.inference.services import Services
from trunkline.inference.staging import Begun
from trunkline.inference.threads import matters, thread_of
from trunkline.metering.cost import estimate
from trunkline.plugins.wanted import asks
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.principal import Principal
from trunkline.protocol.regions import asked_region
from trunkline.protocol.request import InboundRequest
from trunkline.protocol.routing import Plan, RequestFacts
from trunkline.routing.boards import Boards
from trunkline.routing.plan import make_plan

R = TypeVar("R", bound=InboundRequest)


class Admission:
    """What is decided of a request before anything is sent, and what can be told of it.

    Operations beside chat fit, price and describe their endpoints in their own ways.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._boards = Boards()

    async def authenticated(self, call: Call) -> Principal:
        """Who asks, and whether they may at all."""
        authenticator, authorization = self._services.authenticator, call.authorization
        principal = authenticator.known(authorization or b"") or await authenticator.authenticate(authorization)
        require_inference(principal)
        return principal

    def bound(self, call: Call, request: R) -> R:
        """The request, kept in a region where its host names one (contract 3.12)."""
        region = asked_region(call.headers, self._services.own_host)
        return structs.replace(request, region=region) if region else request

    async def admit(self, call: Call, principal: Principal, request: InboundRequest) -> Exchange:
        """Where the request could go, and what can it cost: all before anything is sent."""
        services = self._services
        if names_router(request.models):
            request = await self.routed(call, principal, request)
            if request.chosen is not None and request.chosen.answer is not None:
                return self_made.exchange_of(call, principal, request, request.chosen)
        candidates = self.fitting(request, self.resolved(principal, request))
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
        paid = plan.attempts if services.own_keys is None or principal.counts_byok else [one for one in plan.attempts if not one.byok]
        cost = max(self.expected_costs(request, paid, prompt_tokens), default=0)
        hold = services.budgets.reserve_now(principal, cost) or await services.budgets.reserve(principal, cost)
        exchange = Exchange(call, principal, request, plan, hold, prompt_tokens, begun.staged, thread)
        samples = services.samples
        if samples is not None and call.started >= samples.due:
            samples.take(exchange)
        return exchange

    async def routed(self, call: Call, principal: Principal, request: InboundRequest) -> InboundRequest:
        """The request with the models for which its routers stand. Raises ApiError when there are none."""
        routers = self._services.routers
        return request if routers is None else await routers.expand(call, principal, request)

    def planned(self, request: InboundRequest, prompt_tokens: int, begun: Begun, thread: Thread | None = None) -> Plan:
        """Where the request could go; one that is compressed counts as no longer than it will be, one of a `thread` is drawn to where that
        was."""
        most = None if begun.staged is None else begun.staged.most_tokens
        stickiness = self._services.stickiness
        sticky = "" if thread is None or stickiness is None else stickiness.choice(thread.key)
        facts = self.facts(request, prompt_tokens if most is None else min(prompt_tokens, most), sticky)
        health = self._services.health.snapshot()
        seed = random.random()  # noqa: S311 - load balancing
        return make_plan(facts, begun.candidates, health, request.preferences, seed, self._boards)

    def _nowhere(self, call: Call, request: InboundRequest, plan: Plan, prompt_tokens: int) -> ApiError:
        """The error of a request that no endpoint may serve."""
        error = all_excluded(plan, request.models, request.preferences.only)
        error.generation_id = call.id_text
        if call.wants_metadata:
            error.router = describe(self._services.catalogue(), request, self.described(request, plan, prompt_tokens))
        return error

    def resolved(self, principal: Principal, request: InboundRequest) -> list[tuple[Endpoint, ...]]:
        """The endpoints of each model that the request names, those with the caller's own keys among them. Raises ApiError when there are
        none."""
        own_keys = self._services.own_keys
        return resolve(self._services.catalogue(), request, None if own_keys is None else own_keys.of(principal))

    def fitting(self, _request: InboundRequest, candidates: list[tuple[Endpoint, ...]]) -> list[tuple[Endpoint, ...]]:
        """The endpoints that can serve this operation: here all of them, since there is a way from every dialect to every other."""
        return candidates

    def facts(self, request: InboundRequest, prompt_tokens: int, sticky: str = "") -> RequestFacts:
        """What routing may know of the request. `sticky`: the endpoint that served its conversation before."""
        return plan_facts(self._services.catalogue(), request, prompt_tokens, sticky)

    def expected_costs(self, request: InboundRequest, endpoints: Sequence[Endpoint], prompt_tokens: int) -> list[int]:
        """Pico-dollars to reserve, should one of these endpoints answer, for each. No answer is longer than the caller or the endpoint
        allows."""
        expected: dict[str, int] = {}
        costs = []
        for one in endpoints:
            tokens = expected.get(one.model)
            if tokens is None:
                tokens = expected[one.model] = self._services.estimates.output_tokens(one.model, request.max_tokens)
            most = one.max_completion_tokens
            costs.append(estimate(one.pricing, prompt_tokens, tokens if most is None or tokens < most else most))
        return costs

    def described(self, request: InboundRequest, plan: Plan, prompt_tokens: int, exchange: Exchange | None = None) -> list[Row]:
        """Each endpoint of a plan with its place, its price for the prompt, and what was measured of it. Before an exchange the
        selected one is that which would be tried first."""
        served = next(iter(plan.attempts), None) if exchange is None else served_by(exchange)
        health = self._services.health.snapshot()
        return rows(plan, health, lambda one: self.expected_costs(request, (one,), prompt_tokens)[0], served)

    def router_metadata(self, exchange: Exchange) -> bytes | None:
        """`openrouter_metadata`, for callers who ask for it."""
        if not exchange.call.wants_metadata:
            return None
        seen = self.described(exchange.request, exchange.plan, exchange.prompt_tokens, exchange)
        return describe(self._services.catalogue(), exchange.request, seen, exchange)

    def said(self, exchange: Exchange) -> str:
        """The last words of the user, to which a moderation that names none must have objected."""
        return read(exchange.original()).last

    def tell(self, exchange: Exchange, error: ApiError) -> None:
        """Add to an error what is known of the request beside it."""
        error.generation_id = exchange.call.id_text
        error.router = self.router_metadata(exchange)
        if error.metadata is not None and error.metadata.get("flagged_input") == "":
            error.metadata = {**error.metadata, "flagged_input": elided(self.said(exchange))}
        advise(error, self._services.catalogue(), exchange.request.models)
        if error.error_type == "context_length_exceeded" and exchange.call.skin.api_type == "completions" and exchange.staged is None:
            error.message = f"{error.message.removesuffix('.')}. {SHORTEN}"
        if exchange.staged is not None and exchange.attempts:
            exchange.staged.explain(error)
