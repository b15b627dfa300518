"""Against uvicorn: event streams, and the keep-alive of a Python upstream."""

import asyncio
import time

import pytest

from trunkline.errors import ConnectionLost
from trunkline.protocol.catalogue import Timeouts
from trunkline.transport.sse import EventSplitter

gone: list[float] = []


async def app(scope, receive, send):
    """`/stream`: 20 events; `/endless`: events until the client leaves; `/cut`: two, then an error; anything else: the body back."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    if scope["path"] == "/stream":
        for number in range(20):
            await send({"type": "http.response.body", "body": b'data: {"n":%d}\n\n' % number, "more_body": True})
            await asyncio.sleep(0.002)
        await send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})
    elif scope["path"] == "/endless":
        leaving = asyncio.ensure_future(receive())
        while not leaving.done():
            await send({"type": "http.response.body", "body": b"data: more\n\n", "more_body": True})
            await asyncio.wait([leaving], timeout=0.005)
        gone.append(time.monotonic())
    elif scope["path"] == "/cut":
        await send({"type": "http.response.body", "body": b"data: 1\n\ndata: 2\n\n", "more_body": True})
        await asyncio.sleep(0.02)
        raise RuntimeError("the model crashed")
    else:
        await send({"type": "http.response.body", "body": body})


async def open_stream(client, port, path):
    target = client.target("POST", f"http://127.0.0.1:{port}{path}", {"content-type": "application/json"}, operator_url=True)
    return await client.send(target, b"{}", Timeouts())


@pytest.mark.parametrize("http", ["httptools", "h11"])
def test_an_event_stream(uvicorn_server, with_client, http):
    port = uvicorn_server(app, http=http)

    async def conversation(client):
        for _ in range(3):
            response = await open_stream(client, port, "/stream")
            splitter = EventSplitter()
            events = []
            while data := await response.read():
                events += splitter.feed(data)
            assert events == [*(b'{"n":%d}' % number for number in range(20)), b"[DONE]"]
            assert splitter.close() == []
        assert client.stats().open == 1

    with_client(conversation)


def test_a_stream_is_left_within_100_ms(uvicorn_server, with_client):
    port = uvicorn_server(app)

    async def conversation(client):
        quickest = 60.0
        for _ in range(20):  # a busy machine gets more tries
            gone.clear()
            response = await open_stream(client, port, "/endless")
            await response.read()
            left = time.monotonic()
            response.close()
            while not gone:
                await asyncio.sleep(0.005)
            quickest = min(quickest, gone[0] - left)
            if quickest < 0.1:
                break
        assert quickest < 0.1

    with_client(conversation)


def test_a_stream_that_breaks(uvicorn_server, with_client):
    port = uvicorn_server(app)

    async def conversation(client):
        response = await open_stream(client, port, "/cut")
        assert EventSplitter().feed(await response.read()) == [b"1", b"2"]
        with pytest.raises(ConnectionLost):
            await response.read()

    with_client(conversation)


def test_large_bodies_both_ways(uvicorn_server, with_client):
    port = uvicorn_server(app)
    body = bytes(range(256)) * 12_000

    async def conversation(client):
        target = client.target("POST", f"http://127.0.0.1:{port}/echo", {}, operator_url=True)
        for _ in range(2):
            assert await (await client.send(target, body, Timeouts())).read_all(len(body)) == body
        assert client.stats().open == 1

    with_client(conversation)


def test_a_short_keep_alive_is_survived(uvicorn_server, with_client):
    """The upstream closes idle connections after 1 s: whether that is seen before the next request or after, the caller sees none of it."""
    port = uvicorn_server(app, timeout_keep_alive=1)

    async def conversation(client):
        target = client.target("POST", f"http://127.0.0.1:{port}/echo", {}, operator_url=True)
        for pause in (0.995, 1.005):
            assert await (await client.send(target, b"abc", Timeouts())).read_all(10) == b"abc"
            time.sleep(pause)
        assert await (await client.send(target, b"abc", Timeouts())).read_all(10) == b"abc"

    with_client(conversation)
