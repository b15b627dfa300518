"""What is fuzzed, one function for each parser that reads bytes of strangers: bytes in; AssertionError or any other exception is a bug.

`tests/fuzz` drives them: hypothesis in every run of the tests, atheris, which is guided by coverage, in the long ones. The first byte of
the input decides where the others are cut; however they are cut, the outcome is the same. HTTP is also read by h11, which was written by
others: where both accept a message, they find the same body, since a difference is a way to smuggle.
"""

import asyncio
import functools
import random
import re
import socket
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

import h11

from trunkline.api.connection import Connection as ClientConnection
from trunkline.api.connection import Places
from trunkline.api.inference import InferenceRoute
from trunkline.errors import ConfigError, ConnectFailed, EgressDenied, MalformedResponse, ResponseTooLarge, UpstreamError
from trunkline.protocol.catalogue import Timeouts
from trunkline.transport import dialer
from trunkline.transport.connection import Connection
from trunkline.transport.decoding import CODECS, open_decoder
from trunkline.transport.egress import EgressGuard
from trunkline.transport.pool import Origin, Pool
from trunkline.transport.proxy import Proxies, Proxy
from trunkline.transport.response import Response
from trunkline.transport.sse import EventSplitter
from trunkline.transport.target import render_head, render_headers

PATH = "/api/v1/chat/completions"
LIMIT = 100_000
Outcome = tuple[Any, ...]


@functools.cache
def loop() -> asyncio.AbstractEventLoop:
    """One event loop for all runs: a new one for each would take most of the time."""
    return asyncio.new_event_loop()


def cut(data: bytes) -> tuple[list[bytes], bytes]:
    """The input without its first byte, in pieces and whole."""
    chance = random.Random(data[0] if data else 0)
    data = data[1:]
    places = sorted(chance.sample(range(len(data) + 1), min(len(data), chance.choice((0, 1, 3, 12)))))
    pieces = [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]
    return [piece for piece in pieces if piece], data


class Wire:
    """A transport without a network."""

    def __init__(self) -> None:
        self.protocol: Any = None
        self.written = b""
        self.closing = False

    def write(self, data: bytes) -> None:
        self.written += data

    def set_protocol(self, protocol: Any) -> None:
        self.protocol = protocol

    def write_eof(self) -> None:
        pass

    def can_write_eof(self) -> bool:
        return True

    def is_closing(self) -> bool:
        return self.closing

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def close(self) -> None:
        self.closing = True

    abort = close

    def play(self, protocol: Any, pieces: Sequence[bytes]) -> None:
        """Connect the protocol and give it the pieces, as long as it does not close."""
        self.protocol = protocol
        for piece in pieces:
            if not self.closing:
                self.protocol.data_received(piece)


# Answers of upstreams


def read_answer(data: bytes) -> None:
    """An upstream's answer, to the end of its connection."""
    pieces, whole = cut(data)
    outcome = _answer([whole])
    assert _answer(pieces) == outcome
    status, headers, body, error = outcome
    assert error is None or issubclass(error, UpstreamError)
    if error is None and b"content-encoding" not in dict(headers):
        for theirs_status, theirs_body in _answer_by_h11(whole):
            assert (theirs_status, theirs_body) == (status, body)


def _answer(pieces: Sequence[bytes]) -> Outcome:
    """Status, headers, body and the class of the error."""
    pool = Pool(Origin("http", "here", 80), max_idle=1, idle_seconds=1.0)
    wire = Wire()
    connection = Connection(pool, loop())
    connection.connection_made(cast(asyncio.Transport, wire))
    response = Response(Timeouts(), sent_at=loop().time(), max_decoded=LIMIT)
    connection.start(b"", response)
    wire.play(connection, pieces)
    connection.connection_lost(None)
    assert pool.idle == 0
    error = None
    body = b""
    try:
        while piece := loop().run_until_complete(response.read()):
            body += piece
    except UpstreamError as raised:
        error = type(raised)
    assert len(body) <= max(LIMIT, sum(map(len, pieces)))
    return response.status, response.headers, body if error is None else b"", error


