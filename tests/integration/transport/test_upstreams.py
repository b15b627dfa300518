"""What every upstream must be good for, against three servers, plain and with TLS; and what no upstream may do to us."""

import asyncio
import re
import ssl
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from aiohttp import web
from authority import Certificate, make_certificate

from trunkline.errors import ConnectFailed, ConnectionLost
from trunkline.protocol.catalogue import Timeouts
from trunkline.transport.sse import EventSplitter

EVENT = b"x" * 1_000_000
STREAM = b"data: %b\n\ndata: [DONE]\n\n" % EVENT
BIG = bytes(range(256)) * 32_000
FLAWS = {
    "expired": "certificate has expired",
    "wrong-name": "IP address mismatch",
    "self-signed": "self.signed certificate",
    "unknown-authority": "unable to get local issuer certificate",
}


class Site(NamedTuple):
    """A running upstream."""

    name: str
    origin: str
    ca_file: str | None


def packed(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=31)
    return packer.compress(data) + packer.flush()


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    """`/inside` redirects to the port of the query; `/event` streams in chunks, `/packed` in gzip; `/cut` breaks; else the body, or BIG."""
    body = b""
    while (message := await receive()).get("more_body"):
        body += message["body"]
    body += message["body"]
    path, status, headers = scope["path"], 200, []
    pieces = [body or BIG]
    if path == "/inside":
        status, pieces = 302, [b""]
        headers.append((b"location", b"http://127.0.0.1:%b/secret" % scope["query_string"].removeprefix(b"port=")))
    elif path in ("/event", "/packed"):
        data = STREAM if path == "/event" else packed(STREAM)
        headers += [(b"content-encoding", b"gzip")] if path == "/packed" else []
        pieces = [data[start : start + 50_000] for start in range(0, len(data), 50_000)]
    elif path in ("/cut", "/cut-length"):
        headers += [(b"content-length", b"100")] if path == "/cut-length" else []
        pieces = [b"data: 1\n\n"]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    if path.startswith("/cut"):
        await asyncio.sleep(0.02)
        raise RuntimeError("the model crashed")
    await send({"type": "http.response.body", "body": b""})


async def handle(request: web.Request) -> web.StreamResponse:
    """The same, as aiohttp says it. `/reused` tells whether the TLS session was an old one."""
    body = await request.read()
    if request.path == "/inside":
        return web.Response(status=302, headers={"location": f"http://127.0.0.1:{request.query['port']}/secret"})
    if request.path == "/reused":
        return web.Response(text=str(request.transport.get_extra_info("ssl_object").session_reused))
    if request.path in ("/event", "/packed"):
        response = web.StreamResponse()
        if request.path == "/packed":
            response.enable_compression(web.ContentCoding.gzip)
        await response.prepare(request)
        for start in range(0, len(STREAM), 50_000):
            await response.write(STREAM[start : start + 50_000])
        return response
    if request.path.startswith("/cut"):
        response = web.StreamResponse()
        response.content_length = 100 if request.path == "/cut-length" else None
        await response.prepare(request)
        await response.write(b"data: 1\n\n")
        await asyncio.sleep(0.02)
        request.transport.abort()
        return response
    return web.Response(body=body or BIG)


@pytest.fixture
def start(nginx_server: Any, uvicorn_server: Any, aiohttp_server: Any) -> Callable[[str, bool, Certificate], Site]:
    """`start(name, tls, certificate)` starts an upstream."""

    def start(name: str, tls: bool, certificate: Certificate) -> Site:
        if name == "nginx":
            running = nginx_server(certificate)
            port = running.tls_port if tls else running.port
        elif name == "uvicorn":
            files = {"ssl_certfile": certificate.cert_file, "ssl_keyfile": certificate.key_file} if tls else {}
            port = uvicorn_server(asgi, **files)
        else:
            port = aiohttp_server(handle, certificate if tls else None)
        return Site(name, f"{'https' if tls else 'http'}://127.0.0.1:{port}", certificate.ca_file if tls else None)

    return start


@pytest.fixture(params=["http", "https"])
def tls(request: pytest.FixtureRequest) -> bool:
    return request.param == "https"


@pytest.fixture(params=["nginx", "uvicorn", "aiohttp"])
def site(request: pytest.FixtureRequest, start: Any, tls: bool, tmp_path: Any) -> Site:
    return start(request.param, tls, make_certificate(tmp_path))


