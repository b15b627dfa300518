"""`POST /messages/count_tokens`: how many input tokens a request for a message has (Anthropic's operation, which agents call to know when
their context is full).

The endpoint that the request would go to is asked, where it speaks the dialect and can count; for all others, and when it does not answer,
the count is an estimate. Nothing is charged or recorded.
"""

import random
from collections.abc import Sequence
from typing import Final

from trunkline.dialects.messages import address, tokens
from trunkline.dialects.messages.prepare import Splicer
from trunkline.dialects.messages.request import MessagesRequest, parse
from trunkline.errors import UpstreamError
from trunkline.inference.admission import Admission
from trunkline.inference.availability import all_excluded
from trunkline.inference.call import Call
from trunkline.inference.candidates import plan_facts
from trunkline.inference.reply import Reply
from trunkline.inference.routers import names_router
from trunkline.inference.routes import Routes
from trunkline.inference.services import Services
from trunkline.protocol.catalogue import Endpoint, Timeouts
from trunkline.protocol.principal import Principal
from trunkline.routing.plan import make_plan
from trunkline.transport.client import Client

PATH: Final = "/api/v1/messages/count_tokens"

_TIMEOUTS = Timeouts(connect=3.0, first_content=10.0, idle=10.0, total=10.0)
_LIMIT = 64 * 1024


class TokenCounts:
    """Answers counts with what the pipeline works with."""

    def __init__(self, services: Services, client: Client, routes: Routes) -> None:
        self._services = services
        self._client = client
        self._routes = routes

    async def run(self, call: Call, reply: Reply) -> None:
        """Answer one call. Raises ApiError for a caller that may not ask, and a request that nothing could serve."""
        admission = Admission(self._services)
        principal = await admission.authenticated(call)
        request = admission.bound(call, parse(call.body))
        if names_router(request.models):
            routed = await admission.routed(call, principal, request)
            assert isinstance(routed, MessagesRequest)  # noqa: S101 - routers keep the kind of a request
            request = routed
        await reply.whole(200, tokens.render(await self._count(call, principal, request)))

    async def _count(self, call: Call, principal: Principal, request: MessagesRequest) -> int:
        """What the endpoint says, else an estimate. What a router answers itself has no endpoint."""
        estimates = self._services.estimates
        if request.chosen is not None and request.chosen.answer is not None:
            return tokens.estimate(request, lambda size: estimates.tokens(request.models[0], size))
        endpoint = self._first(request, Admission(self._services).resolved(principal, request))
        counted = await self._counted(endpoint, request, call)
        return tokens.estimate(request, lambda size: estimates.tokens(endpoint.model, size)) if counted is None else counted

    def _first(self, request: MessagesRequest, candidates: Sequence[Sequence[Endpoint]]) -> Endpoint:
        """Where the request itself would go first, were it short enough."""
        catalogue = self._services.catalogue()
        health = self._services.health.snapshot()
        facts = plan_facts(catalogue, request, 0)
        plan = make_plan(facts, candidates, health, request.preferences, random.random())  # noqa: S311 - load balancing
        if not plan.attempts:
            raise all_excluded(plan, request.models, request.preferences.only)
        return plan.attempts[0]

    async def _counted(self, endpoint: Endpoint, request: MessagesRequest, call: Call) -> int | None:
        """The endpoint's own count; None when it has none."""
        url = address.count_url(endpoint) if endpoint.dialect == "messages" else None
        if url is None:
            return None
        try:
            route = self._routes.to(endpoint)
            if route.signer is not None:
                return None
            target, extra = self._routes.target(endpoint, url), route.forwarded(call.headers)
            response = await self._client.send(target, Splicer(endpoint).count(request), _TIMEOUTS, extra_headers=extra)
            body = await response.read_all(_LIMIT)
        except UpstreamError:
            return None
        return tokens.forwarded(body) if response.status == 200 else None
