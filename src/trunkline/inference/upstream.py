"""One attempt at one endpoint: send, wait for the first content, and turn whatever went wrong into an UpstreamError."""

import asyncio
import math
from collections.abc import Callable

from trunkline.dialects.hub.translation import StreamTranslator, WholeTranslator
from trunkline.dialects.refusals import classify
from trunkline.errors import ConnectionLost, MalformedResponse, UpstreamError
from trunkline.health.headroom import LIMIT_HEADERS
from trunkline.inference.call import Exchange
from trunkline.inference.media import check_images, inlined
from trunkline.inference.partial import partial_of
from trunkline.inference.routes import Route
from trunkline.inference.translated import TranslatedReply
from trunkline.inference.ways import Splitter, Way
from trunkline.providers.signing import Signer
from trunkline.transport.client import Client
from trunkline.transport.downloads import Downloads
from trunkline.transport.response import Response
from trunkline.transport.target import Target, render_headers

ERROR_BODY_LIMIT = 64 * 1024
ANSWER_LIMIT = 64 * 1024 * 1024
_REFUSED = frozenset((400, 401, 403))
"""Statuses under which an upstream may refuse a credential."""


class Live:
    """A committed stream: the open response, its splitter and translator, and the client bytes made of what has arrived."""

    __slots__ = ("first", "response", "splitter", "stream")

    def __init__(self, response: Response, splitter: Splitter, stream: StreamTranslator, first: bytes) -> None:
        self.response = response
        self.splitter = splitter
        self.stream = stream
        self.first = first


def _unheard(_endpoint_id: str, _header: Callable[[bytes], bytes | None]) -> None:
    """Takes no notice of headers."""


class Upstream:
    """Makes attempts. Both kinds return when the first content is there, and raise UpstreamError otherwise.

    `heard` is told the endpoint and the head of each answer: `health.monitor.Monitor.heard`.
    """

    def __init__(self, client: Client, heard: Callable[[str, Callable[[bytes], bytes | None]], None] = _unheard) -> None:
        self._client = client
        self._heard = heard
        self._downloads = Downloads(client)

    async def whole(self, exchange: Exchange, route: Route) -> WholeTranslator:
        """A complete answer."""
        way = route.way(exchange.request.dialect, edited=exchange.edited)
        response = await self._send(exchange, route, way, route.whole, route.endpoint.timeouts.total)
        reply = way.reply(exchange)
        try:
            reply.decode(await response.read_all(ANSWER_LIMIT))
        except asyncio.CancelledError:
            response.close()
            raise
        if reply.error is not None:
            exchange.partials += partial_of(route.endpoint, reply)
            raise reply.error
        if reply.empty:
            raise MalformedResponse("the answer has no content", status=200)
        if exchange.staged is not None and isinstance(reply, TranslatedReply):
            reply.revise(await exchange.staged.revised(reply.answer))
        return reply

    async def opened(self, exchange: Exchange, route: Route) -> Live:
        """A stream whose first content has arrived."""
        way = route.way(exchange.request.dialect, edited=exchange.edited)
        response = await self._send(exchange, route, way, route.streamed, route.endpoint.timeouts.first_content)
        try:
            return await _first_content(exchange, route, way, response)
        except BaseException:
            response.close()
            raise

    async def _send(self, exchange: Exchange, route: Route, way: Way, target: Target, head_timeout: float) -> Response:
        if route.launch is not None:
            await route.launch()
        if way.fetches is not None:
            await self._load_files(exchange, way.fetches)
        body, extra = way.body(exchange), route.forwarded(exchange.call.headers)
        if exchange.echoes is not None:
            exchange.echoes.append((route.endpoint, body))
        if route.signer is None:
            timeouts = route.endpoint.timeouts
            response = await self._client.send(target, body, timeouts, extra_headers=extra, head_timeout=head_timeout, holder=exchange)
        else:
            response = await self._send_signed(exchange, route, route.signer, target, body, extra, head_timeout)
        if response.status != 200:
            raise await refusal(response)
        if not route.endpoint.byok and not response.names.isdisjoint(LIMIT_HEADERS):
            self._heard(route.endpoint.id, response.header)
        return response

    async def _send_signed(
        self, exchange: Exchange, route: Route, signer: Signer, target: Target, body: bytes, extra: bytes, head_timeout: float
    ) -> Response:
        """With headers made for this call; a credential that is refused is made anew, once."""
        timeouts, renewed = route.endpoint.timeouts, False
        while True:
            headers = await signer.headers(target.method, target.url, body)
            lines = render_headers(headers) + extra
            response = await self._client.send(target, body, timeouts, extra_headers=lines, head_timeout=head_timeout, holder=exchange)
            if response.status not in _REFUSED:
                return response
            error = await refusal(response)
            if error.kind == "credential":
                signer.forget(headers)
            if error.kind != "credential" or renewed:
                raise error
            renewed = True

    async def _load_files(self, exchange: Exchange, wanted: Callable[[str], bool]) -> None:
        """Put the bytes of files into the conversation, once for all attempts."""
        before = exchange.original()
        check_images(before)
        after = await inlined(before, wanted, self._downloads)
        if after is not before:
            exchange.give(after)


async def refusal(response: Response) -> UpstreamError:
    """What an upstream says with any status but 200; closes the response."""
    try:
        body = await response.read_all(ERROR_BODY_LIMIT)
    except UpstreamError:
        body = b""
    finally:
        response.close()
    return classify(response.status, response.headers, body)


async def _first_content(exchange: Exchange, route: Route, way: Way, response: Response) -> Live:
    stream, splitter = way.stream(exchange), way.splitter()
    if (response.header(b"content-type") or b"").startswith(b"application/json"):
        first = stream.unstreamed(await response.read_all(ANSWER_LIMIT))
        if stream.error is not None:
            raise stream.error
        if not stream.committed:
            raise MalformedResponse("the answer has no content", status=200)
        return Live(response, splitter, stream, first)
    response.expect("first_content", route.endpoint.timeouts.first_content, since=response.sent_at)
    while True:
        data = await response.read()
        first = stream.feed(splitter.feed(data)) if data else stream.feed(splitter.close()) + stream.end()
        if stream.error is not None:
            raise stream.error
        if stream.committed or stream.finish_reason is not None:
            response.expect("", math.inf)
            return Live(response, splitter, stream, first)
        if not data:
            raise ConnectionLost("the stream ended before any content", status=200)
