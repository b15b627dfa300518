"""Against aiohttp.web: compression on the fly, chunks, and connections that close after the body."""

import asyncio

import pytest
from aiohttp import web

from trunkline.errors import UpstreamTimeout
from trunkline.protocol.catalogue import Timeouts

TEXT = '{"choices": []}' * 3000


async def handle(request: web.Request) -> web.StreamResponse:
    body = await request.read()
    if request.path == "/packed":
        response = web.Response(text=TEXT)
        response.enable_compression(web.ContentCoding(request.headers["x-coding"]))
        return response
    if request.path == "/packed-stream":
        stream = web.StreamResponse()
        stream.enable_compression(web.ContentCoding.gzip)
        await stream.prepare(request)
        for start in range(0, len(TEXT), 5000):
            await stream.write(TEXT[start : start + 5000].encode())
            await asyncio.sleep(0.001)
        return stream
    if request.path == "/closing":
        stream = web.StreamResponse()
        stream.force_close()
        await stream.prepare(request)
        await stream.write(TEXT.encode())
        return stream
    if request.path == "/slow":
        await asyncio.sleep(0.3)
    return web.json_response({"method": request.method, "length": len(body), "key": request.headers.get("x-key")})


async def fetch(client, port, path, headers=None, body=b"{}", method="POST", timeouts=None):
    target = client.target(method, f"http://127.0.0.1:{port}{path}", headers or {}, operator_url=True)
    response = await client.send(target, body, timeouts or Timeouts())
    return await response.read_all(1_000_000)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "identity"])
def test_compressed_answers(aiohttp_server, with_client, coding):
    port = aiohttp_server(handle)

    async def conversation(client):
        for _ in range(2):
            assert await fetch(client, port, "/packed", {"x-coding": coding}) == TEXT.encode()
        assert client.stats().open == 1

    with_client(conversation)


@pytest.mark.parametrize("path", ["/packed-stream", "/closing"])
def test_streams(aiohttp_server, with_client, path):
    port = aiohttp_server(handle)

    async def conversation(client):
        for _ in range(2):
            assert await fetch(client, port, path) == TEXT.encode()

    with_client(conversation)


@pytest.mark.parametrize("method", ["POST", "GET", "PUT", "PATCH", "DELETE"])
def test_methods_and_headers(aiohttp_server, with_client, method):
    port = aiohttp_server(handle)

    async def conversation(client):
        answer = await fetch(client, port, "/echo?a=b", {"X-Key": "k"}, b"" if method == "GET" else b"12345", method)
        assert answer == b'{"method": "%b", "length": %d, "key": "k"}' % (method.encode(), 0 if method == "GET" else 5)

    with_client(conversation)


def test_a_slow_head(aiohttp_server, with_client):
    port = aiohttp_server(handle)

    async def conversation(client):
        with pytest.raises(UpstreamTimeout, match="head"):
            await fetch(client, port, "/slow", timeouts=Timeouts(first_content=0.1))
        assert b"POST" in await fetch(client, port, "/slow")

    with_client(conversation)
