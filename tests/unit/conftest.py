"""Unit tests have no network but loopback: a name or address of anywhere else fails the test that used it."""

import asyncio
import ipaddress
import socket
from collections.abc import Callable
from typing import Any

import pytest
import uvloop
from postgres_server import both_settings, both_storage, database_url, new_database, outage, postgres

__all__ = ["both_settings", "both_storage", "database_url", "new_database", "outage", "postgres"]


class NetworkUsed(AssertionError):
    """A unit test tried to leave the machine."""


def _refuse_others(host: object) -> None:
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if not isinstance(name, str) or name in ("", "localhost"):
        return
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
        inside = address.is_loopback or address.is_unspecified
    except ValueError:
        inside = name.endswith(".localhost")
    if not inside:
        raise NetworkUsed(f"unit tests have no network beyond loopback, and this one went for {name!r}")


def _guard_address(original: Callable[..., Any], position: int) -> Callable[..., Any]:
    """`original`, a socket's method whose argument at `position` is an address."""

    def guarded(self: socket.socket, *arguments: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            _refuse_others(arguments[position][0])
        return original(self, *arguments)

    return guarded


def _guard_lookup(original: Callable[..., Any]) -> Callable[..., Any]:
    """`socket.getaddrinfo`, which may be asked about any address but not about a name that only a name server knows."""

    def guarded(host: Any, *arguments: Any, **options: Any) -> Any:
        try:
            ipaddress.ip_address(host)
        except ValueError:
            _refuse_others(host)
        return original(host, *arguments, **options)

    return guarded


def _guard_loop(original: Callable[..., Any]) -> Callable[..., Any]:
    """A loop's `create_connection`: uvloop's does not pass through the socket module."""

    async def guarded(self: asyncio.AbstractEventLoop, factory: Any, host: Any = None, *arguments: Any, **options: Any) -> Any:
        _refuse_others(host)
        return await original(self, factory, host, *arguments, **options)

    return guarded


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Closes the ways out."""
    monkeypatch.setattr(socket.socket, "connect", _guard_address(socket.socket.connect, 0))
    monkeypatch.setattr(socket.socket, "connect_ex", _guard_address(socket.socket.connect_ex, 0))
    monkeypatch.setattr(socket.socket, "sendto", _guard_address(socket.socket.sendto, -1))
    monkeypatch.setattr(socket, "getaddrinfo", _guard_lookup(socket.getaddrinfo))
    monkeypatch.setattr(uvloop.Loop, "create_connection", _guard_loop(uvloop.Loop.create_connection))
