"""Plain clients for a running gateway: one call, a stream, raw bytes, and many calls at once."""

import asyncio
import http.client
import json
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from gateway import API_KEY, Gateway

CHAT = "/api/v1/chat/completions"
TIMEOUT = 60
QUESTION = [{"role": "user", "content": "What is the capital of France?"}]


class Answer:
    """What came back. `complete` is false when the connection ended inside the body; header names are in lower case."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes, *, complete: bool = True) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.complete = complete

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def id(self) -> str:
        """The generation id of the response header."""
        return self.headers["x-generation-id"]

    @property
    def error(self) -> dict[str, Any]:
        """The error of the contract's envelope, with its shape checked (contract 2.12)."""
        assert self.headers["content-type"].startswith("application/json"), self.headers
        error = self.json["error"]
        assert error["code"] == self.status, self.body
        assert isinstance(error["message"], str), self.body
        assert error["message"], self.body
        return error  # type: ignore[no-any-return]

    @property
    def events(self) -> list[dict[str, Any]]:
        """The chunks of a stream, without comments and `[DONE]`."""
        return [json.loads(line[6:]) for line in self.body.split(b"\n") if line.startswith(b"data: {")]

    @property
    def done(self) -> bool:
        """Whether the stream says `[DONE]`."""
        return self.body.endswith(b"data: [DONE]\n\n")

    @property
    def text(self) -> str:
        """What the chunks of a stream say together."""
        return "".join(choice["delta"].get("content") or "" for event in self.events for choice in event["choices"])

    @property
    def finish_reasons(self) -> list[str]:
        """Every finish reason of a stream."""
        return [choice["finish_reason"] for event in self.events for choice in event["choices"] if choice["finish_reason"]]

    @property
    def usage(self) -> dict[str, Any]:
        """The usage of an answer, whole or streamed; in a stream there is exactly one."""
        if not self.body.startswith((b"data:", b":")):
            return self.json["usage"]  # type: ignore[no-any-return]
        found = [event["usage"] for event in self.events if event.get("usage")]
        assert len(found) == 1, self.body
        return found[0]  # type: ignore[no-any-return]


def call(
    gateway: Gateway,
    method: str,
    path: str,
    body: bytes | None = None,
    *,
    key: str | None = API_KEY,
    headers: Mapping[str, str] | None = None,
    timeout: float = TIMEOUT,
) -> Answer:
    """One request on a connection of its own."""
    address = urlsplit(gateway.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=timeout)
    sent = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {}) | dict(headers or {})
    try:
        connection.request(method, path, body, sent)
        response = connection.getresponse()
        received = {name.lower(): value for name, value in response.getheaders()}
        try:
            return Answer(response.status, received, response.read())
        except http.client.IncompleteRead as error:
            return Answer(response.status, received, error.partial, complete=False)
    finally:
        connection.close()


def until(condition: Callable[[], object], seconds: float = 30) -> None:
    """Wait for something that happens soon after. Raises AssertionError when it does not."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def get(gateway: Gateway, path: str, *, key: str | None = API_KEY, headers: Mapping[str, str] | None = None) -> Answer:
    """GET below `/api/v1`."""
    return call(gateway, "GET", f"/api/v1{path}", key=key, headers=headers)


def send(gateway: Gateway, method: str, path: str, *, key: str | None = API_KEY, **fields: Any) -> Answer:
    """A request with a JSON body below `/api/v1`."""
    return call(gateway, method, f"/api/v1{path}", json.dumps(fields).encode(), key=key)


def chat_body(**fields: Any) -> bytes:
    """A chat request, of `acme/echo-1` unless the fields say otherwise."""
    return json.dumps({"model": "acme/echo-1", "messages": QUESTION, **fields}).encode()


def chat(gateway: Gateway, *, key: str = API_KEY, timeout: float = TIMEOUT, **fields: Any) -> Answer:
    """One chat completion."""
    return call(gateway, "POST", CHAT, chat_body(**fields), key=key, timeout=timeout)


def head(
    path: str = CHAT,
    *,
    method: str = "POST",
    length: int | str | None = None,
    key: str = API_KEY,
    extra: Sequence[bytes] = (),
    version: str = "1.1",
) -> bytes:
    """The head of a request, to be sent by hand."""
    lines = [f"{method} {path} HTTP/{version}", "Host: 127.0.0.1", f"Authorization: Bearer {key}", "Content-Type: application/json"]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return b"\r\n".join([*(line.encode() for line in lines), *extra, b"", b""])


def request(body: bytes, *, extra: Sequence[bytes] = (), version: str = "1.1") -> bytes:
    """A whole chat request, to be sent by hand."""
    return head(length=len(body), extra=extra, version=version) + body


def dial(gateway: Gateway, timeout: float = TIMEOUT) -> socket.socket:
    """A connection to the gateway."""
    address = urlsplit(gateway.url)
    return socket.create_connection((address.hostname, address.port), timeout=timeout)


def raw(gateway: Gateway, data: bytes, *, half_close: bool = False, timeout: float = TIMEOUT) -> list[Answer]:
    """Send these bytes, and return the answers on the connection until the server closes it."""
    with dial(gateway, timeout) as connection:
        connection.sendall(data)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        return split(read_to_end(connection))


def read_to_end(connection: socket.socket) -> bytes:
    """All bytes until the end of the connection, however it ends."""
    received = b""
    try:
        while data := connection.recv(65536):
            received += data
    except ConnectionResetError:
        pass
    return received


def split(received: bytes) -> list[Answer]:
    """The HTTP/1.1 answers in these bytes, without interim ones (RFC 9110, 15.2)."""
    answers = []
    while received:
        top, _, received = received.partition(b"\r\n\r\n")
        status, *lines = top.decode("latin-1").split("\r\n")
        if status.split()[1].startswith("1"):
            continue
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if headers.get("transfer-encoding") == "chunked":
            body, received, complete = _unchunk(received)
        else:
            length = int(headers.get("content-length", len(received)))
            complete = len(received) >= length
            body, received = received[:length], received[length:]
        answers.append(Answer(int(status.split()[1]), headers, body, complete=complete))
    return answers


def _unchunk(data: bytes) -> tuple[bytes, bytes, bool]:
    """The body of these chunks, what follows them, and whether the last chunk was there."""
    body = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        if not size or len(data) < int(size, 16) + 2:
            return body + data, b"", False
        length = int(size, 16)
        body, data = body + data[:length], data[length + 2 :]
        if length == 0:
            return body, data, True
    return body, b"", False


async def post(session: aiohttp.ClientSession, gateway: Gateway, body: bytes, *, key: str = API_KEY) -> Answer | None:
    """One chat completion in a crowd; None unless every byte of the answer came."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    try:
        async with session.post(gateway.url + CHAT, data=body, headers=headers) as response:
            received = await response.read()
            return Answer(response.status, {name.lower(): value for name, value in response.headers.items()}, received)
    except (TimeoutError, aiohttp.ClientError, ConnectionError):
        return None


async def crowd(gateway: Gateway, bodies: Sequence[bytes], *, at_once: int, key: str = API_KEY) -> list[Answer | None]:
    """Many chat completions, `at_once` of them at a time, in the order of `bodies`."""
    places = asyncio.Semaphore(at_once)

    async def one(session: aiohttp.ClientSession, body: bytes) -> Answer | None:
        async with places:
            return await post(session, gateway, body, key=key)

    timeout = aiohttp.ClientTimeout(total=TIMEOUT)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout) as session:
        return await asyncio.gather(*(one(session, body) for body in bodies))