def _answer_by_h11(data: bytes) -> list[tuple[int, bytes]]:
    """The answer as h11 reads it, in a list of one; nothing when it refuses."""
    peer = h11.Connection(h11.CLIENT)
    peer.send(h11.Request(method="POST", target="/", headers=[("host", "here"), ("content-length", "0")]))
    peer.send(h11.EndOfMessage())
    status, body = 0, b""
    try:
        peer.receive_data(data)
        peer.receive_data(b"")
        while True:
            event = peer.next_event()
            if isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                return [(status, body)]
            elif not isinstance(event, h11.InformationalResponse):
                return []
    except h11.RemoteProtocolError:
        return []


# Requests of clients


class _Call(NamedTuple):
    id_text: str


class _Route:
    """Keeps the bodies of the calls and answers none: what follows a request then waits in both ways of cutting."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def accept(self, _headers: Any, body: bytes) -> _Call:
        self.bodies.append(body)
        return _Call("gen-1")

    async def answer(self, _call: Any, reply: Any) -> None:
        await reply.whole(200, b"{}")


class _Elsewhere:
    """Where bytes go that are no inference request."""

    def __init__(self) -> None:
        self.data = b""

    def connection_made(self, _transport: Any) -> None:
        pass

    def data_received(self, data: bytes) -> None:
        self.data += data


def read_requests(data: bytes) -> None:
    """What a client sends on an inference connection."""
    pieces, whole = cut(data)
    bodies, elsewhere = _requests([whole])
    cut_bodies, cut_elsewhere = _requests(pieces)
    # What follows a request may be turned away sooner when it is seen alone, but it never becomes another request.
    assert cut_bodies == bodies[: len(cut_bodies)] or bodies == cut_bodies[: len(bodies)]
    assert cut_elsewhere == elsewhere
    for ours, theirs in zip(bodies, _requests_by_h11(whole), strict=False):
        assert ours == theirs


def _requests(pieces: Sequence[bytes]) -> tuple[list[bytes], bytes]:
    """The bodies of the calls, and what was handed over."""
    route, elsewhere, wire = _Route(), _Elsewhere(), Wire()
    places = Places({PATH: cast(InferenceRoute, route)}, lambda: cast(asyncio.Protocol, elsewhere), set(), set())

    async def play() -> None:
        connection = ClientConnection(places)
        connection.connection_made(cast(asyncio.Transport, wire))
        wire.play(connection, pieces)
        tasks = list(places.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        connection.connection_lost(None)

    loop().run_until_complete(play())
    return route.bodies, elsewhere.data


def _requests_by_h11(data: bytes) -> list[bytes]:
    """The bodies of the requests before the first that h11 refuses."""
    peer = h11.Connection(h11.SERVER)
    bodies: list[bytes] = []
    body = b""
    try:
        peer.receive_data(data)
        while True:
            event = peer.next_event()
            if isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                bodies.append(body)
                body = b""
                peer.send(h11.Response(status_code=200, headers=[("content-length", "0")]))
                peer.send(h11.EndOfMessage())
                peer.start_next_cycle()
            elif not isinstance(event, h11.Request):
                return bodies
    except (h11.RemoteProtocolError, h11.LocalProtocolError):
        return bodies


# Bodies


def split_events(data: bytes) -> None:
    """An event stream; no event is larger than its limit, nor is what is kept of one that has not ended."""
    pieces, whole = cut(data)
    assert _events(pieces, 1 << 20) == _events([whole], 1 << 20)
    for payload in _events(pieces, 40):
        assert len(payload) <= 40


def _events(pieces: Sequence[bytes], limit: int) -> list[bytes]:
    splitter = EventSplitter(limit=limit)
    events = []
    try:
        for piece in pieces:
            events += splitter.feed(piece)
            assert splitter._held_size <= limit + 2
        return events + splitter.close()
    except ResponseTooLarge:
        assert limit < 1 << 20
        return events


def unpack(data: bytes) -> None:
    """A compressed body; the second byte chooses the coding. Nothing above the limit comes out."""
    pieces, whole = cut(data)
    if whole:
        coding = list(CODECS)[whole[0] % len(CODECS)]
        outcome = _unpacked(coding, [whole[1:]])
        pieces = [pieces[0][1:], *pieces[1:]]
        in_pieces = _unpacked(coding, pieces)
        # zstd looks whether a frame has the length that it announces only when the whole frame is there at once.
        assert in_pieces == outcome or (coding == b"zstd" and (UpstreamError,) in (in_pieces, outcome)), (coding, pieces)


def _unpacked(coding: bytes, pieces: Sequence[bytes]) -> Outcome:
    decoder = open_decoder(coding, limit=LIMIT)
    assert decoder is not None
    output = b""
    try:
        for piece in pieces:
            rest = piece
            while rest or decoder.paused:
                portion, rest = decoder.decode(rest)
                output += portion
        decoder.finish()
    except UpstreamError as error:
        # Where the bytes are cut decides how much comes out before an error, and which of two errors is met first.
        assert isinstance(error, MalformedResponse | ResponseTooLarge) or "compressed" in error.message
        return (UpstreamError,)
    assert len(output) <= LIMIT
    return (output,)


# Texts of users and operators


def check_url(data: bytes) -> None:
    """A URL: refused in our words, or a head whose lines are those of the template, to the host that was checked."""
    url = data.decode("utf-8", "surrogateescape" if data[:1] == b"s" else "replace")
    try:
        location = EgressGuard().check_url(url, operator_url=True)
    except EgressDenied:
        return
    assert re.fullmatch(r"[!-~]+", location.host), location
    assert 0 < location.port < 65536
    origin = Origin(location.scheme, location.host, location.port)
    lines = render_head("POST", url, origin, {"x-key": "k"}).split(b"\r\n")
    assert [line.split(b" ")[0] for line in lines] == [b"POST", b"host:", b"accept-encoding:", b"user-agent:", b"x-key:", b""]
    assert re.fullmatch(rb"POST /[!-~]* HTTP/1\.1", lines[0])
    assert location.host.encode() in lines[1]


def read_proxy(data: bytes) -> None:
    """The operator's proxy variables: HTTP_PROXY, NO_PROXY and a host to look up, on a line each."""
    url, exempt, host, *_ = [*data.decode("utf-8", "surrogateescape").replace("\0", "").split("\n"), "", "", ""]
    try:
        proxies = Proxies.from_environ({"HTTP_PROXY": url, "no_proxy": exempt})
    except ConfigError:
        return
    found = proxies.find("http", host)
    assert found is None or (found.host and 0 < found.port < 65536 and not set(found.authorization) & set(b"\r\n"))


