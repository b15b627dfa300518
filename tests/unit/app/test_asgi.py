"""uvicorn's protocol with our limits, over real sockets."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest
import uvicorn
from uvicorn.server import ServerState

from trunkline.api.connection import MAX_HEAD_BYTES
from trunkline.api.wire import Dates
from trunkline.app import asgi
from trunkline.app.asgi import AsgiConnection

LAST = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"


async def hello(scope: object, receive: Callable[[], Awaitable[object]], send: Callable[[object], Awaitable[None]]) -> None:
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})


def talk(*pieces: bytes | float) -> bytes:
    """Send the pieces (a number is a pause in seconds) and return what came back until the server closed."""

    async def run() -> bytes:
        config, state = uvicorn.Config(hello, http="httptools", ws="none", log_config=None), ServerState()
        server = await asyncio.get_running_loop().create_server(lambda: AsgiConnection(config, state, {}, Dates()), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        try:
            for piece in pieces:
                if isinstance(piece, bytes):
                    writer.write(piece)
                else:
                    await asyncio.sleep(piece)
            answer = b""
            while True:
                try:
                    data = await asyncio.wait_for(reader.read(65536), 30)
                except ConnectionError:
                    break
                if not data:
                    break
                answer += data
            return answer
        finally:
            writer.close()
            server.close()
            await asyncio.sleep(0)

    return asyncio.run(run())


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "LINGER_SECONDS", 0.05)


def error_of(answer: bytes) -> dict[str, object]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/json" in head
    return msgspec.json.decode(body)["error"]


def test_requests_are_served_one_after_another() -> None:
    answer = talk(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n", 0.05, LAST)
    assert answer.count(b"hello") == 2


@pytest.mark.parametrize("garbage", [b"GARBAGE\r\n\r\n", b"GET / HTTP/1.1\r\ncontent-length: x\r\n\r\n", b"\x16\x03\x01\x00\x00"])
def test_what_is_not_http_gets_the_envelope(garbage: bytes) -> None:
    answer = talk(garbage)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert error_of(answer)["code"] == 400


def test_a_flood_of_headers_is_refused() -> None:
    flood = b"".join(b"x-%d: %s\r\n" % (number, b"a" * 1000) for number in range(MAX_HEAD_BYTES // 1000 + 2))
    answer = talk(b"GET / HTTP/1.1\r\nhost: x\r\n", flood)
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert error_of(answer)["code"] == 431


def test_a_request_that_does_not_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "BODY_SECONDS", 0.1)
    answer = talk(b"GET / HTTP/1.1\r\nhost: x\r\n", 0.2)
    assert answer.startswith(b"HTTP/1.1 408 ")


def test_patience_ends_with_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "BODY_SECONDS", 0.1)
    answer = talk(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n", 0.2, LAST)
    assert answer.count(b"hello") == 2
