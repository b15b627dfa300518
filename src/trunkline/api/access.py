"""Closed by default: who may reach the management API, the dashboard and the metrics at all.

This is an extra lock in front of keys and sessions, never instead of them. It opens for programs on the same machine, and, once the
operator has named the address under which others reach the server (`TRUNKLINE_PUBLIC_URL`), for requests to that address. Requests
that came through a proxy are not local, whatever their peer; a `Host` that a page smuggled in by DNS rebinding is neither a loopback
name nor the public one.
"""

import ipaddress
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from trunkline.errors import ApiError
from trunkline.settings import Settings

Scope = Mapping[str, Any]
"""An ASGI connection scope of type http."""

_PROXY_HEADERS = re.compile(rb"forwarded|via|x-forwarded-.*|x-real-ip")
_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]{2,45}\]|[0-9A-Za-z._-]{1,253})(?::(?P<port>[0-9]{1,5}))?")
_FORWARDED_HOST = re.compile(r'(?:^|;)\s*host=(?:"(?P<quoted>[^"\\]*)"|(?P<token>[^;,"\s]*))\s*(?=;|$)', re.IGNORECASE)
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Lock:
    """The lock of one server. It needs only `host` (the address listened on), `public_url` and `trusted_proxies` of the settings."""

    def __init__(self, settings: Settings) -> None:
        self._local_bind = _is_loopback_name(settings.host.strip("[]"))
        self._public = _origin(settings.public_url)
        self._trusted_proxies = settings.trusted_proxies

    def require(self, scope: Scope) -> None:
        """Return for a request that may go on to authentication. Raises ApiError `permission_denied` that names the setting to change."""
        if not self.opens(scope):
            raise ApiError("permission_denied", self._refusal())

    def opens(self, scope: Scope) -> bool:
        """Whether the request may go on to authentication."""
        if self._public is not None and self._effective_host(scope) == self._public[1:]:
            return True
        return (self._local_bind or self._public is not None) and is_loopback_request(scope)

    def _refusal(self) -> str:
        if self._public is not None:
            return "This is open only under the address that TRUNKLINE_PUBLIC_URL names, and to programs on the same machine."
        if not self._local_bind:
            return "This server listens beyond its own machine and serves inference only; set TRUNKLINE_PUBLIC_URL to open the rest."
        return "This is open only to programs on the same machine; set TRUNKLINE_PUBLIC_URL to the address under which others reach it."

    def _effective_host(self, scope: Scope) -> tuple[str, int] | None:
        """Name and port of the host asked for: what a trusted proxy says, else `Host`. None when it is missing, malformed or repeated."""
        default = _DEFAULT_PORTS[self._public[0]] if self._public is not None else 0
        if self._from_trusted_proxy(scope):
            forwarded = _forwarded_host(scope)
            if forwarded is not None:
                return _split_host(forwarded, default)
        return _split_host(_only(scope, b"host") or "", default)

    def _from_trusted_proxy(self, scope: Scope) -> bool:
        peer = _peer(scope)
        return peer is not None and any(peer.version == network.version and peer in network for network in self._trusted_proxies)


def is_loopback_request(scope: Scope) -> bool:
    """Whether the peer is this machine, no proxy passed the request on, and `Host` is a loopback name.

    Loopback names are localhost, 127.0.0.0/8 and [::1], with any port.
    """
    peer = _peer(scope)
    if peer is None or not peer.is_loopback or any(_PROXY_HEADERS.fullmatch(name.lower()) for name, _ in scope["headers"]):
        return False
    host = _split_host(_only(scope, b"host") or "", 0)
    return host is not None and _is_loopback_name(host[0].strip("[]"))


def _peer(scope: Scope) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address of the socket's other end; an IPv4 address inside IPv6 is taken out. None for anything that is no IP address."""
    client = scope.get("client")
    if not client:
        return None
    try:
        address = ipaddress.ip_address(client[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _is_loopback_name(name: str) -> bool:
    if name.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _only(scope: Scope, wanted: bytes) -> str | None:
    """The value of a header that came exactly once."""
    values = [value for name, value in scope["headers"] if name.lower() == wanted]
    return values[0].decode("latin-1") if len(values) == 1 else None


def _forwarded_host(scope: Scope) -> str | None:
    """The host that the nearest proxy saw: the last element of `Forwarded` (RFC 7239), else of `X-Forwarded-Host`."""
    forwarded = _only(scope, b"forwarded")
    if forwarded is not None:
        found = _FORWARDED_HOST.search(forwarded.rsplit(",", 1)[-1])
        if found is not None:
            return found["quoted"] if found["quoted"] is not None else found["token"]
    legacy = _only(scope, b"x-forwarded-host")
    return legacy.rsplit(",", 1)[-1].strip() if legacy is not None else None


def _split_host(host: str, default_port: int) -> tuple[str, int] | None:
    """Lower-case name and port of a `Host` value (RFC 9110, section 7.2). None when it is malformed."""
    found = _HOST.fullmatch(host)
    if found is None:
        return None
    return found["name"].lower(), int(found["port"]) if found["port"] else default_port


def _origin(url: str) -> tuple[str, str, int] | None:
    """Scheme, name and port of the public URL; None when there is none."""
    if not url:
        return None
    parts = urlsplit(url)
    name = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    return parts.scheme, name.lower(), parts.port or _DEFAULT_PORTS[parts.scheme]
