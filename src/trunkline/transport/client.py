"""The outbound HTTP client: one request, one response, over kept connections."""

import asyncio
import ssl
from collections.abc import Mapping
from typing import Protocol
from weakref import WeakValueDictionary

from msgspec import Struct

from trunkline.errors import ConnectFailed
from trunkline.protocol.catalogue import Timeouts
from trunkline.transport.connection import StaleConnection
from trunkline.transport.dialer import Dialer
from trunkline.transport.egress import EgressGuard
from trunkline.transport.pool import Origin, Pool
from trunkline.transport.proxy import Proxies
from trunkline.transport.response import Response
from trunkline.transport.target import Target, render_head, sends_length
from trunkline.transport.tls import open_context


class Stats(Struct, frozen=True):
    """Connections at this moment: all open ones, and those of them that wait for a request."""

    open: int
    idle: int


class Holder(Protocol):
    """Whoever must know of a response before its head is there, such as to tell how far a call came that is cancelled."""

    response: Response | None


class Client:
    """Sends requests to targets. One for each worker; used from one event loop only.

    `environ` is where the operator's proxy is read from. `max_idle_per_origin` and `idle_seconds` bound the kept connections,
    `max_decoded` (bytes) what a compressed body may unpack to.
    """

    def __init__(
        self,
        guard: EgressGuard,
        *,
        ssl_context: ssl.SSLContext | None = None,
        environ: Mapping[str, str] | None = None,
        max_idle_per_origin: int = 256,
        idle_seconds: float = 55.0,
        max_decoded: int = 64 * 1024 * 1024,
    ) -> None:
        self._guard = guard
        self._dialer = Dialer(guard, ssl_context or open_context())
        self._proxies = Proxies.from_environ(environ or {})
        self._max_idle = max_idle_per_origin
        self._idle_seconds = idle_seconds
        self._max_decoded = max_decoded
        self._pools: WeakValueDictionary[Origin, Pool] = WeakValueDictionary()

    def target(self, method: str, url: str, headers: Mapping[str, str], *, operator_url: bool) -> Target:
        """Prepare requests to a URL; built once for each endpoint. Raises EgressDenied for the URL, ConfigError for a header."""
        location = self._guard.check_url(url, operator_url=operator_url)
        proxy = self._proxies.find(location.scheme, location.host) if operator_url else None
        origin = Origin(location.scheme, location.host, location.port, operator_url, proxy)
        head = render_head(method, url, origin, headers)
        pool = self._pools.get(origin)
        if pool is None:
            pool = self._pools[origin] = Pool(origin, max_idle=self._max_idle, idle_seconds=self._idle_seconds)
        return Target(method, url, pool, head, sends_length(method))

    async def send(
        self,
        target: Target,
        body: bytes,
        timeouts: Timeouts,
        *,
        extra_headers: bytes = b"",
        head_timeout: float | None = None,
        holder: Holder | None = None,
    ) -> Response:
        """Send a request and return when the head of the response is there (redirects as they are).

        `head_timeout` (seconds; default `timeouts.first_content`) is for calls whose head comes late by nature.
        `extra_headers` are whole lines, each with its CRLF. `holder` is given the response when the request goes out. A kept connection
        that fails before any response byte is replaced by a fresh one, once. Raises ConnectFailed, UpstreamTimeout, EgressDenied,
        ConnectionLost, MalformedResponse, ResponseTooLarge.
        """
        request = target.request(body, extra_headers)
        loop = asyncio.get_running_loop()
        connection = target.pool.take()
        while True:
            if connection is None:
                connection = await self._dialer.dial(target.pool, timeouts.connect)
                if connection.closed:
                    raise ConnectFailed(f"{target.pool.origin} closed the connection at once")
            response = Response(
                timeouts, sent_at=loop.time(), head_timeout=head_timeout, bodiless=target.method == "HEAD", max_decoded=self._max_decoded
            )
            connection.start(request, response)
            if holder is not None:
                holder.response = response
            await response.wait_head()
            error = response.error
            if error is None or response.status:
                return response
            if not isinstance(error, StaleConnection):
                raise error
            connection = None

    def stats(self) -> Stats:
        """How many connections there are."""
        pools = tuple(self._pools.values())
        return Stats(sum(pool.open for pool in pools), sum(pool.idle for pool in pools))

    async def close(self) -> None:
        """Close all connections, also those in use, and wait until the sockets are closed."""
        for pool in tuple(self._pools.values()):
            pool.close()
        for _ in range(100):
            if not self.stats().open:
                return
            await asyncio.sleep(0.001)
