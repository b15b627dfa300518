"""A byte-level upstream on loopback, and the two event loops that the product runs on."""

import asyncio
import re
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvloop

from trunkline.protocol.catalogue import Timeouts
from trunkline.transport.client import Client
from trunkline.transport.egress import EgressGuard
from trunkline.transport.response import Response

_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


class FaultServer:
    """Plays one script for each connection, the last script for all later ones.

    Steps: "read" takes one request into `requests`; bytes are written as they are; a float is a pause in seconds; "reset" breaks the
    connection with an RST; "close" closes it; "loop" starts again. After the last step it stays open until the client closes it.
    """

    def __init__(self, *scripts: list[bytes | float | str], tls: ssl.SSLContext | None = None) -> None:
        self.scripts = scripts
        self.requests: list[bytes] = []
        self.connections = 0
        self.closed_at: list[float] = []
        self._tls = tls
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "FaultServer":
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        script = self.scripts[min(self.connections, len(self.scripts) - 1)]
        self.connections += 1
        try:
            await self._play(script, reader, writer)
            await reader.read()
            self.closed_at.append(asyncio.get_running_loop().time())
        except (OSError, EOFError, asyncio.CancelledError):
            self.closed_at.append(asyncio.get_running_loop().time())
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _play(self, script: list[bytes | float | str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        steps = list(script)
        while steps:
            step = steps.pop(0)
            if isinstance(step, bytes):
                writer.write(step)
                await writer.drain()
            elif isinstance(step, float):
                await asyncio.sleep(step)
            elif step == "read":
                self.requests.append(await _read_request(reader))
            elif step == "loop":
                steps = list(script)
            elif step == "reset":
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
                return
            elif step == "close":
                writer.close()
                return


async def _read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = _LENGTH.search(head)
    return head + (await reader.readexactly(int(length[1])) if length else b"")


class Conversation:
    """A client, one target and the fault server behind it."""

    def __init__(self, server: FaultServer, client: Client, method: str) -> None:
        self.server = server
        self.client = client
        self.target = client.target(method, f"http://127.0.0.1:{server.port}/v1/chat", {"x-key": "k"}, operator_url=True)

    async def send(self, body: bytes = b"{}", **options: Any) -> Response:
        timeouts = Timeouts(**{name: options.pop(name) for name in Timeouts.__struct_fields__ if name in options})
        return await self.client.send(self.target, body, timeouts, **options)

    async def settle(self, connections: int = 0) -> None:
        """Wait until the client has that many open connections."""
        for _ in range(6000):
            if self.client.stats().open == connections:
                return
            await asyncio.sleep(0.005)
        raise AssertionError(f"{self.client.stats()} instead of {connections} open connections")


@asynccontextmanager
async def _converse(*scripts: list[bytes | float | str], method: str = "POST", **options: Any) -> AsyncIterator[Conversation]:
    async with FaultServer(*scripts) as server:
        client = Client(EgressGuard(), ssl_context=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), **options)
        try:
            yield Conversation(server, client, method)
        finally:
            await client.close()


@pytest.fixture
def converse() -> Callable[..., Any]:
    """`async with converse(script, ...) as conversation`."""
    return _converse


@pytest.fixture
def fault_server() -> type[FaultServer]:
    return FaultServer


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Runs a coroutine to its end, once on each event loop."""
    factory = uvloop.new_event_loop if request.param == "uvloop" else asyncio.new_event_loop

    def run_in(main: Coroutine[Any, Any, Any]) -> Any:
        with asyncio.Runner(loop_factory=factory) as runner:
            return runner.run(asyncio.wait_for(main, 60))

    return run_in
