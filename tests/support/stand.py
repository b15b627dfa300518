"""A server whose connections are `api.connection`'s, on real sockets and the product's event loop, and clients that send bytes as told."""

import asyncio
import gc
from collections.abc import Awaitable, Callable
from typing import Any, cast

import uvloop

from trunkline.api.connection import Connection, Places
from trunkline.api.inference import InferenceRoute
from trunkline.inference.call import Call
from trunkline.inference.pipeline import Pipeline
from trunkline.inference.reply import Reply
from trunkline.inference.skins import CHAT

PATH = "/api/v1/chat/completions"
Script = Callable[[Call, Reply], Awaitable[None]]


async def echo(call: Call, reply: Reply) -> None:
    """Answers with the body that came."""
    await reply.whole(200, call.body)


class Stub(InferenceRoute):
    """A route whose answers a test writes."""

    def __init__(self, script: Script) -> None:
        super().__init__(cast(Pipeline, None), CHAT)
        self.calls: list[Call] = []
        self._script = script

    async def answer(self, call: Call, reply: Reply) -> None:
        """Runs the test's script."""
        self.calls.append(call)
        await self._script(call, reply)


class Elsewhere(asyncio.Protocol):
    """The ASGI server's place: answers anything, and keeps what it got."""

    def __init__(self, seen: list[bytes]) -> None:
        self._seen = seen

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self._seen.append(data)
        self._transport.write(b"elsewhere")
        self._transport.close()


class Client:
    """A client that sends bytes as it is told."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, *pieces: bytes) -> None:
        """Sends the pieces so that each arrives alone."""
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()
            await asyncio.sleep(0.001)

    async def answer(self) -> tuple[int, bytes, bytes]:
        """The next answer with Content-Length: status, head in lower case, body."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return int(head.split(b" ", 2)[1]), head, await self.reader.readexactly(length)

    async def rest(self) -> bytes:
        """Everything up to the end of the connection."""
        return await self.reader.read(-1)


class Stand:
    """A listening server whose connections are ours. `elsewhere` holds what was handed over."""

    def __init__(self, script: Script) -> None:
        self.route = Stub(script)
        self.elsewhere: list[bytes] = []
        self.connections: set[Connection] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        self.places = Places({PATH: self.route}, lambda: Elsewhere(self.elsewhere), self.connections, self.tasks)
        self.clients: list[Client] = []
        self.port = 0

    @property
    def bodies(self) -> list[bytes]:
        """The bodies of the calls, in order."""
        return [call.body for call in self.route.calls]

    async def connect(self, *pieces: bytes) -> Client:
        """A new client that has sent the pieces."""
        client = Client(*await asyncio.open_connection("127.0.0.1", self.port))
        self.clients.append(client)
        await client.send(*pieces)
        return client

    async def until(self, condition: Callable[[], bool]) -> None:
        """Waits until the condition holds, for half a minute at most."""
        async with asyncio.timeout(30):
            while not condition():
                await asyncio.sleep(0.002)


def run(test: Callable[[Stand], Awaitable[None]], script: Script = echo) -> Stand:
    """Runs a test against a server; an exception that reaches the event loop fails it."""
    escaped: list[dict[str, Any]] = []

    async def scene() -> Stand:
        stand = Stand(script)
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, context: escaped.append(context))
        server = await loop.create_server(lambda: Connection(stand.places), "127.0.0.1", 0)
        stand.port = server.sockets[0].getsockname()[1]
        try:
            async with asyncio.timeout(60):
                await test(stand)
        finally:
            server.close()
            for client in stand.clients:
                client.writer.transport.abort()
            for task in list(stand.tasks):
                task.cancel()
            async with asyncio.timeout(30):
                while stand.tasks or stand.connections:
                    await asyncio.sleep(0.001)
        return stand

    gc.freeze()  # only what comes into being here can tell of an error at its end; a walk through all the rest takes a fifth of a second
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            stand = runner.run(scene())
            gc.collect()
    finally:
        gc.unfreeze()
    assert not escaped, escaped
    return stand


def post(body: bytes = b"{}", *headers: bytes, path: str = PATH, version: bytes = b"1.1") -> bytes:
    """A request with Content-Length."""
    lines = [b"POST %b HTTP/%b" % (path.encode(), version), b"Host: here", b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def chunked(*chunks: bytes, trailers: bytes = b"") -> bytes:
    """A request in chunks."""
    head = b"POST %b HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n" % PATH.encode()
    return head + b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n" + trailers + b"\r\n"


HEAD = b"POST %b HTTP/1.1\r\n" % PATH.encode()
