"""Upstreams that mean harm, byte by byte: what a client is told, what the gateway holds of it, and that others are served meanwhile."""

import gzip
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from authority import make_certificate
from clients import call, chat, chat_body, dial, send, until
from clients import head as request_head
from gateway import MANAGEMENT_KEY, Gateway
from town import DEAR, alone, endpoint, model, provider

from trunkline.transport.sse import MAX_EVENT_BYTES

MEBIBYTE = 1 << 20
EVENT = b'data: {"id":"x","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"%b"}}]}\n\n'
FINISH = (
    b'data: {"id":"x","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}\n\ndata: [DONE]\n\n'
)
WHOLE = (
    b'{"id":"x","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"%b"},'
    b'"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}'
)


class Upstream:
    """A server whose answers are written by hand: `answer` is called with a connected socket after each request. `sent` counts bytes."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.requests = 0
        self.sent = 0
        self.answer: Callable[[Upstream, socket.socket], None] = lambda _upstream, _connection: None
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError):
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
            with connection, connection.makefile("rb") as reader:
                while line := reader.readline():
                    length = 0
                    while line.strip():
                        name, _, value = line.partition(b":")
                        length = int(value) if name.lower() == b"content-length" else length
                        line = reader.readline()
                    reader.read(length)
                    self.requests += 1
                    self.answer(self, connection)

    def send(self, connection: socket.socket, data: bytes) -> None:
        connection.sendall(data)
        self.sent += len(data)

    def use(self, *pieces: bytes, forever: bytes = b"", end: bool = False) -> None:
        """Answer each request with the pieces, then with `forever` until the gateway has enough; `end` closes the connection."""

        def answer(upstream: Upstream, connection: socket.socket) -> None:
            for piece in pieces:
                upstream.send(connection, piece)
            while forever:
                upstream.send(connection, forever)
            if end:
                connection.shutdown(socket.SHUT_RDWR)

        self.requests = self.sent = 0
        self.answer = answer

    def close(self) -> None:
        self._listener.close()


def head(status: int = 200, kind: str = "text/event-stream", **fields: object) -> bytes:
    """A response head; `_` in a name is a hyphen."""
    lines = [f"HTTP/1.1 {status} X", f"content-type: {kind}", *(f"{name.replace('_', '-')}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def whole(body: bytes, status: int = 200, kind: str = "application/json", **fields: object) -> bytes:
    return head(status, kind, content_length=len(body), **fields) + body


@pytest.fixture(scope="module")
def upstreams(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Upstream]]:
    """A plain upstream, and one for each certificate; the roots of all are in one file."""
    made = {"plain": Upstream()}
    for flaw in ("", "wrong-name", "expired", "self-signed"):
        folder = tmp_path_factory.mktemp("tls")
        certificate = make_certificate(folder, flaw)  # type: ignore[arg-type]
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate.cert_file, certificate.key_file)
        made[flaw or "good"] = Upstream(context)
        roots = tmp_path_factory.getbasetemp() / "roots.pem"
        with roots.open("a") as file:
            file.write(Path(certificate.ca_file).read_text())
    yield made
    for one in made.values():
        one.close()


@pytest.fixture(scope="module")
def hostile(upstreams: Mapping[str, Upstream], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway whose model `acme/echo-1` is at the plain upstream, and `tls/FLAW` at the one with that flaw."""
    tables = [
        provider("acme", f"http://127.0.0.1:{upstreams['plain'].port}/v1"),
        alone("acme/echo-1", "m"),
        alone("acme/ahead", "m", pricing=DEAR, extra='on_cancel = "stops"'),
    ]
    for name, upstream in upstreams.items():
        if name != "plain":
            tables += [provider(name, f"https://127.0.0.1:{upstream.port}/v1"), model(f"tls/{name}"), endpoint(f"tls/{name}", name, "m")]
    environ = {"SSL_CERT_FILE": str(tmp_path_factory.getbasetemp() / "roots.pem")}
    with Gateway(tmp_path_factory.mktemp("hostile"), "\n".join(tables), environ=environ) as running:
        yield running
        assert not [line for line in running.log if "Traceback" in line or "was never retrieved" in line], "".join(running.log)


@pytest.fixture
def upstream(upstreams: Mapping[str, Upstream]) -> Upstream:
    return upstreams["plain"]


