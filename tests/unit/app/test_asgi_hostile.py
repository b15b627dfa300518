"""Connections for everything but inference, as a hostile client uses them: each has an end and holds little, and no request is forged."""

import asyncio
import logging
import socket
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
import uvloop
from smuggling import FORGED, forgeries
from uvicorn.server import ServerState

from trunkline.api.connection import MAX_HEAD_BYTES
from trunkline.api.wire import Dates
from trunkline.app import asgi
from trunkline.app.asgi import AsgiConnection

Message = MutableMapping[str, Any]
GET = b"GET /%b HTTP/1.1\r\nHost: here\r\n\r\n"
FORGERIES = forgeries("/echo")


class Server:
    """An application that answers with the body (`/big`: with 16 MB), once `go` is set."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.go.set()
        self.begun: list[str] = []
        self.whole: list[bytes] = []
        self.headers: list[list[tuple[bytes, bytes]]] = []
        self.state = ServerState()
        self.port = 0

    async def __call__(self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]) -> None:
        self.begun.append(scope["path"])
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message["body"]
            more = message["more_body"]
        await self.go.wait()
        self.whole.append(body)
        self.headers.append(scope["headers"])
        answer = b"x" * 16_000_000 if scope["path"] == "/big" else body
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(answer))]})
        await send({"type": "http.response.body", "body": answer})

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until the condition holds."""
        async with asyncio.timeout(30):
            while not condition():
                await asyncio.sleep(0.005)


@asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    server = Server()
    config = uvicorn.Config(server, http="httptools", ws="none", log_config=None, access_log=False, proxy_headers=False)
    config.timeout_keep_alive = 30
    listener = await asyncio.get_running_loop().create_server(lambda: AsgiConnection(config, server.state, {}, Dates()), "127.0.0.1", 0)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
        await server.until(lambda: not server.state.connections and not server.state.tasks)
    finally:
        listener.close()
        for connection in list(server.state.connections):
            connection.transport.abort()


async def talk(server: Server, *pieces: bytes) -> bytes:
    """Send the pieces, each by itself, until there is an answer to them; all bytes until the server ends the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    received = bytearray()

    async def read() -> None:
        while data := await reader.read(65536):
            received.extend(data)

    reading = asyncio.ensure_future(read())
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.wait([reading], timeout=0.002)
            if b"connection: close" in received or reading.done():
                break
        await reading
    finally:
        writer.transport.abort()
    return bytes(received)


def run(test: Callable[[Server], Awaitable[None]]) -> None:
    async def scene() -> None:
        async with asyncio.timeout(60), serving() as server:
            await test(server)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(scene())


def statuses(answer: bytes) -> list[bytes]:
    return [part[:3] for part in answer.split(b"HTTP/1.1 ")[1:]]


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_request_is_never_served(name: str) -> None:
    async def test(server: Server) -> None:
        answer = await talk(server, FORGERIES[name])
        assert statuses(answer) == [b"400"]
        assert b"application/json" in answer
        await server.until(lambda: not server.state.tasks)
        assert not [path for path in server.begun if path != "/echo"]
        assert not server.whole

    run(test)


def test_garbage_behind_a_request_is_refused_after_its_answer(caplog: pytest.LogCaptureFixture) -> None:
    """The answer that comes first must be the first request's, and a refused client must not make the log scream."""

    async def test(server: Server) -> None:
        server.go.clear()
        asking = asyncio.ensure_future(talk(server, GET % b"1" + GET % b"2" + b"GARB AGE\r\n\r\n" + FORGED))
        await server.until(lambda: server.begun)
        server.go.set()
        answer = await asking
        assert statuses(answer) == [b"200", b"200", b"400"]
        assert server.begun == ["/1", "/2"]

    run(test)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_a_client_that_leaves_several_requests_behind_ends_them_all(caplog: pytest.LogCaptureFixture) -> None:
    """uvicorn tells only the last of them, and the running one would write to a closed connection."""

    async def test(server: Server) -> None:
        server.go.clear()
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(GET % b"1" + GET % b"2")
        await server.until(lambda: server.begun)
        writer.transport.abort()
        await server.until(lambda: not server.state.connections)
        server.go.set()
        await server.until(lambda: not server.state.tasks)
        assert server.begun == ["/1"]

    run(test)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_a_bad_chunk_ends_the_request_that_it_is_in(caplog: pytest.LogCaptureFixture) -> None:
    async def test(server: Server) -> None:
        head = b"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"
        assert statuses(await talk(server, GET % b"1" + head, b"zz\r\n")) == [b"200", b"400"]
        assert server.whole == [b""]

    run(test)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize("kind", ["many-headers", "one-header", "extension"])
