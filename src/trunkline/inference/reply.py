"""The way back to the client. What the pipeline needs of it, and the form of it that speaks ASGI (asgi.readthedocs.io, HTTP message
format).

`api.connection` has another form, which writes HTTP itself.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, Protocol

from trunkline.transport.tasks import spawn

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Header = tuple[bytes, bytes]

COMMENT = b": OPENROUTER PROCESSING\n\n"
JSON_TYPE: Header = (b"content-type", b"application/json")
STREAM_HEADERS: tuple[Header, ...] = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
)


class Reply(Protocol):
    """One reply. `started` tells whether status and head are out; `sent_at` is when bytes were last handed over (monotonic seconds);
    `blocked_since` is that time while the client does not take what it is sent, else 0."""

    started: bool
    sent_at: float
    blocked_since: float

    async def whole(self, status: int, body: bytes, headers: Sequence[Header] = ()) -> None:
        """Send a complete JSON answer."""

    async def write(self, data: bytes, *, last: bool = False) -> None:
        """Send a piece of an event stream, with the head before the first. Waits while the client does not read."""

    def push(self, data: bytes) -> bool:
        """Send a further piece of a stream now; False = it was not sent and has to go by `write`, which can wait for the client."""

    def become(self, media_type: str) -> None:
        """The stream is of this type instead of events, and nothing may be put in between. Before the first `write`."""

    def extend(self, headers: Sequence[Header]) -> None:
        """More headers for the head. Before anything is sent."""

    def on_leaving(self, callback: Callable[[], None] | None) -> None:
        """Call this when the client closes the connection; None = nobody listens any more."""


class AsgiReply:
    """A reply by ASGI messages. `headers` go out with every answer."""

    def __init__(self, send: Send, receive: Receive, headers: Sequence[Header]) -> None:
        self.started = False
        self.sent_at = 0.0
        self.blocked_since = 0.0
        self._send = send
        self._receive = receive
        self._headers = headers
        self._stream_headers = STREAM_HEADERS
        self._waiting: asyncio.Task[None] | None = None

    async def whole(self, status: int, body: bytes, headers: Sequence[Header] = ()) -> None:
        """Send a complete JSON answer."""
        self.started = True
        length = (b"content-length", b"%d" % len(body))
        await self._send({"type": "http.response.start", "status": status, "headers": [JSON_TYPE, length, *self._headers, *headers]})
        await self._send({"type": "http.response.body", "body": body})

    async def write(self, data: bytes, *, last: bool = False) -> None:
        """Send a piece of an event stream."""
        self.sent_at = self.blocked_since = time.monotonic()
        if not self.started:
            self.started = True
            await self._send({"type": "http.response.start", "status": 200, "headers": [*self._stream_headers, *self._headers]})
        await self._send({"type": "http.response.body", "body": data, "more_body": not last})
        self.blocked_since = 0.0

    def push(self, data: bytes) -> bool:
        """ASGI can only be awaited."""
        return False

    def become(self, media_type: str) -> None:
        """Another type of stream."""
        self._stream_headers = ((b"content-type", media_type.encode("ascii")),)

    def extend(self, headers: Sequence[Header]) -> None:
        """More headers."""
        self._headers = [*self._headers, *headers]

    def on_leaving(self, callback: Callable[[], None] | None) -> None:
        """Wait for the client's disconnect in a task."""
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        if callback is not None:
            self._waiting = spawn(self._wait(callback), name="client-watch")

    async def _wait(self, callback: Callable[[], None]) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        callback()
