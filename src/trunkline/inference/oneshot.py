"""The life of a request to an operation beside chat: the pipeline's, with calls and prices of the operation's own."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from msgspec import Struct, structs

from trunkline.catalogue.catalogue import Catalogue
from trunkline.dialects.hub.translation import Identity
from trunkline.dialects.oneshot import OneShotRequest, Result, Sending, Shape, quirks_of
from trunkline.errors import ApiError
from trunkline.inference import availability
from trunkline.inference.answered import Answered
from trunkline.inference.attempts import Attempts
from trunkline.inference.call import Exchange
from trunkline.inference.candidates import plan_facts
from trunkline.inference.lines import Line
from trunkline.inference.pipeline import Pipeline
from trunkline.inference.reply import Reply
from trunkline.inference.services import Services
from trunkline.inference.skins import Skin
from trunkline.inference.upstream import ANSWER_LIMIT, refusal
from trunkline.metering.units import price_operation
from trunkline.protocol.catalogue import Endpoint, Model, Timeouts
from trunkline.protocol.request import InboundRequest
from trunkline.protocol.routing import RequestFacts
from trunkline.protocol.usage import Cost, Usage
from trunkline.transport.client import Client
from trunkline.transport.response import Response
from trunkline.transport.target import render_headers

IMAGE_TOKENS = 4200
"""Tokens of one image, for the reservation: what OpenAI's models take for a square of good quality (their pricing page)."""
AT_ONCE = 4
"""Calls of one request that are under way at the same time, where an upstream takes fewer inputs than the caller has."""

Write = Callable[[Identity, Any, Result, Usage, Cost], bytes]


def by_dialect(endpoint: Endpoint, _model: Model) -> str:
    """The shape of most operations: that of the endpoint's dialect."""
    return endpoint.dialect


def any_endpoint(_request: Any, _endpoint: Endpoint) -> bool:
    """What an operation needs of an endpoint beside a shape: nothing."""
    return True


def no_body(*_answer: Any) -> bytes:
    """The body of an operation that only streams."""
    return b""


class Operation(Struct, frozen=True):
    """One operation. `shapes` are the forms in which upstreams offer it; `form` names that of an endpoint, where its quirks do not; `fits`
    tells whether an endpoint can do what a request asks; `total_seconds` bounds an attempt."""

    name: str
    skin: Skin
    shapes: Mapping[str, Shape]
    write: Write
    form: Callable[[Endpoint, Model], str] = by_dialect
    fits: Callable[[Any, Endpoint], bool] = any_endpoint
    total_seconds: float = 900.0

    def shape(self, endpoint: Endpoint, catalogue: Catalogue) -> Shape | None:
        """The form of an endpoint's calls; None when it does not offer the operation."""
        name = quirks_of(endpoint, self.name).shape or self.form(endpoint, catalogue.models[endpoint.model])
        return self.shapes.get(name)


