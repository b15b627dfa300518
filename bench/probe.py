"""Our own clients: one request whose whole answer is looked at, latency on a single connection, and paced streams side by side."""

import asyncio
import socket
import time
from collections.abc import Sequence
from functools import partial
from statistics import quantiles

import httptools
from msgspec import Struct

from bench import workload
from bench.gateways import Gateway


class BrokenAnswer(Exception):
    """The connection ended inside an answer."""


class Answer:
    """One response as httptools reads it, and whether it is complete. `headers` have lower-case names."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.headers: dict[bytes, bytes] = {}
        self.complete = False
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        self._parser.feed_data(data)

    @property
    def status(self) -> int:
        status: int = self._parser.get_status_code()
        return status

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.lower()] = value

    def on_body(self, body: bytes) -> None:
        self.pieces.append(body)

    def on_message_complete(self) -> None:
        self.complete = True


def _exchange(peer: socket.socket, request: bytes) -> Answer:
    answer = Answer()
    peer.sendall(request)
    while not answer.complete:
        data = peer.recv(65536)
        if not data:
            raise BrokenAnswer("the connection ended inside an answer")
        answer.feed(data)
    return answer


def ask(gateway: Gateway, kind: workload.Kind) -> tuple[int, bytes]:
    """Status and body of one request."""
    with socket.create_connection(("127.0.0.1", gateway.ports[kind]), timeout=15) as peer:
        answer = _exchange(peer, gateway.request(kind))
        return answer.status, b"".join(answer.pieces)


def percentiles(latencies: Sequence[float]) -> tuple[float, float]:
    """Median and 99th percentile."""
    cuts = quantiles(latencies, n=100, method="inclusive")
    return cuts[49], cuts[98]


def latency(gateway: Gateway, *, requests: int = 300) -> tuple[float, float]:
    """p50 and p99 of plain requests in microseconds, one after the other on one connection, the first 20 left out."""
    request = gateway.request("plain")
    with socket.create_connection(("127.0.0.1", gateway.ports["plain"]), timeout=15) as peer:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(20):
            _exchange(peer, request)
        taken = []
        for _ in range(requests):
            before = time.perf_counter_ns()
            _exchange(peer, request)
            taken.append((time.perf_counter_ns() - before) / 1000)
    return percentiles(taken)


class Paced(Struct, frozen=True, kw_only=True):
    """What a run of paced streams did."""

    streams: int
    seconds: float


class _Listener(asyncio.Protocol):
    """One connection that asks for a number of streams, one after the other."""

    def __init__(self, gateway: Gateway, count: int, done: "asyncio.Future[None]") -> None:
        self._gateway = gateway
        self._request = gateway.request("paced")
        self._left = count
        self._done = done
        self._answer = Answer()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  create_connection gives no other kind
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._answer.feed(data)
        if not self._answer.complete:
            return
        try:
            self._gateway.check("paced", self._answer.status, b"".join(self._answer.pieces))
        except workload.WrongAnswer as error:
            self._finish(error)
            return
        self._left -= 1
        if not self._left:
            self._finish(None)
            return
        self._answer = Answer()
        self._transport.write(self._request)

    def connection_lost(self, exc: Exception | None) -> None:
        self._finish(BrokenAnswer("the connection ended inside a stream"))

    def _finish(self, error: Exception | None) -> None:
        if not self._done.done():
            if error is None:
                self._done.set_result(None)
            else:
                self._done.set_exception(error)
        self._transport.close()


async def _listen(gateway: Gateway, each: int) -> None:
    loop = asyncio.get_running_loop()
    load = workload.WORKLOADS["paced"]
    futures: list[asyncio.Future[None]] = [loop.create_future() for _ in range(load.connections)]
    for number, future in enumerate(futures):
        listener = partial(_Listener, gateway, each, future)
        await loop.create_connection(listener, "127.0.0.1", gateway.ports["paced"])
        # Streams are spread over one interval, else all events of all streams would wake the gateway at the same moment.
        await asyncio.sleep(workload.PACE_MS / 1000 / load.connections * (1 + number % 2))
    await asyncio.gather(*futures)


def paced(gateway: Gateway, *, each: int) -> Paced:
    """Runs 32 connections with `each` streams one after the other, every answer checked. Raises WrongAnswer or BrokenAnswer."""
    before = time.monotonic()
    asyncio.run(_listen(gateway, each))
    return Paced(streams=each * workload.WORKLOADS["paced"].connections, seconds=time.monotonic() - before)
