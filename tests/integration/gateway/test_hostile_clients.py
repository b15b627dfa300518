"""Clients that mean harm, byte by byte, at both kinds of connections: inference, and everything else (uvicorn's)."""

import os
import socket
from contextlib import suppress
from pathlib import Path

import pytest
from clients import CHAT, chat_body, dial, head, raw, read_to_end, request, split
from gateway import MANAGEMENT_KEY, Gateway
from smuggling import forgeries

from trunkline.mock.thread import MockServer

KEYS = "/api/v1/keys"


def resident(gateway: Gateway) -> float:
    """Memory of the gateway in MiB."""
    pages = int(Path(f"/proc/{gateway.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


@pytest.mark.parametrize("path", [CHAT, KEYS])
def test_forged_requests_are_refused(gateway: Gateway, upstream: MockServer, path: str) -> None:
    for name, data in forgeries(path).items():
        answers = raw(gateway, data.replace(b"Host: here", head(path).split(b"\r\n", 1)[1].rstrip()))
        assert [answer.status for answer in answers] == [400], name
        assert answers[0].error["metadata"]["error_type"] == "invalid_request"
    assert upstream.seen() == ()


@pytest.mark.parametrize("path", [CHAT, KEYS])
def test_headers_behind_a_body_are_bounded(gateway: Gateway, path: str) -> None:
    """They have no length of their own, and no request has ever needed one."""
    before = resident(gateway)
    sent = 0
    with dial(gateway) as connection, suppress(ConnectionError):
        connection.sendall(head(path, extra=[b"Transfer-Encoding: chunked"]) + b"2\r\n{}\r\n0\r\n")
        while sent < 20_000_000:
            data = b"".join(b"x%d: y\r\n" % (sent + at) for at in range(5000))
            connection.sendall(data)
            sent += len(data)
    assert resident(gateway) < before + 32


@pytest.mark.parametrize("path", [CHAT, KEYS])
def test_a_refusal_can_be_read_while_the_flood_goes_on(gateway: Gateway, path: str) -> None:
    with dial(gateway) as connection:
        connection.sendall(head(path, key=MANAGEMENT_KEY, extra=[b"Transfer-Encoding: chunked"]) + b"2\r\n{}\r\n0\r\nX: ")
        connection.sendall(b"y" * 600_000)
        [answer] = split(read_to_end(connection))
    assert answer.status == 431
    assert answer.error


def test_garbage_behind_requests_is_refused_in_its_turn(gateway: Gateway) -> None:
    """The first answers are those of the requests that came first, also where another server keeps the order."""
    get = head("/api/v1/models", method="GET")
    assert [answer.status for answer in raw(gateway, get + get + b"GARB AGE\r\n\r\n")] == [200, 200, 400]


def test_bodies_are_asked_for_in_turn(gateway: Gateway, upstream: MockServer) -> None:
    """Three requests on one connection, each of which waits for `100 Continue` before its body."""
    with dial(gateway) as connection:
        for number in range(3):
            body = chat_body(messages=[{"role": "user", "content": f"question {number}"}])
            connection.sendall(head(length=len(body), extra=[b"Expect: 100-continue"]))
            assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
            connection.sendall(body)
            received = b""
            while f"question {number}".encode() not in received or not received.endswith(b"}"):
                data = connection.recv(65536)
                assert data
                received += data
            assert received.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("path", ["/", "/api/v1/models"])
def test_a_client_that_takes_nothing_holds_little(gateway: Gateway, path: str) -> None:
    """Ten clients ask for twenty pages each, read nothing and leave; the others are served, and the log has nothing to say."""
    before = resident(gateway)
    clients = []
    for _ in range(10):
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect((gateway.url.split("/")[2].split(":")[0], int(gateway.url.rsplit(":", 1)[1])))
        client.sendall(head(path, method="GET") * 20)
        clients.append(client)
    assert raw(gateway, request(chat_body(), extra=[b"Connection: close"]))[0].status == 200
    assert resident(gateway) < before + 100
    for client in clients:
        client.close()
