"""Against nginx, as most upstreams have one in front."""

import asyncio
import ssl

import pytest

from trunkline.errors import ConnectFailed, ConnectionLost, UpstreamError
from trunkline.protocol.catalogue import Timeouts


def target_of(client, port, path="/ok", method="POST", scheme="http", headers=None):
    return client.target(method, f"{scheme}://127.0.0.1:{port}{path}", headers or {}, operator_url=True)


async def all_closed(client):
    while client.stats().open:
        await asyncio.sleep(0.01)


async def fetch(client, target, body=b"{}"):
    response = await client.send(target, body, Timeouts())
    return response.status, await response.read_all(10_000_000)


def test_posts_over_one_connection(nginx, with_client):
    async def conversation(client):
        target = target_of(client, nginx.port)
        for _ in range(20):
            assert await fetch(client, target) == (200, b'{"ok":true}')
        assert (client.stats().open, client.stats().idle) == (1, 1)

    with_client(conversation)


def test_many_at_once_then_again(nginx, with_client):
    async def conversation(client):
        target = target_of(client, nginx.port)
        for _ in range(3):
            answers = await asyncio.gather(*(fetch(client, target) for _ in range(50)))
            assert set(answers) == {(200, b'{"ok":true}')}
        assert client.stats().open <= 50

    with_client(conversation)


@pytest.mark.parametrize(
    ("method", "path", "status", "body"),
    [("HEAD", "/ok", 200, b""), ("GET", "/empty", 204, b""), ("GET", "/moved", 301, None), ("GET", "/absent", 404, None)],
)
def test_other_answers(nginx, with_client, method, path, status, body):
    async def conversation(client):
        for _ in range(2):
            response = await client.send(target_of(client, nginx.port, path, method), b"", Timeouts())
            assert response.status == status
            read = await response.read_all(10_000)
            assert body is None or read == body
            if status == 301:
                assert response.header(b"location").endswith(b"/ok")

    with_client(conversation)


def test_gzip(nginx, with_client):
    async def conversation(client):
        packed = target_of(client, nginx.port, "/text.txt", "GET", headers={"accept-encoding": "gzip"})
        response = await client.send(packed, b"", Timeouts())
        assert response.header(b"content-encoding") == b"gzip"
        assert await response.read_all(100_000) == b"to be packed\n" * 5000
        plain = await client.send(target_of(client, nginx.port, "/text.txt", "GET"), b"", Timeouts())
        assert plain.header(b"content-encoding") is None

    with_client(conversation)


def test_a_large_body_read_slowly(nginx, with_client):
    async def conversation(client):
        response = await client.send(target_of(client, nginx.port, "/big.bin", "GET"), b"", Timeouts())
        pieces = []
        while piece := await response.read():
            pieces.append(piece)
            assert len(piece) < 1_000_000
            await asyncio.sleep(0.001)
        assert b"".join(pieces) == nginx.big
        assert client.stats().idle == 1

    with_client(conversation)


def test_connections_that_nginx_ends(nginx, with_client):
    """keepalive_requests 3: the third answer says `Connection: close`. Then the idle time of 2 s passes, and the socket is seen to end."""

    async def conversation(client):
        target = target_of(client, nginx.short_port, "/", "GET")
        assert [(await fetch(client, target, b""))[1] for _ in range(4)] == [b"1", b"2", b"3", b"1"]
        await all_closed(client)
        assert (await fetch(client, target, b""))[1] == b"1"

    with_client(conversation)


def test_a_body_that_nginx_refuses(nginx, with_client):
    """It answers 413 while the body is still on its way, and closes. The answer or the loss of the connection is what one can see of it."""

    async def conversation(client):
        target = target_of(client, nginx.port, "/upload")
        try:
            status, _ = await fetch(client, target, b"x" * 4_000_000)
            assert status == 413
        except (ConnectFailed, ConnectionLost):
            pass
        await all_closed(client)

    with_client(conversation)


def test_a_request_body_through_nginx(nginx, with_client):
    async def conversation(client):
        assert await fetch(client, target_of(client, nginx.port, "/upload"), b"x" * 60_000) == (200, b'{"ok":true}')

    with_client(conversation)


def test_nginx_dies_inside_a_body(nginx, with_client):
    async def conversation(client):
        response = await client.send(target_of(client, nginx.port, "/slow.bin", "GET"), b"", Timeouts())
        assert await response.read()
        nginx.kill()
        with pytest.raises(ConnectionLost):
            await response.read_all(10_000_000)
        with pytest.raises(UpstreamError):
            await client.send(target_of(client, nginx.port), b"", Timeouts())

    with_client(conversation)


def test_tls(nginx, with_client):
    async def conversation(client):
        target = target_of(client, nginx.tls_port, "/reused", "GET", "https")
        assert [(await fetch(client, target, b""))[1] for _ in range(2)] == [b". 1", b". 2"]
        # A second connection beside the first one resumes its session.
        first, second = await asyncio.gather(fetch(client, target, b""), fetch(client, target, b""))
        assert {first[1], second[1]} == {b". 3", b"r 1"}
        big = target_of(client, nginx.tls_port, "/big.bin", "GET", "https")
        assert (await fetch(client, big, b""))[1] == nginx.big

    with_client(conversation, ca_file=nginx.ca_file)


def test_tls_that_nobody_vouches_for(nginx, with_client):
    async def conversation(client):
        with pytest.raises(ConnectFailed, match="certificate") as raised:
            await fetch(client, target_of(client, nginx.tls_port, "/ok", "GET", "https"))
        assert isinstance(raised.value.__cause__, ssl.SSLCertVerificationError)

    with_client(conversation)
