"""The operator's HTTP proxy, from HTTP_PROXY, HTTPS_PROXY and NO_PROXY. It serves operator-written URLs only."""

import base64
import ipaddress
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from trunkline.errors import ConfigError


class Proxy(Struct, frozen=True):
    """An HTTP proxy. `authorization` is the value of Proxy-Authorization, empty for none."""

    host: str
    port: int
    authorization: bytes = b""

    def __repr__(self) -> str:
        return f"Proxy({self.host}:{self.port})"


class Proxies(Struct, frozen=True):
    """Which proxy serves which scheme, and the hosts that none serves."""

    by_scheme: Mapping[str, Proxy]
    exempt: tuple[str, ...] = ()

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Proxies":
        """Read the variables; the lower-case name wins, as in curl. Raises ConfigError for a proxy URL that is not `http://host[:port]`."""
        by_scheme = {}
        for scheme in ("http", "https"):
            name, value = _variable(environ, f"{scheme}_proxy")
            if value:
                by_scheme[scheme] = _parse(name, value)
        _, exempt = _variable(environ, "no_proxy")
        return cls(by_scheme, tuple(entry.strip().lower() for entry in exempt.split(",") if entry.strip()))

    def find(self, scheme: str, host: str) -> Proxy | None:
        """The proxy for an origin. Loopback names and addresses never go through one: it would reach its own machine, not ours."""
        proxy = self.by_scheme.get(scheme)
        if proxy is None or host == "localhost" or host.endswith(".localhost"):
            return None
        address = _address(host)
        if address is not None and address.is_loopback:
            return None
        if any(_matches(entry, host, address) for entry in self.exempt):
            return None
        return proxy


def _variable(environ: Mapping[str, str], name: str) -> tuple[str, str]:
    upper = name.upper()
    return (name, environ[name]) if name in environ else (upper, environ.get(upper, ""))


def _parse(name: str, value: str) -> Proxy:
    error = ConfigError(name, "is not the URL of an HTTP proxy", "http://host:port")
    try:
        parts = urlsplit(value if "://" in value else f"http://{value}")
        port = 80 if parts.port is None else parts.port
        pair = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}".encode()
    except ValueError:  # not a URL, not a port, or not UTF-8
        raise error from None
    if parts.scheme != "http" or not parts.hostname or not port:
        raise error
    return Proxy(parts.hostname, port, b"" if parts.username is None else b"Basic " + base64.b64encode(pair))


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _matches(entry: str, host: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address | None) -> bool:
    """One entry of NO_PROXY: `*`, a name (with all names under it), an address, or a network."""
    if entry == "*":
        return True
    if address is None:
        name = entry.removeprefix("*").removeprefix(".")
        return host == name or host.endswith(f".{name}")
    try:
        return address in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False
