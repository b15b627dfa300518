"""Client connections that carry inference requests, served by protocol callbacks without a framework in between (RFC 9112).

A connection begins here. As long as its requests are inference calls it stays here: bytes are parsed by llhttp, a complete request becomes
a task, and the answer goes out in one write. The first request for anything else hands the connection over for good to the ASGI server,
which serves all paths.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping, MutableSet
from typing import Any, cast

import httptools
from msgspec import Struct

from trunkline.api.inference import BODY_SECONDS, MAX_BODY_BYTES, TOO_LARGE, TOO_SLOW, InferenceRoute, announces_too_much
from trunkline.api.wire import Dates, WireReply, WriteGate, refusal, render_headers
from trunkline.dialects.chat.envelope import render
from trunkline.errors import ApiError
from trunkline.inference.call import Call

IDLE_SECONDS = 75.0
LINGER_SECONDS = 2.0
PROBE_SECONDS = (0.05, 0.5, 2.0)
"""When a client that has ended its sending is written to, after the first time: the answer to one write shows at the next."""
MAX_HEAD_BYTES = 64 * 1024
MAX_PIECES = 1_000_000
"""Pieces of one body: tiny chunks cost more memory than they carry."""
MAX_WAITING = 16
"""Requests that a client may send ahead on one connection before it is no longer read."""
BAD_REQUEST = ApiError("invalid_request", "The request is not valid HTTP/1.1")
FAILED = ApiError("server", "Internal Server Error")
HEAD_TOO_LARGE = ApiError("invalid_request", f"The request head is larger than {MAX_HEAD_BYTES >> 10} KiB", status=431)

logger = logging.getLogger(__name__)


class Places:
    """What the connections of one worker share: the routes by path, the way to the ASGI server, the open connections and the running
    tasks."""

    def __init__(
        self,
        routes: Mapping[str, InferenceRoute],
        fallback: Callable[[], asyncio.Protocol],
        connections: MutableSet[Any],
        tasks: set[asyncio.Task[None]],
    ) -> None:
        self.routes = {path.encode(): route for path, route in routes.items()}
        self.beginnings = tuple(b"POST %b%b" % (path, end) for path in self.routes for end in (b" ", b"?"))
        self.fallback = fallback
        self.connections = connections
        self.tasks = tasks
        self.dates = Dates()

    def find(self, url: bytes) -> InferenceRoute | None:
        """The route of a request target (RFC 9112, 3.2.1). A query says nothing to us: agents for Messages send `?beta=true`."""
        return self.routes.get(url) or self.routes.get(url.partition(b"?")[0])


class Waiting(Struct):
    """A complete request that waits for its turn."""

    route: InferenceRoute
    call: Call
    http11: bool
    keep_alive: bool


class Connection(asyncio.Protocol):
    """One client connection. `deadline` (loop time) is when it is given up: idle for too long, or a request that does not end."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._gate = WriteGate(self._loop)
        self._fields: dict[bytes, bytes] = {}
        self._headers: dict[bytes, bytes] = {}
        self.on_header = self._fields.__setitem__
        self._parser: httptools.HttpRequestParser | None = httptools.HttpRequestParser(self)
        self._beginning = b""
        self._reading = False
        self._in_head = False
        self._framing_bytes = 0
        self._body_seen = 0
        self._shared_read = False
        self._url = b""
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._waiting: deque[Waiting] = deque()
        self._reply: WireReply | None = None
        self._task: asyncio.Task[None] | None = None
        self._paused = False
        self._ending = False
        self._refused: ApiError | None = None
        self._unsent = 0
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._places.connections.add(self)
        self._deadline = self._loop.time() + IDLE_SECONDS
        self._timer = self._loop.call_at(self._deadline, self._ring)

    def data_received(self, data: bytes) -> None:
        if self._parser is None:
            return
        if not self._reading:
            if self._beginning:
                data, self._beginning = self._beginning + data, b""
            if not data.startswith(self._places.beginnings):
                self._take_elsewhere(data)
                return
            self._shared_read = False
            if len(data) > MAX_HEAD_BYTES and data.find(b"\r\n\r\n", 0, MAX_HEAD_BYTES) < 0:
                self._refuse(HEAD_TOO_LARGE)
                return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            self._decline(data[offer.args[0] :])
            return
        except httptools.HttpParserCallbackError:
            logger.exception("a request could not be taken")
            self._refuse(FAILED)
        except httptools.HttpParserError:
            self._refuse(BAD_REQUEST)
        if self._reading:
            self._count_framing(len(data))

    def eof_received(self) -> bool:
        """The client sends no more. It may still wait for answers, or be gone: only writing tells which (RFC 9293, 3.6)."""
        if self._reply is None and not self._waiting:
            return False
        self._parser = None
        self._reading = self._in_head = False
        self._ending = True
        self._probe()
        for seconds in PROBE_SECONDS:
            self._loop.call_later(seconds, self._probe)
        return True

    def pause_writing(self) -> None:
        self._gate.close()

    def resume_writing(self) -> None:
        self._gate.open()
        if self._reply is None and self._waiting:
            self._serve_next()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        self._gate.open()
        self._waiting.clear()
        self._task = None
        if self._reply is not None:
            self._reply.left()

    # httptools. `on_header` is the header dict's own __setitem__: no Python runs for a header, and a repeated one keeps its last value

    def on_message_begin(self) -> None:
        self._reading = self._in_head = True
        self._framing_bytes = self._body_bytes = 0
        self._url = b""
        self._fields.clear()
        self._body.clear()
        self._deadline = self._loop.time() + BODY_SECONDS

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_headers_complete(self) -> None:
        self._in_head = False
        headers = self._headers = {name.lower(): value for name, value in self._fields.items()}
        if announces_too_much(headers):
            self._refuse(TOO_LARGE)
        elif b"expect" in headers:
            self._encourage()

    def on_body(self, body: bytes) -> None:
        self._body.append(body)
        self._body_bytes += len(body)
        if self._body_bytes > MAX_BODY_BYTES or len(self._body) > MAX_PIECES:
            self._refuse(TOO_LARGE)

    def on_message_complete(self) -> None:
        parser = self._parser
        if parser is None or (b"upgrade" in self._headers and parser.should_upgrade()):
            return
        self._reading = False
        self._shared_read = True
        route = self._places.find(self._url)
        if route is None or parser.get_method() != b"POST":
            self._turn_away()
            return
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        call = route.accept(self._headers, body, self._url.partition(b"?")[2])
        self._deadline = self._loop.time() + IDLE_SECONDS
        http11 = parser.get_http_version() == "1.1"
        self._waiting.append(Waiting(route, call, http11, http11 and parser.should_keep_alive()))
        if self._reply is None and not self._gate.closed:
            self._serve_next()
        elif len(self._waiting) >= MAX_WAITING and not self._paused:
            self._paused = True
            self._transport.pause_reading()

    # uvicorn.Server calls this on every open connection when it stops

    def shutdown(self) -> None:
        """Close when idle, else after the answers that are under way."""
        self._parser = None
        self._reading = self._in_head = False
        self._ending = True
        if self._reply is None and not self._waiting:
            self._transport.close()

    # Requests

    def _serve_next(self) -> None:
        waiting = self._waiting.popleft()
        close = not waiting.keep_alive or (self._ending and not self._waiting and self._refused is None)
        self._reply = WireReply(
            self._transport,
            self._gate,
            self._places.dates,
            generation_id=waiting.call.id_text,
            http11=waiting.http11,
            close=close,
            ended=self._ended,
        )
        task = self._task = self._loop.create_task(waiting.route.answer(waiting.call, self._reply))
        self._places.tasks.add(task)
        task.add_done_callback(self._finished)

    def _ended(self, open_for_more: bool) -> None:
        """The last byte of an answer was handed over."""
        self._reply = self._task = None
        self._deadline = self._loop.time() + IDLE_SECONDS
        if not open_for_more:
            self._parser = None
            self._reading = self._in_head = False
            self._transport.close()
        elif self._waiting:
            if self._paused:
                self._paused = False
                self._transport.resume_reading()
            if not self._gate.closed:
                self._serve_next()
        elif self._ending:
            self._leave()

    def _finished(self, task: asyncio.Task[None]) -> None:
        """A task has ended. When its answer has not, there will be no more of it, and the client must not take it for a whole one."""
        self._places.tasks.discard(task)
        if not task.cancelled():
            task.exception()
        if task is self._task:
            self._transport.abort()

    def _take_elsewhere(self, data: bytes) -> None:
        """Bytes that begin no inference request: the ASGI server's from here on, when no answer is under way and it is clear what they
        begin."""
        if any(beginning.startswith(data) for beginning in self._places.beginnings):
            self._beginning = data
            return
        if self._reply is not None or self._waiting:
            self._turn_away()
            return
        self._forget()
        protocol = self._places.fallback()
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        protocol.data_received(data)

    def _turn_away(self) -> None:
        """A request for something else came too early to be handed over: the client sends it again on a new connection (RFC 9112,
        9.3.1)."""
        self._parser = None
        self._reading = False
        self._ending = True
        if self._reply is None and not self._waiting:
            self._transport.close()

    def _decline(self, data: bytes) -> None:
        """Read a request that offers another protocol as if it did not (RFC 9110, 7.8). llhttp has stopped after its head; `data` is what
        followed."""
        parser = self._parser
        if parser is None:
            return
        if parser.get_method() != b"POST":
            self._turn_away()
            return
        fields = [(name, value) for name, value in self._fields.items() if name.lower() != b"upgrade"]
        head = b"POST %b HTTP/%b\r\n%b\r\n" % (self._url, parser.get_http_version().encode(), render_headers(fields))
        self._parser = httptools.HttpRequestParser(self)
        self.data_received(head + data)

    def _encourage(self) -> None:
        """Ask for the body, unless the bytes would fall into another answer (RFC 9110, 10.1.1)."""
        if self._parser is not None and self._reply is None and not self._waiting and self._parser.get_http_version() == "1.1":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _count_framing(self, size: int) -> None:
        """A request goes on after this read of `size` bytes, which may have begun with the end of another one. Reads that bring nothing of
        the body are head, the signs between chunks, or headers after the last chunk, and these have an end."""
        if self._shared_read:
            self._shared_read = False
        elif self._body_bytes != self._body_seen:
            self._body_seen = self._body_bytes
            self._framing_bytes = 0
        else:
            self._framing_bytes += size
            if self._framing_bytes > MAX_HEAD_BYTES:
                self._refuse(HEAD_TOO_LARGE)

    def _probe(self) -> None:
        if self._reply is not None and not self._transport.is_closing():
            self._reply.probe()

    def _refuse(self, error: ApiError) -> None:
        """Say what is wrong with a request that never became a call, after the answers that are under way, and end the connection."""
        if self._parser is None:
            return
        self._parser = None
        self._ending = True
        self._reading = self._in_head = False
        self._body.clear()
        self._refused = error
        if self._reply is None and not self._waiting:
            self._leave()

    def _leave(self) -> None:
        """End the connection. After a refusal, what the client still sends is thrown away for a moment, since closing on unread bytes would
        reset the connection before the answer is read (RFC 9112, 9.6)."""
        if self._refused is None:
            self._transport.close()
            return
        self._transport.write(refusal(self._refused.status, render(self._refused), self._places.dates))
        self._linger()

    def _linger(self) -> None:
        if self._transport.can_write_eof():
            self._transport.write_eof()
        if self._timer is not None:
            self._timer.cancel()
        self._deadline = self._loop.time() + LINGER_SECONDS
        self._timer = self._loop.call_at(self._deadline, self._ring)

    def _forget(self) -> None:
        self._places.connections.discard(self)
        self._parser = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self) -> None:
        """The timer is set seldom and looks what the deadline is by now."""
        now = self._loop.time()
        unsent = self._transport.get_write_buffer_size()
        if (self._reply is not None and not self._reading) or (unsent and unsent != self._unsent):
            self._deadline = max(self._deadline, now + IDLE_SECONDS)
        self._unsent = unsent
        if now < self._deadline:
            self._timer = self._loop.call_at(self._deadline, self._ring)
        elif self._reading:
            self._deadline = now + IDLE_SECONDS
            self._timer = self._loop.call_at(self._deadline, self._ring)
            self._refuse(TOO_SLOW)
        else:
            self._timer = None
            self._transport.abort()
