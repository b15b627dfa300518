"""The egress guard: which URLs may be called, and at exactly which addresses.

A URL that a user can set (BYOK base URL, webhook, image) must not reach this machine, its network or a cloud's metadata service. The host
is resolved once, every address is checked, and the connection goes to the checked addresses: a second answer of the DNS changes nothing.
"""

import asyncio
import ipaddress
import re
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlsplit

from msgspec import Struct

from trunkline.errors import ConnectFailed, EgressDenied
from trunkline.transport.tasks import spawn

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]

DEFAULT_PORTS = {"http": 80, "https": 443}
_MAX_CACHED = 1024
_HOST = re.compile(r"[!-$&-\[\]-~]+")
"""Printable ASCII, without percent signs (zones of addresses, escapes) and backslashes (slashes to some readers)."""


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


FORBIDDEN: tuple[tuple[str, tuple[Network, ...]], ...] = (
    (
        "a metadata service's",
        # AWS, GCP, Azure, OpenStack (169.254.169.254), ECS (169.254.170.2), Azure's wire server, Alibaba, Oracle, AWS and GCP by IPv6.
        _networks("169.254.169.254", "169.254.170.2", "168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254"),
    ),
    ("link-local", _networks("169.254.0.0/16", "fe80::/10", "fec0::/10")),
    ("unspecified", _networks("0.0.0.0/8", "::")),
    ("multicast", _networks("224.0.0.0/4", "ff00::/8")),
    (
        "reserved",
        _networks(
            "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
            "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16",
        ),
    ),
)  # fmt: skip
"""Networks that nobody may call (IANA special-purpose registries, RFC 6890 and its updates; the clouds' documents for the first row)."""

INTERNAL: tuple[tuple[str, tuple[Network, ...]], ...] = (
    ("loopback", _networks("127.0.0.0/8", "::1")),
    ("private", _networks("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")),
    ("shared (CGNAT)", _networks("100.64.0.0/10")),
)
"""Networks that only URLs written by the operator may name."""


_CARRIERS = _networks("::/96", "64:ff9b::/96")


class Location(Struct, frozen=True):
    """The part of a URL that says where to connect. `host` is lower-case, without brackets."""

    scheme: str
    host: str
    port: int


class EgressGuard:
    """One guard for every URL. `resolve` turns a host and port into addresses (default: the system's resolver, in the loop's threads).

    Answers are kept for `ttl` seconds.
    """

    def __init__(self, *, resolve: Resolver | None = None, ttl: float = 30.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._resolve = resolve or _resolve
        self._ttl = ttl
        self._clock = clock
        self._lookups: dict[tuple[str, int], asyncio.Task[tuple[Address, ...] | ConnectFailed]] = {}
        self._cache: dict[tuple[str, int], tuple[float, tuple[Address, ...]]] = {}

    def check_url(self, url: str, *, operator_url: bool = False) -> Location:
        """What can be said of a URL without the DNS. Raises EgressDenied, with a text fit for the user who wrote the URL."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise EgressDenied(f"the URL is not valid: {error}") from None
        if parts.scheme not in DEFAULT_PORTS:
            raise EgressDenied("the URL must begin with http:// or https://")
        if "@" in parts.netloc:
            raise EgressDenied("the URL must not hold a user name or password")
        if port == 0:
            raise EgressDenied("port 0 cannot be called")
        host = _ascii_host(host or "")
        if not _HOST.fullmatch(host):
            raise EgressDenied("the URL names no valid host")
        address = _literal(host)
        if address is not None:
            _check_address(host, address, operator_url=operator_url)
        return Location(parts.scheme, host, port or DEFAULT_PORTS[parts.scheme])

    async def addresses(self, host: str, port: int, *, operator_url: bool = False) -> tuple[str, ...]:
        """The addresses to connect to, in the resolver's order. Raises EgressDenied if any is forbidden, ConnectFailed if there is none."""
        found = await self._lookup(host, port)
        for address in found:
            _check_address(host, address, operator_url=operator_url)
        return tuple(str(address) for address in found)

    async def _lookup(self, host: str, port: int) -> tuple[Address, ...]:
        literal = _literal(host)
        if literal is not None:
            return (literal,)
        key = (host, port)
        cached = self._cache.get(key)
        if cached is not None and self._clock() < cached[0]:
            return cached[1]
        lookup = self._lookups.get(key)
        if lookup is None:
            lookup = self._lookups[key] = spawn(self._ask(host, port), name=f"resolve {host}")
        found = await asyncio.shield(lookup)
        if isinstance(found, ConnectFailed):
            raise ConnectFailed(found.message)
        return found

    async def _ask(self, host: str, port: int) -> tuple[Address, ...] | ConnectFailed:
        """One question for all who wait for the name; a failure is their result, and is not kept."""
        try:
            texts = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            return ConnectFailed(f"the name {host} does not resolve: {error}")
        finally:
            del self._lookups[host, port]
        found = tuple(dict.fromkeys(ipaddress.ip_address(text) for text in texts))
        if not found:
            return ConnectFailed(f"the name {host} has no address")
        if len(self._cache) >= _MAX_CACHED:
            self._cache.clear()
        self._cache[host, port] = (self._clock() + self._ttl, found)
        return found


def classify(address: Address) -> tuple[str, bool] | None:
    """Why an address is not on the public internet, and whether an operator's URL may name it all the same; None for a public one."""
    inner = _embedded(address)
    if inner is not None:
        return classify(inner)
    for reason, networks in FORBIDDEN:
        if any(address in network for network in networks):
            return reason, False
    for reason, networks in INTERNAL:
        if any(address in network for network in networks):
            return reason, True
    if not address.is_global:
        return "not public", False
    return None


def _embedded(address: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 address carries a packet to: mapped, compatible, NAT64 (RFC 6052) or 6to4."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    number = int(address)
    if any(address in network for network in _CARRIERS) and number > 1:
        return ipaddress.IPv4Address(number & 0xFFFFFFFF)
    return None


def _check_address(host: str, address: Address, *, operator_url: bool) -> None:
    verdict = classify(address)
    if verdict is None:
        return
    reason, for_operator = verdict
    if operator_url and for_operator:
        return
    raise EgressDenied(f"{host} must not be called: its address {address} is {reason}")


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _ascii_host(host: str) -> str:
    try:
        return host.encode("idna").decode("ascii") if not host.isascii() else host
    except UnicodeError:
        raise EgressDenied("the URL names no valid host") from None


async def _resolve(host: str, port: int) -> Sequence[str]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return [str(entry[4][0]) for entry in found]
