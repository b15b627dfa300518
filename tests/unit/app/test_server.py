"""One worker under uvicorn: sockets, lanes and signals."""

import os
import signal
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from trunkline.app import server
from trunkline.app.dispatch import Dispatcher


async def site(_scope: Any, receive: Any, send: Any) -> None:
    """Answers anything."""
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
    await send({"type": "http.response.body", "body": b"site"})


async def nothing() -> None:
    """A start or stop without work."""


def serve(visit: Callable[[int], None], start: Callable[[], Any] = nothing) -> tuple[int, list[str]]:
    """Serves until `visit` (in a thread, given the port) has returned; the exit code and what happened."""
    log: list[str] = []
    listener = server.listen("127.0.0.1", 0)
    port = listener.getsockname()[1]

    def guest() -> None:
        try:
            visit(port)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    async def stop() -> None:
        log.append("stop")

    def ready() -> None:
        log.append("ready")
        threading.Thread(target=guest).start()

    with listener:
        code = server.run(Dispatcher({}, site, start, stop), listener, reload=lambda: log.append("reload"), ready=ready)
    return code, log


def test_it_says_when_it_serves_reloads_and_ends_with_0() -> None:
    answers: list[bytes] = []

    def visit(port: int) -> None:
        os.kill(os.getpid(), signal.SIGHUP)
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
            answers.append(b"".join(iter(lambda: client.recv(4096), b"")))

    code, log = serve(visit)
    assert (code, log) == (0, ["ready", "reload", "stop"])
    assert answers[0].startswith(b"HTTP/1.1 200 OK\r\n") and answers[0].endswith(b"\r\n\r\nsite")
    assert b"\r\ndate: " in answers[0] and b"\r\nserver: " not in answers[0].lower()


def test_idle_connections_do_not_hold_up_the_end() -> None:
    clients: list[socket.socket] = []
    assert serve(lambda port: clients.append(socket.create_connection(("127.0.0.1", port))))[0] == 0
    assert clients[0].recv(1) == b""
    clients[0].close()


def test_a_failed_start_ends_with_1_and_was_never_ready() -> None:
    async def start() -> None:
        raise ValueError("no")

    assert serve(lambda _port: None, start) == (1, [])


def test_an_address_in_use_is_an_error_at_once() -> None:
    with server.listen("127.0.0.1", 0) as taken:
        assert taken.get_inheritable() and not taken.getblocking()
        with pytest.raises(OSError, match="in use"):
            server.listen("127.0.0.1", taken.getsockname()[1])


def test_ipv6_is_an_address_too() -> None:
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    with server.listen("::1", 0) as listener:
        assert listener.family == socket.AF_INET6
