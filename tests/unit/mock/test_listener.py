import asyncio
import gc
import socket
import time
import warnings
from contextlib import suppress

import msgspec
import pytest

from trunkline.mock.listener import MockListener
from trunkline.mock.script import Answer, Fault, Match, Pace, Rule, Script
from trunkline.mock.thread import MockServer

BODY = b'{"model": "m", "stream": true, "messages": [{"role": "user", "content": "a b"}]}'


def request(body: bytes = BODY, path: str = "/v1/chat/completions", extra: bytes = b"") -> bytes:
    return b"POST %b HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n%b\r\n%b" % (path.encode(), len(body), extra, body)


def connect(mock: MockServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", mock.port), timeout=30)


def read_until(peer: socket.socket, mark: bytes) -> bytes:
    data = b""
    while mark not in data:
        received = peer.recv(65536)
        assert received, data
        data += received
    return data


def read_all(peer: socket.socket) -> bytes:
    data = b""
    while received := peer.recv(65536):
        data += received
    return data


def test_requests_on_one_connection_are_answered_in_order() -> None:
    with MockServer() as mock, connect(mock) as peer:
        plain = BODY.replace(b"true", b"false")
        peer.sendall(request(plain) + request(plain.replace(b"a b", b"c d")))
        data = read_until(peer, b'"c d"')
        assert data.index(b'"a b"') < data.index(b'"c d"')
        assert [(seen.connection, seen.number) for seen in mock.seen()] == [(1, 1), (1, 2)]


def test_a_request_that_comes_before_an_answer_has_ended_waits_as_long_as_any_other() -> None:
    slow_head = Rule(match=Match(model="late"), fault=Fault(kind="slow_head", seconds=0.4))
    slow_end = Rule(fault=Fault(kind="slow_bytes", size=10_000, interval_ms=100))
    plain = BODY.replace(b"true", b"false")
    with MockServer(rules=[slow_head, slow_end]) as mock, connect(mock) as peer:
        peer.sendall(request(plain) + request(plain.replace(b'"m"', b'"late"').replace(b"a b", b"c d")))
        read_until(peer, b'"c d"')
        first, second = mock.wait(lambda found: len(found) == 2)
        assert time.time() - second.at > 0.3
        assert second.at - first.at > 0.05


def test_a_paced_stream_keeps_its_beat() -> None:
    lasted = []
    with MockServer(rules=[Rule(answer=Answer(events=10), pace=Pace(event_ms=20))]) as mock:
        while not lasted or (lasted[-1] >= 0.5 and len(lasted) < 20):  # a busy machine gets more tries
            with connect(mock) as peer:
                started = time.monotonic()
                peer.sendall(request())
                read_until(peer, b"[DONE]")
                lasted.append(time.monotonic() - started)
    # Ten content events and the finish; waits are counted from the due time, so that they do not add up.
    assert 0.2 < min(lasted) < 0.5


def test_it_notes_when_the_client_leaves() -> None:
    with MockServer(rules=[Rule(fault=Fault(kind="stall"))]) as mock:
        with connect(mock) as peer:
            peer.sendall(request())
            read_until(peer, b"data: ")
        [seen] = mock.wait(lambda found: found[0].aborted)
        assert seen.closed_ms is not None
        assert not seen.ended
        assert seen.bytes_sent > 100


def test_a_finished_answer_is_not_aborted() -> None:
    with MockServer() as mock:
        with connect(mock) as peer:
            peer.sendall(request())
            data = read_until(peer, b"0\r\n\r\n")
        [seen] = mock.wait(lambda found: mock.connections() == 0)
        assert (seen.ended, seen.aborted, seen.bytes_sent) == (True, False, len(data))


def test_fin_and_rst_are_what_they_say() -> None:
    rules = [Rule(first=1, fault=Fault(kind="cut", after=20)), Rule(fault=Fault(kind="cut", after=20, reset=True))]
    with MockServer(rules=rules) as mock:
        with connect(mock) as peer:
            peer.sendall(request())
            assert len(read_all(peer)) == 20
        with connect(mock) as peer:
            peer.sendall(request())
            assert len(peer.recv(100)) == 20
            with pytest.raises(ConnectionResetError):
                read_all(peer)


def test_refused_connections_for_a_while() -> None:
    with MockServer(rules=[Rule(first=1, fault=Fault(kind="refuse", seconds=1.0))]) as mock:
        with connect(mock) as idle, connect(mock) as peer:
            peer.sendall(request())
            for each in (peer, idle):
                with pytest.raises(ConnectionResetError):
                    read_all(each)
            with pytest.raises(ConnectionRefusedError):
                connect(mock).close()
        deadline = time.monotonic() + 30
        while True:
            try:
                connect(mock).close()
                break
            except ConnectionRefusedError:
                assert time.monotonic() < deadline
                time.sleep(0.01)


@pytest.mark.parametrize("turns", range(5))
@pytest.mark.parametrize("how", ["refuse", "close"])
def test_a_connection_that_just_arrives_is_reset_too(how: str, turns: int) -> None:
    """Accepted by the loop, and not set up yet when the listener closes. One that is lost there warns when it is collected."""

    async def scene() -> None:
        listener = MockListener(Script())
        await listener.open()
        peers = [socket.create_connection(("127.0.0.1", listener.port), timeout=30) for _ in range(8)]
        for _ in range(turns):
            await asyncio.sleep(0)
        if how == "refuse":
            listener.refuse(3600)
        else:
            await listener.close()
        for peer in peers:
            with peer, suppress(ConnectionResetError):
                assert await asyncio.to_thread(peer.recv, 1) == b""
        await listener.close()
        assert listener.connections == set()

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        asyncio.run(scene())
        gc.collect()
    assert [str(one.message) for one in told if one.category is ResourceWarning] == []


def test_what_is_no_http_gets_a_400() -> None:
    with MockServer() as mock, connect(mock) as peer:
        peer.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        assert read_all(peer).startswith(b"HTTP/1.1 400 ")


def test_a_body_that_waits_for_100_continue() -> None:
    with MockServer() as mock, connect(mock) as peer:
        whole = request(extra=b"expect: 100-continue\r\n")
        peer.sendall(whole.removesuffix(BODY))
        assert read_until(peer, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        peer.sendall(BODY)
        read_until(peer, b"[DONE]")


def test_a_large_answer_waits_for_a_slow_reader() -> None:
    size = 20_000_000
    with MockServer(rules=[Rule(answer=Answer(text="x" * size))]) as mock, connect(mock) as peer:
        peer.sendall(request(extra=b"connection: close\r\n"))
        mock.wait(lambda seen: bool(seen))
        assert len(read_all(peer)) > size


def test_control_requests_are_not_counted() -> None:
    with MockServer() as mock, connect(mock) as peer:
        peer.sendall(b"GET /_mock/seen HTTP/1.1\r\nhost: x\r\n\r\n")
        body = read_until(peer, b"]}").partition(b"\r\n\r\n")[2]
        assert msgspec.json.decode(body) == {"total": 0, "requests": []}
        assert mock.seen() == ()