def render_header(data: bytes) -> None:
    """A header's name and value: refused, or one line."""
    name, _, value = data.decode("utf-8", "replace").partition("=")
    try:
        line = render_headers({name: value})
    except ConfigError:
        return
    assert re.fullmatch(rb"[^\r\n: ]+: [^\r\n]*\r\n", line)


def tunnel(data: bytes) -> None:
    """A proxy's answer to CONNECT, then the end of the connection: a tunnel only behind a whole 2xx head and nothing more."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.sendall(data[:100_000])
        theirs.shutdown(socket.SHUT_WR)
        try:
            loop().run_until_complete(dialer._tunnel(ours, Origin("https", "here", 443), Proxy("proxy", 80)))
        except ConnectFailed:
            return
        assert re.match(rb"HTTP/1\.[01] 2\d\d[ \r]", data)
        assert data.index(b"\r\n\r\n") + 4 == len(data)


class Target(NamedTuple):
    """A function to fuzz, with inputs to begin from and words to put into them."""

    run: Callable[[bytes], None]
    seeds: Sequence[bytes]
    words: Sequence[bytes] = ()


_HTTP = (
    b"\r\n", b"\n", b"\r", b"\r\n\r\n", b" ", b"\t", b":", b"0\r\n\r\n", b"5;x=y\r\n", b"ffffffff", b"0x5", b"+5", b"-1", b"HTTP/1.1",
    b"HTTP/1.0", b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip\r\n", b"Content-Length: 5\r\n", b"Content-Length: 0\r\n",
    b"Connection: close\r\n", b"Connection: upgrade\r\nUpgrade: h2c\r\n", b"Expect: 100-continue\r\n", b" folded\r\n", b"\x00", b"\xff",
    b"Content-Encoding: gzip\r\n",
)  # fmt: skip
_POST = b"POST %b HTTP/1.1\r\nHost: x\r\n" % PATH.encode()
_CHUNKS = b"Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n3;x\r\nfgh\r\n0\r\nX: y\r\n\r\n"
_GZIP = bytes.fromhex("1f8b08000000000000034b4c44060093a8dd3607000000")

TARGETS: dict[str, Target] = {
    "answer": Target(
        read_answer,
        (
            b"\x01HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde",
            b"\x02HTTP/1.1 200 OK\r\n" + _CHUNKS,
            b"\x03HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nlink: x\r\n\r\nHTTP/1.1 201 Made\r\nContent-Length: 0\r\n\r\n",
            b"\x04HTTP/1.0 200 OK\r\n\r\nuntil the end",
            b"\x05HTTP/1.1 204 None\r\n\r\n",
            b"\x06HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b" % (len(_GZIP), _GZIP),
        ),
        _HTTP,
    ),
    "requests": Target(
        read_requests,
        (
            b"\x01" + _POST + b"Content-Length: 5\r\n\r\nabcde",
            b"\x02" + _POST + _CHUNKS,
            b"\x03" + (_POST + b"Content-Length: 2\r\n\r\n{}") * 2 + b"GET /health HTTP/1.1\r\n\r\n",
            b"\x04" + _POST + b"Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\n{}",
        ),
        (*_HTTP, _POST),
    ),
    "events": Target(
        split_events,
        (
            b"\x01data: a\n\ndata: b\r\n\r\n",
            b"\x02\xef\xbb\xbf: ping\nevent: x\ndata:c\ndata: d\r\rdata",
            b"\x03data: " + b"x" * 50 + b"\n\n",
        ),
        (b"data: ", b"data", b"\n\n", b"\r\n", b"\r", b":", b"\xef\xbb\xbf", b"id: "),
    ),
    "unpack": Target(
        unpack,
        (
            b"\x01\x00" + _GZIP * 2,
            b"\x02\x02" + bytes.fromhex("789c4b4c4406000aa802a7"),
            b"\x03\x03" + bytes.fromhex("0b0380616161616161610361"),
            b"\x04\x04" + bytes.fromhex("28b52ffd200739000061616161616161"),
        ),
    ),
    "url": Target(
        check_url,
        (
            b"https://api.example:8443/v1/chat?a=b#c",
            b"http://[::1]:80/",
            b"http://10.0.0.1/\xc3\xa9",
            b"s\xff",
            b"http://\xef\xbc\xa1\xe3\x80\x82b/",
        ),
        (
            b"http://",
            b"https://",
            b"@",
            b"%",
            b"\\",
            b"\r\n",
            b"\t",
            b" ",
            b"[",
            b"]",
            b":",
            b"127.0.0.1",
            b"\xe2\x84\x80",
            b"\xef\xbc\x85",
        ),
    ),
    "proxy": Target(
        read_proxy,
        (b"http://user:pass@proxy:3128\nlocalhost,.example,10.0.0.0/8\napi.example", b"proxy:80\n*\n[::1]", b"http://[::1]:1/\n::/0\n::2"),
        (b"http://", b"@", b":", b"[", b"]", b"%", b",", b"/", b"*", b"10.0.0.0/8", b"\xff"),
    ),
    "header": Target(render_header, (b"x-key=value", b"Content-Length=5", b"a=b\r\nc: d"), (b"\r\n", b"\n", b":", b"=", b"\x00", b"\x7f")),
    "tunnel": Target(
        tunnel,
        (b"HTTP/1.1 200 Connection established\r\n\r\n", b"HTTP/1.0 407 No\r\nA: b\r\n\r\n", b"\r\n\r\n", b"HTTP/1.1 200\r\n\r\nmore"),
        (b"HTTP/1.1 200", b"\r\n", b"\r\n\r\n", b" "),
    ),
}
