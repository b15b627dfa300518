"""TLS: names are checked, sessions are used again, HTTP/1.1 is agreed on."""

import asyncio
import ssl

import pytest
import trustme

from trunkline.errors import CertificateRejected, ConnectFailed
from trunkline.protocol.catalogue import Timeouts
from trunkline.transport.client import Client
from trunkline.transport.egress import EgressGuard
from trunkline.transport.tls import open_context

CLOSED = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok"
KEPT = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server_context(authority) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["h2", "http/1.1"])
    authority.issue_cert("up.example", "127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def context(authority, tmp_path) -> ssl.SSLContext:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return open_context(ca_file=str(path))


async def resolve(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


async def fetch(client: Client, url: str) -> bytes:
    response = await client.send(client.target("GET", url, {}, operator_url=True), b"", Timeouts(connect=30.0))
    return await response.read_all(10)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_sessions_are_resumed(run, fault_server, server_context, context, version):
    server_context.maximum_version = version

    async def main():
        async with fault_server(["read", CLOSED, "close"], tls=server_context) as server:
            client = Client(EgressGuard(resolve=resolve), ssl_context=context)
            for _ in range(3):
                assert await fetch(client, f"https://up.example:{server.port}/") == b"ok"
                await asyncio.sleep(0.01)
            await client.close()

    run(main())
    assert server_context.session_stats()["hits"] == 2


def test_handshakes_at_the_same_time(run, fault_server, server_context, context):
    """An SSL object has no session to give while its own handshake is under way."""

    async def main():
        async with fault_server(["read", KEPT, "loop"], tls=server_context) as server:
            client = Client(EgressGuard(resolve=resolve), ssl_context=context)
            url = f"https://up.example:{server.port}/"
            for connections in (5, 10):
                answers = await asyncio.gather(*(fetch(client, url) for _ in range(connections)))
                assert answers == [b"ok"] * connections
            await client.close()

    run(main())
    assert server_context.session_stats()["hits"] >= 1


def test_a_connection_is_kept(run, fault_server, server_context, context):
    async def main():
        async with fault_server(["read", KEPT, "loop"], tls=server_context) as server:
            client = Client(EgressGuard(resolve=resolve), ssl_context=context)
            url = f"https://up.example:{server.port}/"
            target = client.target("GET", url, {}, operator_url=True)
            for _ in range(3):
                assert await (await client.send(target, b"", Timeouts())).read_all(10) == b"ok"
            assert server.connections == 1
            tls = next(iter(target.pool._open))._transport.get_extra_info("ssl_object")
            assert tls.selected_alpn_protocol() == "http/1.1"
            assert await fetch(client, f"https://127.0.0.1:{server.port}/") == b"ok"
            await client.close()

    run(main())


def test_a_wrong_name_is_refused_in_clear_words(run, fault_server, server_context, context):
    async def main():
        async with fault_server(["read", KEPT], tls=server_context) as server:
            client = Client(EgressGuard(resolve=resolve), ssl_context=context)
            await fetch(client, f"https://up.example:{server.port}/")
            with pytest.raises(CertificateRejected, match=r"certificate of https://other\.example.*not valid for 'other\.example'"):
                await fetch(client, f"https://other.example:{server.port}/")
            assert server.requests and all(b"other" not in request for request in server.requests)
            await client.close()

    run(main())


def test_an_unknown_authority_is_refused(run, fault_server, server_context):
    async def main():
        async with fault_server(["read", KEPT], tls=server_context) as server:
            client = Client(EgressGuard(resolve=resolve), ssl_context=open_context())
            with pytest.raises(ConnectFailed, match="local issuer"):
                await fetch(client, f"https://up.example:{server.port}/")
            await client.close()

    run(main())


def test_a_server_that_speaks_no_tls(run, fault_server, context):
    async def main():
        async with fault_server([b"HTTP/1.1 400 Bad Request\r\n\r\n", "close"]) as server:
            client = Client(EgressGuard(resolve=resolve), ssl_context=context)
            with pytest.raises(ConnectFailed, match="cannot open a connection to https://up"):
                await fetch(client, f"https://up.example:{server.port}/")
            await client.close()

    run(main())


def test_old_versions_are_off(context):
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.check_hostname
    assert context.verify_mode == ssl.CERT_REQUIRED


def test_the_known_sessions_are_bounded(context):
    for number in range(300):
        context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=f"h{number}.example")
    assert len(context.recent) == 256
    assert "h299.example" in context.recent