def test_framing_without_end_is_refused_and_not_kept(kind: str) -> None:
    beginning = {"many-headers": b"0\r\n", "one-header": b"0\r\nX: ", "extension": b"1;"}[kind]
    piece = b"".join(b"x%d: y\r\n" % number for number in range(4000)) if kind == "many-headers" else b"y" * 40_000

    async def test(server: Server) -> None:
        tracemalloc.start()
        try:
            answer = await talk(server, b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n" + beginning, *[piece] * 40)
            assert tracemalloc.get_traced_memory()[1] < 8_000_000
        finally:
            tracemalloc.stop()
        assert statuses(answer) == [b"431"]
        assert not server.whole

    run(test)


def test_trailers_are_nobodys_headers() -> None:
    async def test(server: Server) -> None:
        data = b"POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nAuthorization: Bearer forged\r\n\r\n"
        assert (await talk(server, data + b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")).count(b"HTTP/1.1 200") == 2
        assert server.headers[0] == [(b"host", b"here"), (b"transfer-encoding", b"chunked")]

    run(test)


@pytest.mark.parametrize("apart", [False, True], ids=["one-read", "head-and-body"])
def test_the_body_of_an_offer_is_its_body(apart: bool) -> None:
    """A client that would rather speak HTTP/2 says so in its first request, whose body must not be taken for the next one."""
    fields = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n"
    head = b"POST /offer HTTP/1.1\r\n%bContent-Length: %d\r\n\r\n" % (fields, len(FORGED))
    last = b"POST /last HTTP/1.1\r\nConnection: close\r\nContent-Length: 4\r\n\r\nlast"

    async def test(server: Server) -> None:
        answer = await talk(server, *([head, FORGED, last] if apart else [head + FORGED + last]))
        assert statuses(answer) == [b"200", b"200"], answer
        assert server.begun == ["/offer", "/last"]
        assert server.whole == [FORGED, b"last"]
        assert (b"upgrade", b"h2c") not in server.headers[0]

    run(test)


@pytest.mark.parametrize("before", [b"", GET % b"1"], ids=["first", "second"])
@pytest.mark.parametrize("line", [b"CONNECT inside:443", b"GET inside:443", b"GET http://", b"GET http://[::1/", b"GET /\xff"])
def test_a_target_that_is_no_path_is_refused(line: bytes, before: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody is connected through, either."""

    async def test(server: Server) -> None:
        answer = await talk(server, before + line + b" HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
        assert statuses(answer) == [b"200", b"400"][not before :]
        assert len(server.begun) == len(server.whole) == bool(before)

    run(test)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_a_large_body_is_not_taken_for_framing() -> None:
    async def test(server: Server) -> None:
        body = b"x" * (5 * MAX_HEAD_BYTES)
        head = b"POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
        assert (await talk(server, head + body)).endswith(body)
        chunks = [b"3e8;a=b\r\n%b\r\n" % (b"x" * 1000)] * 100
        answer = await talk(server, b"POST / HTTP/1.1\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n", *chunks, b"0\r\n\r\n")
        assert answer.endswith(b"x" * 100_000)

    run(test)


@pytest.mark.parametrize("before", [b"", GET % b"1"], ids=["first", "after-an-answer"])
def test_empty_lines_do_not_keep_a_connection(before: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty line before a request is allowed (RFC 9112, 2.2). A drip of them is no request, and ends as a slow one does."""
    monkeypatch.setattr(asgi, "BODY_SECONDS", 0.2)

    async def test(server: Server) -> None:
        answer = await talk(server, before, *[b"\r\n"] * 500)
        assert statuses(answer) == [b"200", b"408"][not before :]

    run(test)


def test_an_empty_line_before_a_request_is_passed_over() -> None:
    async def test(server: Server) -> None:
        assert statuses(await talk(server, b"\r\n", b"\r\nGET / HTTP/1.1\r\nConnection: close\r\n\r\n")) == [b"200"]

    run(test)


def test_a_body_in_a_drip_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "BODY_SECONDS", 0.2)

    async def test(server: Server) -> None:
        answer = await talk(server, b"POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n", *[b"x"] * 500)
        assert statuses(answer) == [b"408"]
        assert not server.whole

    run(test)


def test_a_client_that_never_reads_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "IDLE_SECONDS", 0.1)

    async def test(server: Server) -> None:
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.setblocking(False)
            await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", server.port))
            client.send(GET % b"big")
            await server.until(lambda: server.whole)
            await server.until(lambda: not server.state.connections)

    run(test)


class Unread:
    """A transport whose unsent bytes are as told, one number for each look at them, the last one for ever."""

    def __init__(self, *unsent: int) -> None:
        self.unsent = list(unsent)
        self.calls: list[str] = []

    def get_write_buffer_size(self) -> int:
        return self.unsent.pop(0) if len(self.unsent) > 1 else self.unsent[0]

    def get_extra_info(self, _name: str) -> None:
        return None

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        self.calls.append("close")

    def abort(self) -> None:
        self.calls.append("abort")


def bare(server: Server, transport: Unread) -> AsgiConnection:
    """A connection on this transport."""
    connection = AsgiConnection(uvicorn.Config(server, log_config=None), server.state, {}, Dates())
    connection.connection_made(transport)  # type: ignore[arg-type]
    server.state.connections.clear()
    return connection


@pytest.mark.parametrize(("unsent", "end"), [((900, 800, 700, 600, 600), ["abort"]), ((900, 800, 0), [])], ids=["stops", "takes-all"])
def test_a_client_that_reads_slowly_is_let_be(unsent: tuple[int, ...], end: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "IDLE_SECONDS", 0.001)

    async def test(server: Server) -> None:
        transport = Unread(*unsent)
        connection = bare(server, transport)
        connection.pause_writing()
        await server.until(lambda: connection._unread is None or transport.calls)
        assert transport.calls == end
        assert len(transport.unsent) == 1

    run(test)


@pytest.mark.parametrize(("unsent", "end"), [(10, ["abort"]), (0, ["close"])])
def test_an_idle_connection_is_not_kept_for_bytes_that_nobody_reads(unsent: int, end: list[str]) -> None:
    async def test(server: Server) -> None:
        transport = Unread(unsent)
        bare(server, transport).timeout_keep_alive_handler()
        assert transport.calls == end

    run(test)
