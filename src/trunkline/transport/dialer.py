"""Opens connections: checked addresses, TCP, the operator's proxy, TLS."""

import asyncio
import os
import re
import socket
import ssl

from trunkline.errors import CertificateRejected, ConnectFailed, UpstreamTimeout
from trunkline.transport.connection import Connection
from trunkline.transport.egress import EgressGuard
from trunkline.transport.pool import Origin, Pool
from trunkline.transport.proxy import Proxy

_MAX_ADDRESSES = 4
_MAX_PROXY_HEAD = 16 * 1024
_ACCEPTED = re.compile(rb"HTTP/1\.[01] 2\d\d[ \r]")


class Dialer:
    """Connects to origins, with one guard and one TLS context."""

    def __init__(self, guard: EgressGuard, context: ssl.SSLContext) -> None:
        self._guard = guard
        self._context = context

    async def dial(self, pool: Pool, seconds: float) -> Connection:
        """A fresh connection. `seconds` cover DNS, TCP, proxy and TLS.

        Raises EgressDenied, ConnectFailed, or UpstreamTimeout("connect").
        """
        try:
            async with asyncio.timeout(seconds):
                return await self._dial(pool, seconds)
        except TimeoutError:
            raise UpstreamTimeout("connect", seconds) from None

    async def _dial(self, pool: Pool, seconds: float) -> Connection:
        origin = pool.origin
        via = origin.proxy
        host, port = (via.host, via.port) if via is not None else (origin.host, origin.port)
        addresses = await self._guard.addresses(host, port, operator_url=origin.operator_url)
        opened = await _connect(f"{host}:{port}", addresses[:_MAX_ADDRESSES], port, seconds)
        if via is not None and origin.scheme == "https":
            await _tunnel(opened, origin, via)
        return await self._wrap(pool, opened)

    async def _wrap(self, pool: Pool, opened: socket.socket) -> Connection:
        loop = asyncio.get_running_loop()
        origin = pool.origin
        try:
            if origin.scheme == "https":
                _, connection = await loop.create_connection(
                    lambda: Connection(pool, loop), sock=opened, ssl=self._context, server_hostname=origin.host, ssl_shutdown_timeout=1.0
                )
            else:
                _, connection = await loop.create_connection(lambda: Connection(pool, loop), sock=opened)
        except ssl.SSLCertVerificationError as error:
            raise CertificateRejected(f"the certificate of {origin} is not accepted: {error.verify_message}") from error
        except (OSError, ValueError) as error:
            raise ConnectFailed(f"cannot open a connection to {origin}: {error}") from error
        if connection.lost:
            # uvloop ties the socket to its transport only now, so neither would know that libuv has closed the descriptor, and the
            # socket would one day close a stranger's. asyncio has closed the socket already.
            opened.detach()
            return connection
        # Only now: uvloop tells a connection nothing of its end when the task that opens it is cancelled.
        pool.opened(connection)
        if pool.closed:
            connection.abort()
        return connection


async def _connect(name: str, addresses: tuple[str, ...], port: int, seconds: float) -> socket.socket:
    """A TCP connection to the first address that takes it. A silent one has its share of the time, the last one all that is left."""
    loop = asyncio.get_running_loop()
    failure = ""
    for address in addresses:
        share = None if address is addresses[-1] else seconds / len(addresses)
        opened = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        try:
            opened.setblocking(False)
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            async with asyncio.timeout(share):
                await loop.sock_connect(opened, (address, port))
        except OSError as error:
            opened.close()
            failure = failure or (os.strerror(error.errno) if error.errno else "no answer")
        except BaseException:
            opened.close()
            raise
        else:
            return opened
    raise ConnectFailed(f"cannot connect to {name}: {failure}")


async def _tunnel(opened: socket.socket, origin: Origin, via: Proxy) -> None:
    """Ask the proxy for a tunnel (RFC 9110, 9.3.6). Closes the socket and raises ConnectFailed when it does not answer 2xx."""
    loop = asyncio.get_running_loop()
    authority = f"{origin.host}:{origin.port}".encode()
    request = b"CONNECT %b HTTP/1.1\r\nhost: %b\r\n" % (authority, authority)
    if via.authorization:
        request += b"proxy-authorization: %b\r\n" % via.authorization
    head = b""
    try:
        await loop.sock_sendall(opened, request + b"\r\n")
        while b"\r\n\r\n" not in head:
            data = await loop.sock_recv(opened, 4096)
            head += data
            if not data or len(head) > _MAX_PROXY_HEAD:
                raise ConnectFailed("the proxy gave no answer to CONNECT")
        if head.index(b"\r\n\r\n") + 4 < len(head):
            raise ConnectFailed("the proxy sent more than its answer to CONNECT")
        if not _ACCEPTED.match(head):
            raise ConnectFailed(f"the proxy refused the tunnel: {head.splitlines()[0][:100].decode('latin-1')}")
    except OSError as error:
        opened.close()
        raise ConnectFailed(f"the proxy failed: {error}") from error
    except BaseException:
        opened.close()
        raise
