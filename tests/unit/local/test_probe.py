import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable

import pytest

from trunkline.local import launch, probe


def ask(reply: Callable[[bytes], bytes], *, patience: float = 30.0) -> bool:
    """What the probe thinks of a server that answers the request head with `reply(head)` and then waits for the probe to leave."""

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(ConnectionError):
            connection.sendall(reply(connection.recv(4096)))
            connection.recv(1)

    with socket.create_server((launch.HOST, 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        found = asyncio.run(probe.answers(listener.getsockname()[1], "the-key", patience=patience))
        thread.join()
    return found


def test_a_server_that_takes_the_key_is_up() -> None:
    assert ask(lambda head: b"HTTP/1.1 200 OK\r\n\r\n" if b"Authorization: Bearer the-key\r\n" in head else b"HTTP/1.1 401 No\r\n\r\n")


@pytest.mark.parametrize(
    "reply", [b"HTTP/1.1 503 Loading\r\n\r\n", b"HTTP/1.1 401 No\r\n\r\n", b"SSH-2.0 200 OK\r\n", b"HTTP/1.1\r\n", b"x" * 100_000]
)
def test_anything_else_is_not(reply: bytes) -> None:
    assert not ask(lambda _head: reply)


def test_silence_is_waited_for_only_so_long() -> None:
    started = time.monotonic()
    assert not ask(lambda _head: b"", patience=0.05)
    assert time.monotonic() - started < 10.0


def test_a_port_where_nobody_listens_is_down() -> None:
    with socket.socket() as holder:
        holder.bind((launch.HOST, 0))
        assert not asyncio.run(probe.answers(holder.getsockname()[1], "k"))
