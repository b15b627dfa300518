"""The socket side of the mock: an asyncio protocol that walks the steps of a response. A callback per request, no tasks, so pacing stays
exact."""

import asyncio
import socket
import ssl
import struct
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress

import httptools

from trunkline.mock import wire
from trunkline.mock.respond import Request, Responder
from trunkline.mock.script import Scene
from trunkline.mock.seen import Seen, body_of
from trunkline.transport.tasks import spawn

_BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_LINGER_OFF = struct.pack("ii", 1, 0)


class Connection(asyncio.Protocol):
    """One client connection: parses requests, answers them in order, one at a time."""

    def __init__(self, mock: "MockListener", number: int) -> None:
        self._mock = mock
        self._number = number
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[Request] = deque()
        self._steps: Iterator[wire.Step] | None = None
        self._seen: Seen | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  a stream server gets no other kind
        self._transport = transport
        self._socket: socket.socket = transport.get_extra_info("socket")
        self._mock.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._mock.connections.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        if self._seen is not None:
            self._seen.aborted = True
            self._seen.closed_ms = round((time.time() - self._seen.at) * 1000, 1)
        self._steps = self._seen = None
        self._waiting.clear()

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        if self._steps is not None and self._timer is None:
            self._walk()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.write(_BAD_REQUEST)
            self._transport.close()

    def on_message_begin(self) -> None:
        self._url = b""
        self._headers: list[tuple[str, str]] = []
        self._body: list[bytes] = []

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.decode("latin-1").lower(), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        if ("expect", "100-continue") in self._headers:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        request = Request(
            method=self._parser.get_method().decode(),
            path=self._url.decode("latin-1"),
            headers=self._headers,
            body=b"".join(self._body),
            keep_alive=self._parser.should_keep_alive(),
        )
        self._waiting.append(request)
        if self._seen is None:
            self._next()
            self._walk()

    def _next(self) -> None:
        """Takes the next request, if one waits; its response is then to be walked."""
        if not self._waiting or self._transport.is_closing():
            return
        request = self._waiting.popleft()
        ledger = self._mock.responder.ledger
        self._seen = Seen(
            number=ledger.total + 1,
            at=time.time(),
            method=request.method,
            path=request.path,
            headers=request.headers,
            body=body_of(request.body),
            connection=self._number,
        )
        steps = self._mock.responder.respond(request, self._seen)
        if "/_mock/" not in request.path:
            ledger.add(self._seen)
        self._steps = iter(steps)
        self._due = self._mock.loop.time()

    def _walk(self) -> None:
        """Runs steps until one has to wait, the socket is full, or no request waits for its response."""
        self._timer = None
        while self._steps is not None and not self._paused:
            step = next(self._steps)
            if isinstance(step, wire.Send):
                self._send(step.data)
            elif isinstance(step, wire.Wait):
                self._due += step.seconds
                self._timer = self._mock.loop.call_at(self._due, self._walk)
                return
            else:
                self._end(step)

    def _send(self, data: bytes) -> None:
        self._transport.write(data)
        if self._seen is not None:
            self._seen.bytes_sent += len(data)

    def _end(self, end: wire.End) -> None:
        self._steps = None
        if end.how == "hang":
            return
        if self._seen is not None:
            self._seen.ended = True
        self._seen = None
        if end.refuse_s:
            self._mock.refuse(end.refuse_s)
        if end.how == "rst":
            self.reset()
        elif end.how == "fin":
            self._transport.close()
        else:
            self._next()

    def reset(self) -> None:
        """Ends the connection with RST: what is not sent yet is lost."""
        with suppress(OSError):  # the peer was faster and the socket is closed
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_OFF)
        self._transport.abort()


class MockListener:
    """The listening side. `port` 0 picks a free one; it stays the same when the listener closes for a while (`refuse`)."""

    def __init__(self, given: Scene, *, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.responder = Responder(given)
        self.connections: set[Connection] = set()
        self.host = host
        self.port = port
        self._tls = tls
        self._accepted = 0
        self._socket: socket.socket | None = None
        self._server: asyncio.Server | None = None

    def _connection(self) -> Connection:
        self._accepted += 1
        return Connection(self, self._accepted)

    async def open(self) -> None:
        """Starts to listen. Raises OSError if the address is taken."""
        self.loop = asyncio.get_running_loop()
        self._server = await self.loop.create_server(
            self._connection, self.host, self.port, backlog=2048, reuse_address=True, ssl=self._tls
        )
        self.port = self._server.sockets[0].getsockname()[1]

    def refuse(self, seconds: float) -> None:
        """Resets every connection and refuses new ones for that long, then listens again. It begins two turns of the loop later."""
        if self._server is None:
            return
        server, self._server = self._server, None
        self._stop_accepting(server)
        self.loop.call_soon(self.loop.call_soon, self._refuse, server, seconds)

    def _refuse(self, server: asyncio.Server, seconds: float) -> None:
        server.close()
        self._reset_all()
        self.loop.call_later(seconds, self._reopen)

    def _stop_accepting(self, server: asyncio.Server) -> None:
        """Two turns of the loop before a server closes: what it has accepted by then and not set up yet, asyncio would neither serve nor
        close."""
        for listening in server.sockets:
            self.loop.remove_reader(listening.fileno())

    def _reset_all(self) -> None:
        for connection in tuple(self.connections):
            connection.reset()

    def _reopen(self) -> None:
        spawn(self.open(), name="mock listener reopens")

    async def close(self) -> None:
        """Stops to listen and resets the connections that are left."""
        if self._server is not None:
            server, self._server = self._server, None
            self._stop_accepting(server)
            self.loop.call_soon(self.loop.call_soon, server.close)
        for _ in range(3):
            await asyncio.sleep(0)
        self._reset_all()