def resident(gateway: Gateway) -> float:
    """Memory of the gateway in MiB."""
    pages = int(Path(f"/proc/{gateway.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MEBIBYTE


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(hostile: Gateway, upstream: Upstream, status: int, streamed: bool) -> None:
    """Neither inside the network, where the upstream cannot go itself, nor with the operator's key."""
    inside = Upstream()
    upstream.use(whole(b"", status, location=f"http://127.0.0.1:{inside.port}/latest/meta-data"))
    answer = chat(hostile, stream=streamed)
    inside.close()
    assert inside.requests == 0
    assert answer.status in (502, 503)
    assert answer.error["metadata"]["provider_name"] == "Acme"


@pytest.mark.parametrize(
    ("name", "words"),
    [("wrong-name", "IP address mismatch"), ("expired", "has expired"), ("self-signed", "signed certificate")],
)
def test_a_bad_certificate_is_told_and_gets_no_key(hostile: Gateway, upstreams: Mapping[str, Upstream], name: str, words: str) -> None:
    answer = chat(hostile, model=f"tls/{name}")
    assert (answer.status, answer.error["metadata"]["error_type"]) == (502, "provider_unavailable")
    assert answer.error["message"].endswith(": its TLS certificate is not accepted")
    assert "127.0.0.1" not in str(answer.error)
    assert upstreams[name].requests == 0
    until(lambda: any("the certificate of https://127.0.0.1" in line and words in line for line in hostile.log))


def test_a_good_certificate_is_accepted(hostile: Gateway, upstreams: Mapping[str, Upstream]) -> None:
    upstreams["good"].use(whole(WHOLE % b"Hello"))
    assert chat(hostile, model="tls/good").json["choices"][0]["message"]["content"] == "Hello"
    upstreams["good"].use(
        head(transfer_encoding="chunked") + b"".join(b"%x\r\n%b\r\n" % (len(one), one) for one in (EVENT % b"Hi", FINISH, b""))
    )
    assert chat(hostile, model="tls/good", stream=True).text == "Hi"


def test_events_of_a_megabyte_pass(hostile: Gateway, upstream: Upstream) -> None:
    words = b"x" * 1_000_000
    upstream.use(head(), EVENT % words, EVENT % b" y", FINISH, end=True)
    answer = chat(hostile, stream=True)
    assert answer.done
    assert answer.text == words.decode() + " y"


def test_a_line_without_end_is_given_up(hostile: Gateway, upstream: Upstream) -> None:
    upstream.use(head(), b"data: ", forever=b"x" * 65536)
    before = resident(hostile)
    assert chat(hostile, stream=True).status == 502
    assert upstream.sent < MAX_EVENT_BYTES + 16 * MEBIBYTE
    assert resident(hostile) < before + 64


@pytest.mark.parametrize("streamed", [False, True])
def test_a_head_without_end_is_given_up(hostile: Gateway, upstream: Upstream, streamed: bool) -> None:
    upstream.use(b"HTTP/1.1 200 OK\r\n", forever=b"X-Flood: y\r\n" * 1000)
    before = resident(hostile)
    assert chat(hostile, stream=streamed).status == 502
    assert upstream.sent < 16 * MEBIBYTE
    assert resident(hostile) < before + 32


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("status", [200, 500])
def test_a_bomb_does_not_go_off(hostile: Gateway, upstream: Upstream, status: int, streamed: bool) -> None:
    """A gigabyte in a megabyte: unpacking stops at the limit, which is far below."""
    bomb = gzip.compress(bytes(64 * MEBIBYTE)) * 16
    upstream.use(whole(bomb, status, content_encoding="gzip"))
    before = resident(hostile)
    answer = chat(hostile, stream=streamed)
    assert answer.status in (502, 503)
    assert answer.error["metadata"]["provider_name"] == "Acme"
    assert resident(hostile) < before + 200
    upstream.use(whole(WHOLE % b"Hello"))
    assert chat(hostile).status == 200


def test_a_bomb_of_events_keeps_nobody_waiting(hostile: Gateway, upstream: Upstream) -> None:
    """Four million empty events in 80 KB: they take seconds to be read, and others are served in between."""
    upstream.use(whole(gzip.compress(b": x\n\n" * 4_000_000), kind="text/event-stream", content_encoding="gzip"))
    before = resident(hostile)
    asking = threading.Thread(target=lambda: chat(hostile, stream=True))
    asking.start()
    until(lambda: upstream.requests)
    served = 0
    while asking.is_alive():
        assert call(hostile, "GET", "/health").status == 200
        served += 1
    asking.join()
    assert served > 3
    assert resident(hostile) < before + 64


def test_a_length_that_is_too_long_is_an_answer_cut_off(hostile: Gateway, upstream: Upstream) -> None:
    upstream.use(head(kind="application/json", content_length=5000) + WHOLE % b"Hello", end=True)
    assert chat(hostile).status == 502
    upstream.use(head(content_length=5000) + EVENT % b"Hello", end=True)
    answer = chat(hostile, stream=True)
    assert answer.finish_reasons == ["error"]


def test_what_follows_an_answer_is_never_the_next_one(hostile: Gateway, upstream: Upstream) -> None:
    upstream.use(whole(WHOLE % b"right") + whole(WHOLE % b"POISON"))
    for _ in range(5):
        assert chat(hostile).json["choices"][0]["message"]["content"] == "right"
    assert upstream.requests == 5


def test_requests_sent_ahead_hold_no_money_when_the_client_leaves(hostile: Gateway, upstream: Upstream) -> None:
    """The limit has room for one running request. One of three has begun when the client goes: its hold is settled, the others had none.

    Nobody else asks for this model, so what a request of it may cost is known.
    """
    left = threading.Event()

    def stall(upstream: Upstream, connection: socket.socket) -> None:
        upstream.send(connection, head() + EVENT % b"Hello")
        with suppress(ConnectionResetError):
            connection.recv(1)
        left.set()

    upstream.requests = 0
    upstream.answer = stall
    key = send(hostile, "POST", "/keys", key=MANAGEMENT_KEY, name="ahead", limit=0.06).json["key"]
    body = chat_body(model="acme/ahead", max_tokens=40, stream=True)
    with dial(hostile) as connection:
        connection.sendall((request_head(length=len(body), key=key) + body) * 3)
        assert connection.recv(12) == b"HTTP/1.1 200"
        assert chat(hostile, key=key, model="acme/ahead", max_tokens=40).status == 402
    assert left.wait(30)
    assert upstream.requests == 1
    upstream.use(whole(WHOLE % b"Hello"))
    until(lambda: chat(hostile, key=key, model="acme/ahead", max_tokens=40).status == 200)
    assert upstream.requests == 1