class OneShot(Pipeline):
    """Runs the requests to one operation. `services.ledger` is the operation's own."""

    def __init__(self, services: Services, operation: Operation, attempts: Attempts[Line], client: Client) -> None:
        super().__init__(services)
        self._operation = operation
        self._attempts = attempts
        self._client = client

    def fitting(self, request: InboundRequest, candidates: list[tuple[Endpoint, ...]]) -> list[tuple[Endpoint, ...]]:
        """The endpoints that offer the operation as the request needs it. Raises ApiError when there is none."""
        assert isinstance(request, OneShotRequest)  # noqa: S101 - the operation's own parser made it
        catalogue, operation = self._services.catalogue(), self._operation
        kept = [
            tuple([one for one in endpoints if operation.shape(one, catalogue) is not None and operation.fits(request, one)])
            for endpoints in candidates
        ]
        if not any(kept):
            raise availability.not_offered(request.models, operation.name)
        return [endpoints for endpoints in kept if endpoints]

    def facts(self, request: InboundRequest, _prompt_tokens: int, sticky: str = "") -> RequestFacts:
        """What routing may know. Limits are per input here, and not all in tokens: the upstream knows them best."""
        return plan_facts(self._services.catalogue(), request, 0, sticky)

    def expected_costs(self, request: InboundRequest, endpoints: Sequence[Endpoint], prompt_tokens: int) -> list[int]:
        """Pico-dollars to reserve, for each endpoint."""
        assert isinstance(request, OneShotRequest)  # noqa: S101 - the operation's own parser made it
        name, expected = self._operation.name, request.expected
        made = expected.images * IMAGE_TOKENS
        usage = Usage(prompt_tokens, made, output_image=made)
        units = [(one.pricing, quirks_of(one, name).per_unit) for one in endpoints]
        return [price_operation(name, usage, expected, pricing, per_unit=per_unit).total for pricing, per_unit in units]

    async def _whole(self, exchange: Exchange, reply: Reply) -> None:
        """One complete answer. It is finished, recorded and charged also when the client has left meanwhile."""
        endpoint, result = await self._attempts.first_success(exchange, self.attempt)
        answer = self.answered(exchange, endpoint, result)
        usage, cost = self._services.ledger.succeed(exchange, endpoint, answer)
        await reply.whole(200, answer.encode(usage, cost))

    def said(self, _exchange: Exchange) -> str:
        """Requests to these operations are no conversations."""
        return ""

    def answered(self, exchange: Exchange, endpoint: Endpoint, result: Result) -> Answered:
        """A result as an answer to the client."""
        request = exchange.request
        assert isinstance(request, OneShotRequest)  # noqa: S101 - the operation's own parser made it
        return Answered(result, partial(self._operation.write, exchange.identity(endpoint), request))

    async def attempt(self, exchange: Exchange, line: Line) -> Result:
        """All calls of one attempt. Raises UpstreamError when one fails: the others are given up."""
        shape = self.shape(line.endpoint)
        sendings = shape.send(exchange.request, line.endpoint)
        bodies = await self.bodies(line, sendings)
        return shape.read(exchange.request, line.endpoint, bodies)

    def shape(self, endpoint: Endpoint) -> Shape:
        """The form of a planned endpoint's calls."""
        shape = self._operation.shape(endpoint, self._services.catalogue())
        if shape is None:
            raise ApiError("not_found", f"{endpoint.provider_name} offers no {self._operation.name}")
        return shape

    async def bodies(self, line: Line, sendings: Sequence[Sending]) -> list[bytes]:
        """The bodies of all calls, in their order."""
        if len(sendings) == 1:
            return [await self._body(line, sendings[0])]
        bodies = [b""] * len(sendings)
        waiting = iter(enumerate(sendings))

        async def work() -> None:
            for index, sending in waiting:
                bodies[index] = await self._body(line, sending)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(AT_ONCE, len(sendings))):
                    group.create_task(work())
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
        return bodies

    async def sent(self, line: Line, sending: Sending) -> Response:
        """The response to one call, with its head read. Raises UpstreamError for anything but 200."""
        if line.launch is not None:
            await line.launch()
        target = line.target(sending.url, accept=sending.accept)
        timeouts, signer, renewed = self.timeouts(line.endpoint), line.signer, False
        while True:
            signed = {} if signer is None else await signer.headers(target.method, target.url, sending.body)
            head = render_headers({"content-type": sending.content_type, **signed})
            response = await self._client.send(target, sending.body, timeouts, extra_headers=head, head_timeout=timeouts.total)
            if response.status == 200:
                self._services.health.heard(line.endpoint.id, response.header)
                return response
            error = await refusal(response)
            if signer is None or error.kind != "credential" or renewed:
                raise error
            signer.forget(signed)
            renewed = True

    def timeouts(self, endpoint: Endpoint) -> Timeouts:
        """The endpoint's deadlines within the operation's own."""
        return structs.replace(endpoint.timeouts, total=min(endpoint.timeouts.total, self._operation.total_seconds))

    async def _body(self, line: Line, sending: Sending) -> bytes:
        response = await self.sent(line, sending)
        try:
            return await response.read_all(ANSWER_LIMIT)
        finally:
            response.close()
