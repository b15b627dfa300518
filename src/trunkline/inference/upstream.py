"""One attempt at one endpoint: send, wait for the first content, and turn whatever went wrong into an UpstreamError."""

import math

from trunkline.dialects.chat.reply import ChatReply
from trunkline.dialects.chat.stream import ChatStream
from trunkline.dialects.chat.unstreamed import payloads_of
from trunkline.dialects.refusals import classify
from trunkline.errors import ConnectionLost, MalformedResponse, UpstreamError
from trunkline.inference.call import Exchange
from trunkline.inference.routes import Route
from trunkline.protocol.catalogue import Endpoint
from trunkline.transport.client import Client
from trunkline.transport.response import Response
from trunkline.transport.sse import EventSplitter

ERROR_BODY_LIMIT = 64 * 1024
ANSWER_LIMIT = 64 * 1024 * 1024


class Live:
    """A committed stream: the open response, its splitter and translator, and the client bytes made of what has arrived."""

    __slots__ = ("first", "response", "splitter", "stream")

    def __init__(self, response: Response, splitter: EventSplitter, stream: ChatStream, first: bytes) -> None:
        self.response = response
        self.splitter = splitter
        self.stream = stream
        self.first = first


class Upstream:
    """Makes attempts. Both kinds return when the first content is there, and raise UpstreamError otherwise."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def whole(self, exchange: Exchange, route: Route) -> ChatReply:
        """A complete answer."""
        response = await self._send(exchange, route, route.endpoint.timeouts.total)
        reply = _reply_for(exchange, route)
        reply.decode(await response.read_all(ANSWER_LIMIT))
        if reply.error is not None:
            raise reply.error
        if reply.empty:
            raise MalformedResponse("the answer has no content", status=200)
        return reply

    async def opened(self, exchange: Exchange, route: Route) -> Live:
        """A stream whose first content has arrived."""
        response = await self._send(exchange, route, route.endpoint.timeouts.first_content)
        try:
            return await _first_content(exchange, route, response)
        except BaseException:
            response.close()
            raise

    async def _send(self, exchange: Exchange, route: Route, head_timeout: float) -> Response:
        if route.launch is not None:
            await route.launch()
        body = route.splicer.splice(exchange.request)
        response = await self._client.send(route.target, body, route.endpoint.timeouts, head_timeout=head_timeout)
        if response.status != 200:
            raise await _refusal(response)
        return response


def stream_for(exchange: Exchange, endpoint: Endpoint, forced_tool: str | None = None) -> ChatStream:
    """The translator of a stream from this endpoint to the client."""
    call, request = exchange.call, exchange.request
    return ChatStream(
        call.id_text,
        endpoint.model,
        endpoint.provider_name,
        call.created_ms // 1000,
        endpoint.quirks,
        legacy=request.legacy,
        reasoning_excluded=request.reasoning_excluded,
        forced_tool=forced_tool,
    )


def _reply_for(exchange: Exchange, route: Route) -> ChatReply:
    call, request, endpoint = exchange.call, exchange.request, route.endpoint
    return ChatReply(
        call.id_text,
        endpoint.model,
        endpoint.provider_name,
        call.created_ms // 1000,
        endpoint.quirks,
        legacy=request.legacy,
        reasoning_excluded=request.reasoning_excluded,
        forced_tool=route.splicer.forced_tool(request),
    )


async def _refusal(response: Response) -> UpstreamError:
    try:
        body = await response.read_all(ERROR_BODY_LIMIT)
    except UpstreamError:
        body = b""
    response.close()
    return classify(response.status, response.headers, body)


async def _first_content(exchange: Exchange, route: Route, response: Response) -> Live:
    stream = stream_for(exchange, route.endpoint, route.splicer.forced_tool(exchange.request))
    splitter = EventSplitter()
    if (response.header(b"content-type") or b"").startswith(b"application/json"):
        first = stream.feed(payloads_of(await response.read_all(ANSWER_LIMIT)))
        if stream.error is not None:
            raise stream.error
        if not stream.committed:
            raise MalformedResponse("the answer has no content", status=200)
        return Live(response, splitter, stream, first)
    response.expect("first_content", route.endpoint.timeouts.first_content, since=response.sent_at)
    while True:
        data = await response.read()
        first = stream.feed(splitter.feed(data) if data else splitter.close())
        if stream.error is not None:
            raise stream.error
        if stream.committed or stream.finish_reason is not None:
            response.expect("", math.inf)
            return Live(response, splitter, stream, first)
        if not data:
            raise ConnectionLost("the stream ended before any content", status=200)
