"""The inference operations: take the bytes, run the pipeline, and put errors into the caller's envelope.

No framework stands here (docs/architecture.md, "Speed"). `InferenceRoute.answer` is what `connection` calls for the connections it serves
itself; called as an ASGI application the same route serves every other connection.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from trunkline.api.cors import RESPONSE_HEADERS
from trunkline.errors import ApiError, StorageUnavailable, UpstreamError
from trunkline.inference.call import Call, Mint
from trunkline.inference.reply import AsgiReply, Receive, Reply, Send
from trunkline.inference.skins import Skin

Scope = dict[str, Any]

MAX_BODY_BYTES = 64 * 1024 * 1024
BODY_SECONDS = 60.0
BUSY = ApiError("provider_overloaded", "The key store does not answer. Try again", headers=[("retry-after", "1")])
TOO_LARGE = ApiError("payload_too_large", f"The request body is larger than {MAX_BODY_BYTES >> 20} MiB")
TOO_SLOW = ApiError("timeout", f"The request body did not arrive within {BODY_SECONDS:g} seconds", status=408)

logger = logging.getLogger(__name__)


class Runs(Protocol):
    """What answers calls: the pipeline, or a counter of tokens."""

    async def run(self, call: Call, reply: Reply) -> None:
        """Answer one call. Raises ApiError for whatever the client can still be told with an HTTP status."""


class InferenceRoute:
    """One inference operation. `skin` is how its clients speak."""

    def __init__(self, pipeline: Runs, skin: Skin) -> None:
        self._pipeline = pipeline
        self._skin = skin
        self._render = skin.render
        self._mint = Mint()

    def accept(self, headers: Mapping[bytes, bytes], body: bytes, query: bytes = b"") -> Call:
        """The call that a complete request is."""
        return Call(headers, body, self._mint, self._skin, query)

    async def answer(self, call: Call, reply: Reply) -> None:
        """Answer a call, with an error where there is no better answer."""
        try:
            await self._pipeline.run(call, reply)
        except ApiError as error:
            await reply.whole(error.status, self._render(error), encode_headers(error.headers))
        except StorageUnavailable:
            await reply.whole(BUSY.status, self._render(BUSY), encode_headers(BUSY.headers))
        except UpstreamError:
            raise  # an answer that cannot tell an error ends with its connection
        except Exception:
            logger.exception("request %s failed", call.id_text)
            if reply.started:
                raise
            await reply.whole(500, self._render(ApiError("server", "Internal Server Error")))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3)."""
        headers = dict(scope["headers"])
        try:
            call = self.accept(headers, await read_body(headers, receive), scope.get("query_string", b""))
        except ApiError as error:
            await AsgiReply(send, receive, RESPONSE_HEADERS).whole(error.status, self._render(error), [(b"connection", b"close")])
            return
        await self.answer(call, AsgiReply(send, receive, [*RESPONSE_HEADERS, (b"x-generation-id", call.id_text.encode())]))


def encode_headers(headers: Sequence[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """Headers of an error as bytes."""
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]


def announces_too_much(headers: Mapping[bytes, bytes]) -> bool:
    """Whether Content-Length is above the limit, so that the body need not be read."""
    length = headers.get(b"content-length", b"")
    return length.isdigit() and int(length) > MAX_BODY_BYTES


async def read_body(headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
    """The whole request body. Raises ApiError: 413 above 64 MiB, 408 when the sender is too slow or stops."""
    if announces_too_much(headers):
        raise _again(TOO_LARGE)
    pieces: list[bytes] = []
    size = 0
    more = True
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while more:
                message = await receive()
                pieces.append(_body(message))
                size += len(pieces[-1])
                if size > MAX_BODY_BYTES:
                    raise _again(TOO_LARGE)
                more = message.get("more_body", False)
    except TimeoutError:
        raise _again(TOO_SLOW) from None
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _again(error: ApiError) -> ApiError:
    """A new error like this one: each raise of one object would add to its traceback, which holds the bodies of all requests before."""
    return ApiError(error.error_type, error.message, status=error.status)


def _body(message: Any) -> bytes:
    if message["type"] == "http.disconnect":
        raise ApiError("timeout", "The client closed the connection inside the request body", status=408)
    return bytes(message.get("body", b""))
