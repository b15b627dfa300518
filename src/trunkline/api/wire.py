"""Answers written as HTTP/1.1 bytes (RFC 9112), each head and its first piece in one write."""

import asyncio
import time
from collections.abc import Callable, Sequence
from email.utils import formatdate
from http import HTTPStatus

from trunkline.api.cors import RESPONSE_HEADERS
from trunkline.inference.reply import COMMENT, JSON_TYPE, STREAM_HEADERS, Header


class _StatusLines(dict[int, bytes]):
    """Status lines by code; a code without a registered phrase gets an empty one (RFC 9112, 4)."""

    def __missing__(self, status: int) -> bytes:
        return b"HTTP/1.1 %d \r\n" % status


_STATUS_LINES = _StatusLines({status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus})


def render_headers(headers: Sequence[Header]) -> bytes:
    """Header lines, each with its CRLF."""
    return b"".join(b"%b: %b\r\n" % header for header in headers)


_JSON_LINES = render_headers((JSON_TYPE, *RESPONSE_HEADERS))
_STREAM_LINES = render_headers((*STREAM_HEADERS, *RESPONSE_HEADERS))
_CLOSE = b"connection: close\r\n"
_CHUNKED = b"transfer-encoding: chunked\r\n"
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Dates:
    """The Date header, made anew once a second (RFC 9110, 6.6.1)."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._second = 0
        self._line = b""

    def line(self) -> bytes:
        """The header line of this second."""
        second = int(self._clock())
        if second != self._second:
            self._second = second
            self._line = f"date: {formatdate(second, usegmt=True)}\r\n".encode()
        return self._line


class WriteGate:
    """Closed while the client does not take what it is sent."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._opened: asyncio.Future[None] | None = None

    @property
    def closed(self) -> bool:
        return self._opened is not None

    def close(self) -> None:
        """Writers wait from now on."""
        if self._opened is None:
            self._opened = self._loop.create_future()

    def open(self) -> None:
        """Writers go on."""
        opened, self._opened = self._opened, None
        if opened is not None and not opened.done():
            opened.set_result(None)

    async def passed(self) -> None:
        """Wait until the gate is open."""
        if self._opened is not None:
            await asyncio.shield(self._opened)


class WireReply:
    """A reply on a connection. `generation_id` is sent as X-Generation-Id; `http11` = the client knows chunks; `ended` is called after the
    last byte with whether the connection can serve another request. After that, and when the client has left, nothing is sent any more."""

    __slots__ = (
        "_close",
        "_dates",
        "_ended",
        "_extra",
        "_gate",
        "_generation_id",
        "_http11",
        "_leaving",
        "_over",
        "_stream_lines",
        "_transport",
        "blocked_since",
        "sent_at",
        "started",
    )

    def __init__(
        self,
        transport: asyncio.Transport,
        gate: WriteGate,
        dates: Dates,
        *,
        generation_id: str,
        http11: bool,
        close: bool,
        ended: Callable[[bool], None],
    ) -> None:
        self.started = False
        self.sent_at = 0.0
        self.blocked_since = 0.0
        self._transport = transport
        self._gate = gate
        self._dates = dates
        self._generation_id = generation_id
        self._http11 = http11
        self._close = close
        self._ended = ended
        self._leaving: Callable[[], None] | None = None
        self._over = False
        self._stream_lines = _STREAM_LINES
        self._extra = b""

    async def whole(self, status: int, body: bytes, headers: Sequence[Header] = ()) -> None:
        """Send a complete JSON answer."""
        if self._over:
            return
        self.started = self._over = True
        extra = self._extra + render_headers(headers) if headers else self._extra
        self._transport.write(b"%bcontent-length: %d\r\n%b\r\n%b" % (self._head(status, _JSON_LINES), len(body), extra, body))
        self._ended(not self._close)

    async def write(self, data: bytes, *, last: bool = False) -> None:
        """Send a piece of an event stream, framed as one chunk (RFC 9112, 7.1); an old client gets it bare, and the end by the
        connection's."""
        if self._over:
            return
        self._over = last
        self.sent_at = time.monotonic()
        head = b""
        if not self.started:
            self.started = True
            self._close = self._close or not self._http11
            head = self._head(200, self._stream_lines) + self._extra + (_CHUNKED if self._http11 else b"") + b"\r\n"
        if self._http11:
            data = (
                b"%b%x\r\n%b\r\n%b" % (head, len(data), data, b"0\r\n\r\n" if last else b"")
                if data
                else head + (b"0\r\n\r\n" if last else b"")
            )
        else:
            data = head + data
        self._transport.write(data)
        if last:
            self._ended(not self._close)
        elif self._gate.closed:
            self.blocked_since = self.sent_at
            await self._gate.passed()
            self.blocked_since = 0.0

    def push(self, data: bytes) -> bool:
        """Send a further piece of a stream, unless the client has not taken what it was sent."""
        if self._over:
            return True
        if not self.started or self._gate.closed:
            return False
        self.sent_at = time.monotonic()
        self._transport.write(b"%x\r\n%b\r\n" % (len(data), data) if self._http11 else data)
        return True

    def become(self, media_type: str) -> None:
        """Another type of stream, with nothing put in between."""
        self._stream_lines = render_headers(((b"content-type", media_type.encode("ascii")), *RESPONSE_HEADERS))

    def extend(self, headers: Sequence[Header]) -> None:
        """More headers."""
        self._extra += render_headers(headers)

    def on_leaving(self, callback: Callable[[], None] | None) -> None:
        """Remember whom to tell when the client leaves."""
        self._leaving = callback

    def left(self) -> None:
        """The connection is lost."""
        self._over = True
        if self._leaving is not None:
            self._leaving()

    def probe(self) -> None:
        """Send what means nothing, so that the network tells whether the client is still there. Any client of HTTP/1.1 skips an interim
        answer (RFC 9110, 15.2)."""
        if self._over:
            return
        if self.started and self._stream_lines is not _STREAM_LINES:
            return
        if self.started:
            self._transport.write(b"%x\r\n%b\r\n" % (len(COMMENT), COMMENT) if self._http11 else COMMENT)
        elif self._http11:
            self._transport.write(_CONTINUE)

    def _head(self, status: int, lines: bytes) -> bytes:
        close = _CLOSE if self._close else b""
        return b"%b%b%bx-generation-id: %b\r\n%b" % (_STATUS_LINES[status], self._dates.line(), lines, self._generation_id.encode(), close)


def refusal(status: int, body: bytes, dates: Dates) -> bytes:
    """A whole JSON answer that ends the connection, for requests that never became a call."""
    return b"%b%b%b%bcontent-length: %d\r\n\r\n%b" % (_STATUS_LINES[status], dates.line(), _JSON_LINES, _CLOSE, len(body), body)
