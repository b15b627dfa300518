"""Opening connections: addresses, deadlines and proxies."""

import asyncio
import gc
import socket
import ssl

import pytest
import trustme

from trunkline.errors import ConnectFailed, UpstreamTimeout
from trunkline.protocol.catalogue import Timeouts
from trunkline.transport.client import Client
from trunkline.transport.connection import Connection
from trunkline.transport.egress import EgressGuard
from trunkline.transport.tls import open_context

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


def resolving(*addresses: str) -> EgressGuard:
    async def resolve(host: str, port: int) -> list[str]:
        return list(addresses)

    return EgressGuard(resolve=resolve)


async def fetch(client: Client, url: str, **timeouts: float) -> bytes:
    target = client.target("POST", url, {}, operator_url=True)
    return await (await client.send(target, b"{}", Timeouts(**timeouts))).read_all(100)


@pytest.fixture
def silent_port():
    """A port whose queue of connections is full: it neither takes nor refuses one."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    fillers = [socket.socket() for _ in range(4)]
    for filler in fillers:
        filler.setblocking(False)
        filler.connect_ex(listener.getsockname())
    yield listener.getsockname()[1]
    for opened in (listener, *fillers):
        opened.close()


@pytest.fixture
def refusing_port():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        yield closed.getsockname()[1]


def test_refused(run, refusing_port):
    with pytest.raises(ConnectFailed, match=f"cannot connect to 127.0.0.1:{refusing_port}: Connection refused"):
        run(fetch(Client(EgressGuard()), f"http://127.0.0.1:{refusing_port}/"))


def test_the_connect_deadline(run, silent_port):
    with pytest.raises(UpstreamTimeout) as raised:
        run(fetch(Client(EgressGuard()), f"http://127.0.0.1:{silent_port}/", connect=0.05))
    assert (raised.value.phase, raised.value.seconds) == ("connect", 0.05)


def test_the_connect_deadline_covers_dns(run):
    async def resolve(host, port):
        await asyncio.sleep(5)
        return []

    with pytest.raises(UpstreamTimeout, match="connect"):
        run(fetch(Client(EgressGuard(resolve=resolve)), "http://slow.example/", connect=0.05))


def test_the_connect_deadline_covers_the_handshake(run, fault_server):
    async def main():
        async with fault_server([5.0]) as server:
            client = Client(EgressGuard())
            with pytest.raises(UpstreamTimeout, match="connect"):
                await fetch(client, f"https://127.0.0.1:{server.port}/", connect=0.05)
            assert client.stats().open == 0

    run(main())


def test_the_next_address_is_tried(run, fault_server):
    async def main():
        async with fault_server(["read", OK]) as server:
            client = Client(resolving("127.0.0.9", "127.0.0.1"))
            assert await fetch(client, f"http://two.example:{server.port}/") == b"ok"
            await client.close()

    run(main())


def test_a_silent_address_leaves_time_for_the_next(run, silent_port):
    async def main():
        async def serve(reader, writer):
            await reader.readuntil(b"{}")
            writer.write(OK)
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.2", silent_port)
        client = Client(resolving("127.0.0.1", "127.0.0.2"))
        assert await fetch(client, f"http://two.example:{silent_port}/", connect=2.0) == b"ok"
        await client.close()
        server.close()

    run(main())


def test_nagle_is_off(run, converse):
    async def main():
        async with converse(["read", OK]) as talk:
            await talk.send()
            opened = next(iter(talk.target.pool._open))._transport.get_extra_info("socket")
            assert opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1

    run(main())


def test_plain_requests_through_the_proxy(run, fault_server):
    async def main():
        async with fault_server(["read", OK]) as proxy:
            environ = {"HTTP_PROXY": f"http://me:secret@127.0.0.1:{proxy.port}", "NO_PROXY": "direct.example"}
            client = Client(resolving("8.8.8.8"), environ=environ)
            assert await fetch(client, "http://up.example/v1") == b"ok"
            assert proxy.requests[0].startswith(b"POST http://up.example:80/v1 HTTP/1.1\r\nhost: up.example\r\n")
            assert b"proxy-authorization: Basic bWU6c2VjcmV0\r\n" in proxy.requests[0]
            await client.close()

    run(main())


def test_users_urls_never_go_through_the_proxy():
    client = Client(EgressGuard(), environ={"HTTP_PROXY": "http://127.0.0.1:1"})
    assert client.target("GET", "http://up.example/", {}, operator_url=True).pool.origin.proxy is not None
    assert client.target("GET", "http://up.example/", {}, operator_url=False).pool.origin.proxy is None


class TunnelProxy:
    """An HTTP proxy that knows CONNECT and sends every tunnel to one port."""

    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        self.heads: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heads.append(await reader.readuntil(b"\r\n\r\n"))
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.upstream)
        writer.write(b"HTTP/1.1 200 Connection established\r\nvia: test\r\n\r\n")
        await asyncio.gather(_pipe(reader, up_writer), _pipe(up_reader, writer))


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
    except OSError:
        pass
    writer.close()


def test_tls_through_the_proxys_tunnel(run, fault_server, tmp_path):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("up.example").configure_cert(server_context)

    async def main():
        async with fault_server(["read", OK, "loop"], tls=server_context) as upstream:
            proxy = TunnelProxy(upstream.port)
            server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
            environ = {"HTTPS_PROXY": f"http://me:secret@127.0.0.1:{server.sockets[0].getsockname()[1]}"}
            client = Client(EgressGuard(), environ=environ, ssl_context=open_context(ca_file=str(tmp_path / "ca.pem")))
            target = client.target("POST", "https://up.example/v1", {}, operator_url=True)
            for _ in range(2):
                assert await (await client.send(target, b"{}", Timeouts())).read_all(10) == b"ok"
            assert proxy.heads == [
                b"CONNECT up.example:443 HTTP/1.1\r\nhost: up.example:443\r\nproxy-authorization: Basic bWU6c2VjcmV0\r\n\r\n"
            ]
            assert upstream.requests[0].startswith(b"POST /v1 HTTP/1.1\r\n")
            assert b"proxy" not in upstream.requests[0]
            await client.close()
            server.close()
            await asyncio.sleep(0.02)

    run(main())


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ([b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"], "407 Proxy Authentication"),
        ([b"SSH-2.0\r\n\r\n"], "SSH-2.0"),
        ([b"HTTP/1.1 200 OK\r\n\r\nearly"], "more than"),
        ([b"HTTP/1.1 200 OK\r\n\r\nearly\r\n\r\n"], "more than"),
        (["close"], "no answer"),
        (["reset"], "proxy"),
        ([b"x" * 20_000], "no answer"),
    ],
)
def test_a_proxy_that_refuses(run, fault_server, answer, words):
    async def main():
        async with fault_server(["read", *answer]) as proxy:
            client = Client(EgressGuard(), environ={"HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}"})
            with pytest.raises(ConnectFailed, match=words):
                await fetch(client, "https://up.example/v1")

    run(main())


def test_a_connection_that_is_lost_while_it_opens(run, converse, monkeypatch):
    """Its socket must be closed once: a second close would hit whoever has the descriptor's number by then."""

    made = Connection.connection_made

    def lose(connection, transport):
        made(connection, transport)
        connection.abort()

    async def main():
        async with converse(["read", OK]) as talk:
            with monkeypatch.context() as patch:
                patch.setattr(Connection, "connection_made", lose)
                with pytest.raises(ConnectFailed, match="closed the connection at once"):
                    await talk.send()
            with socket.socket() as next_user:
                gc.collect()
                next_user.getsockname()

    run(main())
