"""The life of a request for images: whole answers as for every operation, or events from endpoints that show images while they are made."""

import base64

from msgspec import structs

from trunkline.dialects.images.links import links, with_bytes
from trunkline.dialects.images.request import ImagesRequest
from trunkline.dialects.images.stream import ImageStream
from trunkline.dialects.media import data_url, sniff
from trunkline.dialects.oneshot import Result, quirks_of
from trunkline.errors import ApiError, ConnectionLost, MalformedResponse, UpstreamError
from trunkline.inference.call import Exchange
from trunkline.inference.lines import Line
from trunkline.inference.oneshot import OneShot
from trunkline.inference.reply import Reply
from trunkline.inference.upstream import ANSWER_LIMIT, Live
from trunkline.protocol.catalogue import Endpoint, Timeouts
from trunkline.protocol.request import InboundRequest
from trunkline.transport.downloads import Downloads
from trunkline.transport.sse import EventSplitter

MAX_IMAGE_BYTES = 32 * 1024 * 1024
SILENCE_SECONDS = 300.0
"""How long an upstream may be silent between two images."""


class Images(OneShot):
    """Runs requests for images."""

    def fitting(self, request: InboundRequest, candidates: list[tuple[Endpoint, ...]]) -> list[tuple[Endpoint, ...]]:
        """The endpoints that make images; of a caller who wants events, those that send them, where there are any."""
        kept = super().fitting(request, candidates)
        showing = [tuple([one for one in endpoints if _shows(one)]) for endpoints in kept] if request.stream else []
        return [endpoints for endpoints in showing if endpoints] or kept

    def timeouts(self, endpoint: Endpoint) -> Timeouts:
        """The endpoint's deadlines, with patience between images."""
        own = super().timeouts(endpoint)
        return structs.replace(own, idle=max(own.idle, SILENCE_SECONDS))

    async def attempt(self, exchange: Exchange, line: Line) -> Result:
        """All images of one attempt, with their bytes where an upstream gives URLs."""
        request, shape = await self._loaded(exchange), self.shape(line.endpoint)
        bodies = await self.bodies(line, shape.send(request, line.endpoint))
        return shape.read(request, line.endpoint, [await self._filled(body) for body in bodies])

    async def _stream(self, exchange: Exchange, reply: Reply) -> None:
        """Events, or one body where no endpoint sends events (contract 5.6)."""
        if _shows(exchange.plan.attempts[0]):
            await super()._stream(exchange, reply)
        else:
            await self._whole(exchange, reply)

    async def open_stream(self, exchange: Exchange) -> tuple[Endpoint, Live]:
        """The first endpoint that shows something."""
        return await self._attempts.first_success(exchange, self._opened)

    async def _opened(self, exchange: Exchange, line: Line) -> Live:
        request = await self._loaded(exchange)
        response = await self.sent(line, self.shape(line.endpoint).send(request, line.endpoint)[0])
        stream, splitter = ImageStream(exchange.identity(line.endpoint), request.count), EventSplitter(limit=ANSWER_LIMIT)
        try:
            if (response.header(b"content-type") or b"").startswith(b"application/json"):
                first = stream.unstreamed(await self._filled(await response.read_all(ANSWER_LIMIT)))
            else:
                first = b""
                while not stream.committed and stream.error is None:
                    data = await response.read()
                    first = stream.feed(splitter.feed(data) if data else splitter.close())
                    if not data and not stream.committed and stream.error is None:
                        raise ConnectionLost("the stream ended before any image", status=200)
            if stream.error is not None:
                raise stream.error
            return Live(response, splitter, stream, first)
        except BaseException:
            response.close()
            raise

    async def _loaded(self, exchange: Exchange) -> ImagesRequest:
        """The request with the bytes of its reference images. Raises ApiError for one that cannot be loaded."""
        request = exchange.request
        assert isinstance(request, ImagesRequest)  # noqa: S101 - the operation's own parser made it
        if all(url.startswith("data:") for url in request.references):
            return request
        loaded = [await self._reference(url, f"input_references[{index}]") for index, url in enumerate(request.references)]
        return structs.replace(request, references=tuple(loaded))

    async def _reference(self, url: str, where: str) -> str:
        if url.startswith("data:"):
            return url
        try:
            data = (await Downloads(self._client).fetch(url, limit=MAX_IMAGE_BYTES)).data
        except UpstreamError as error:
            raise ApiError("image_download_failed", f"{where}: The image could not be loaded: {error.message}") from None
        kind = sniff(data) or ""
        if not kind.startswith("image/"):
            raise ApiError("unsupported_image_format", f"{where}: The URL leads to no image")
        return data_url(kind, base64.b64encode(data).decode("ascii"))

    async def _filled(self, body: bytes) -> bytes:
        """An upstream's body with the bytes of the images that it gives as URLs."""
        urls = dict.fromkeys(links(body))
        if not urls:
            return body
        downloads = Downloads(self._client)
        try:
            return with_bytes(body, {url: (await downloads.fetch(url, limit=MAX_IMAGE_BYTES)).data for url in urls})
        except UpstreamError as error:
            raise MalformedResponse(f"an image could not be loaded: {error.message}", status=200) from None


def _shows(endpoint: Endpoint) -> bool:
    return quirks_of(endpoint, "images").stream