async def ask(client: Any, site: Site, path: str, body: bytes = b"", **headers: str) -> Any:
    target = client.target("POST" if body else "GET", site.origin + path, headers, operator_url=True)
    return await client.send(target, body, Timeouts(connect=30.0))


def test_one_connection_serves_all_of_it(site, with_client):
    """Whole bodies, chunks, events of a megabyte and gzip, all on one kept connection."""

    async def conversation(client):
        for _ in range(2):
            big = await (await ask(client, site, "/big.bin")).read_all(9_000_000)
            assert len(big) in (8_000_000, len(BIG))
            for path in ("/event", "/packed"):
                response = await ask(client, site, path, **{"accept-encoding": "gzip"})
                assert (response.header(b"content-encoding") == b"gzip") == (path == "/packed")
                assert response.header(b"transfer-encoding") == b"chunked" or path == "/event"
                splitter, events = EventSplitter(), []
                while data := await response.read():
                    events += splitter.feed(data)
                assert events == [EVENT, b"[DONE]"]
        assert (client.stats().open, client.stats().idle) == (1, 1)

    with_client(conversation, ca_file=site.ca_file)


def test_many_at_once(site, with_client):
    async def conversation(client):
        answers = await asyncio.gather(*(ask(client, site, "/event") for _ in range(10)))
        assert {len(body) for body in await asyncio.gather(*(answer.read_all(2_000_000) for answer in answers))} == {len(STREAM)}
        assert client.stats().idle <= 10

    with_client(conversation, ca_file=site.ca_file)


def test_a_redirect_is_an_answer_and_nobody_goes_there(site, with_client):
    """To an address inside the network, the guard of which only looks at URLs that are asked for: the server there hears nothing."""

    async def conversation(client):
        heard = []
        inside = await asyncio.start_server(lambda _reader, writer: (heard.append(1), writer.close()), "127.0.0.1", 0)
        port = inside.sockets[0].getsockname()[1]
        response = await ask(client, site, f"/inside?port={port}")
        assert response.status == 302
        assert response.header(b"location") == b"http://127.0.0.1:%d/secret" % port
        await response.read_all(10_000)
        assert client.stats().open == 1
        inside.close()
        await inside.wait_closed()
        assert not heard

    with_client(conversation, ca_file=site.ca_file)


@pytest.mark.parametrize("name", ["uvicorn", "aiohttp"])
@pytest.mark.parametrize("path", ["/cut", "/cut-length"])
def test_a_body_that_breaks_off_is_never_whole(start, tmp_path, with_client, tls, name, path):
    site = start(name, tls, make_certificate(tmp_path))

    async def conversation(client):
        response = await ask(client, site, path)
        assert await response.read() == b"data: 1\n\n"
        with pytest.raises(ConnectionLost):
            await response.read()

    with_client(conversation, ca_file=site.ca_file)


@pytest.mark.parametrize("flaw", FLAWS)
@pytest.mark.parametrize("name", ["nginx", "uvicorn", "aiohttp"])
def test_a_bad_certificate_is_no_connection_and_says_why(start, tmp_path, with_client, name, flaw):
    site = start(name, True, make_certificate(tmp_path, flaw))

    async def conversation(client):
        with pytest.raises(ConnectFailed) as raised:
            await ask(client, site, "/ok", b"the key must not get there")
        assert re.match(f"the certificate of {site.origin} is not accepted: {FLAWS[flaw]}", raised.value.message)
        assert isinstance(raised.value.__cause__, ssl.SSLCertVerificationError)
        while client.stats().open:
            await asyncio.sleep(0.005)

    with_client(conversation, ca_file=site.ca_file)


def test_sessions_are_resumed_at_aiohttp(start, tmp_path, with_client):
    site = start("aiohttp", True, make_certificate(tmp_path))

    async def conversation(client):
        answers = []
        for _ in range(2):
            first, second = await asyncio.gather(ask(client, site, "/reused"), ask(client, site, "/reused"))
            answers += [await first.read_all(10), await second.read_all(10)]
        assert b"True" not in answers[:1]
        target = client.target("GET", site.origin + "/reused", {}, operator_url=True)
        third = await asyncio.gather(*(client.send(target, b"", Timeouts(connect=30.0)) for _ in range(3)))
        assert b"True" in [await response.read_all(10) for response in third]

    with_client(conversation, ca_file=site.ca_file)
