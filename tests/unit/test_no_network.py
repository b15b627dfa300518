"""The guard of tests/unit/conftest.py itself: it stops what would leave the machine, on both event loops, and nothing else."""

import asyncio
import socket
from collections.abc import Callable

import pytest
import uvloop

LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]
AWAY = "192.0.2.1"  # TEST-NET-1 (RFC 5737): nobody is there, should the guard ever fail


@pytest.mark.parametrize("loop_factory", LOOPS, ids=["asyncio", "uvloop"])
@pytest.mark.parametrize("host", [AWAY, "2001:db8::1", "example.invalid"])
def test_a_connection_to_elsewhere_fails_the_test(loop_factory: Callable[[], asyncio.AbstractEventLoop], host: str) -> None:
    async def main() -> None:
        async with asyncio.timeout(30):
            await asyncio.open_connection(host, 80)

    with asyncio.Runner(loop_factory=loop_factory) as runner, pytest.raises(AssertionError, match="no network beyond loopback"):
        runner.run(main())


def test_plain_sockets_and_names_are_stopped_too() -> None:
    with socket.socket() as tcp, pytest.raises(AssertionError):
        tcp.connect((AWAY, 80))
    with socket.socket(type=socket.SOCK_DGRAM) as udp, pytest.raises(AssertionError):
        udp.sendto(b"x", (AWAY, 53))
    with pytest.raises(AssertionError):
        socket.getaddrinfo("example.invalid", 80)


@pytest.mark.parametrize("loop_factory", LOOPS, ids=["asyncio", "uvloop"])
@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.8.7", "localhost"])
def test_loopback_is_open(loop_factory: Callable[[], asyncio.AbstractEventLoop], host: str) -> None:
    async def main() -> None:
        _, writer = await asyncio.open_connection(host, listener.getsockname()[1])
        writer.close()
        await writer.wait_closed()

    with socket.create_server(("0.0.0.0", 0)) as listener, asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(main())


def test_addresses_may_be_looked_up_without_asking_anyone() -> None:
    assert socket.getaddrinfo(AWAY, 80, type=socket.SOCK_STREAM)[0][4] == (AWAY, 80)
