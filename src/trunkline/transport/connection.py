"""One HTTP/1.1 connection: requests out, bytes in, parsed into the `Response` of the moment (RFC 9112)."""

import asyncio
import math
from typing import cast

import httptools

from trunkline.errors import ConnectFailed, ConnectionLost, MalformedResponse, ResponseTooLarge, UpstreamError
from trunkline.transport.pool import Pool
from trunkline.transport.response import Response

MAX_HEAD_BYTES = 64 * 1024
MAX_HEADERS = 256
HIGH_WATER_BYTES = 256 * 1024


class StaleConnection(ConnectFailed):
    """A kept connection turned out to be closed before any response byte: the request may go out again on a fresh one."""


class Connection(asyncio.Protocol):
    """Serves one request at a time and returns itself to its pool after each.

    One timer serves all deadlines and is seldom set: it rings at some time before the deadline of the moment, and then looks what that is.
    """

    __slots__ = (
        "_fault",
        "_head_bytes",
        "_headers",
        "_parser",
        "_paused",
        "_reusable",
        "_rings_at",
        "_silent_bytes",
        "_timer",
        "_transport",
        "closed",
        "idle_until",
        "loop",
        "lost",
        "pool",
        "response",
        "served",
    )

    def __init__(self, pool: Pool, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.pool = pool
        self.response: Response | None = None
        self.closed = False
        self.lost = False
        self.served = 0
        self._transport: asyncio.Transport
        self._parser = httptools.HttpResponseParser(self)
        self._headers: list[tuple[bytes, bytes]] = []
        self._head_bytes = 0
        self._silent_bytes = 0
        self._fault: UpstreamError | None = None
        self._paused = False
        self._reusable = False
        self._timer: asyncio.TimerHandle | None = None
        self._rings_at = math.inf
        self.idle_until = math.inf

    def start(self, request: bytes, response: Response) -> None:
        """Send a request, whole, in one write; what comes back fills `response`."""
        self.response = response
        response.attach(self)
        self._head_bytes = self._silent_bytes = 0
        self._headers = []
        self._reusable = False
        self.served += 1
        self._transport.write(request)

    @property
    def flushed(self) -> bool:
        """Whether all that was to be sent has gone to the system's own buffers."""
        return not self.closed and not self._transport.get_write_buffer_size()

    def ring_by(self, deadline: float) -> None:
        """See to it that the timer rings no later than `deadline` (loop time)."""
        if deadline < self._rings_at:
            if self._timer is not None:
                self._timer.cancel()
            self._rings_at = deadline
            self._timer = self.loop.call_at(deadline, self._ring)

    def drained(self) -> None:
        """The reader has taken all buffered bytes."""
        if self._paused and not self.closed:
            self._paused = False
            self._transport.resume_reading()

    def abort(self) -> None:
        """Close the socket now. Whoever waits for the response is told by the caller."""
        if not self.closed:
            self.closed = True
            self.response = None
            self._transport.abort()

    def close(self) -> None:
        """Close, and tell the reader of the response."""
        response = self.response
        self.abort()
        if response is not None:
            response.fail(ConnectionLost("the client was closed", status=response.status))

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        response = self.response
        if response is None:
            self.abort()
            return
        self._silent_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not response.complete:
                self._fail(response, self._fault or MalformedResponse(f"the answer is not HTTP/1.1: {error}", status=response.status))
                return
            self.abort()
        if response.complete:
            self._finish(response)
        elif self._silent_bytes > MAX_HEAD_BYTES:
            self._fail(response, ResponseTooLarge(f"more than {MAX_HEAD_BYTES} bytes of head or framing", status=response.status))
            return
        elif response.buffered > HIGH_WATER_BYTES and not self._paused:
            self._paused = True
            self._transport.pause_reading()
        if response.status:
            response.wake()

    def eof_received(self) -> None:
        if self.response is None:
            self.closed = True

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = self.lost = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        response = self.response
        if response is not None:
            self.response = None
            self._lost(response, exc)
        del self._parser
        self.pool.lost(self)

    # httptools callbacks. Raising in one ends the parse; `_fault` then says why.

    def on_message_begin(self) -> None:
        response = self.response
        if response is None or response.complete:
            raise ValueError("bytes after the response")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_bytes += len(name) + len(value)
        self._headers.append((name.lower(), value))
        if self._head_bytes > MAX_HEAD_BYTES or len(self._headers) > MAX_HEADERS:
            self._fault = ResponseTooLarge(f"the response head has more than {MAX_HEAD_BYTES} bytes or {MAX_HEADERS} headers")
            raise self._fault

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        headers = self._headers
        if 100 <= status < 200:
            headers.clear()
            return
        response = cast(Response, self.response)
        self._headers = []
        try:
            response.begin(status, headers)
            _check_framing(self._parser.get_http_version(), status, response.header(b"transfer-encoding"))
        except UpstreamError as error:
            self._fault = error
            raise
        response.complete = response.bodiless

    def on_body(self, body: bytes) -> None:
        self._silent_bytes = 0
        response = self.response
        if response is not None and not response.complete:
            response.put(body)

    def on_message_complete(self) -> None:
        response = self.response
        if response is not None and response.status:
            response.complete = True
            self._reusable = self._parser.should_keep_alive() and not response.bodiless

    # Ends

    def _finish(self, response: Response) -> None:
        """The response is whole: back into the pool, unless anything about this connection is in doubt."""
        self.response = None
        response.detach()
        if self.closed or not self._reusable or self._transport.get_write_buffer_size():
            self.abort()
            return
        self.drained()
        self.pool.put(self)

    def _fail(self, response: Response, error: UpstreamError) -> None:
        self.abort()
        response.fail(error)

    def _lost(self, response: Response, exc: Exception | None) -> None:
        reason = str(exc) if exc is not None else "closed by the other side"
        if response.status and exc is None and _ends_with_connection(response):
            response.complete = True
            response.detach()
            response.wake()
        elif response.status or self._silent_bytes:
            response.fail(ConnectionLost(f"the connection ended inside the response: {reason}", status=response.status))
        elif self.served > 1:
            response.fail(StaleConnection(f"the kept connection was lost: {reason}"))
        else:
            response.fail(ConnectFailed(f"the connection was lost before the response: {reason}"))

    def _ring(self) -> None:
        self._timer = None
        self._rings_at = math.inf
        response = self.response
        deadline = response.deadline() if response is not None else self.idle_until
        if self.loop.time() < deadline:
            self.ring_by(deadline)
        elif response is not None:
            self._fail(response, response.overdue())
        else:
            self.abort()


def _check_framing(version: str, status: int, transfer: bytes | None) -> None:
    """Raises MalformedResponse for what llhttp takes but RFC 9112 does not know, or codings that nobody asked for."""
    if version not in ("1.1", "1.0") or status < 100:
        raise MalformedResponse(f"the answer is not HTTP/1.1: version {version}, status {status}", status=status)
    if transfer is not None and transfer.lower() != b"chunked":
        raise MalformedResponse(f"transfer-encoding {transfer[:40]!r} is not supported", status=status)


def _ends_with_connection(response: Response) -> bool:
    """Whether the end of the connection is the end of the body (RFC 9112, 6.3, rule 8)."""
    return response.header(b"content-length") is None and response.header(b"transfer-encoding") is None
