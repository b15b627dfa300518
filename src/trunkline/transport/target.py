"""What one endpoint's requests have in common, rendered once: where they go and the bytes of their head."""

import re
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

from msgspec import Struct

from trunkline.errors import ConfigError
from trunkline.transport.egress import DEFAULT_PORTS
from trunkline.transport.pool import Origin, Pool

DEFAULT_HEADERS: Mapping[str, str] = {"accept-encoding": "identity", "user-agent": "trunkline"}
"""Sent unless the caller names them. Event streams must not be compressed: a compressor holds events back."""

OWN_HEADERS = frozenset({"connection", "content-length", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"})
"""Headers that the client alone may set: they decide where a message ends (RFC 9112, 6; 9110, 7.6.1)."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})


class Target(Struct, frozen=True, eq=False):
    """A method and URL with fixed headers. `head` is the request line and the headers, up to Content-Length."""

    method: str
    url: str
    pool: Pool
    head: bytes
    length_always: bool

    def __repr__(self) -> str:
        """Method and URL; the head holds a credential."""
        return f"Target({self.method} {self.url})"

    def request(self, body: bytes, extra_headers: bytes) -> bytes:
        """The bytes of one request. `extra_headers` are whole lines, each with its CRLF."""
        if body or self.length_always:
            return b"%bcontent-length: %d\r\n%b\r\n%b" % (self.head, len(body), extra_headers, body)
        return b"%b%b\r\n" % (self.head, extra_headers)


def render_head(method: str, url: str, origin: Origin, headers: Mapping[str, str]) -> bytes:
    """Request line, Host and headers. Raises ConfigError for a header that cannot be sent; the text never holds its value."""
    if not _TOKEN.fullmatch(method):
        raise ConfigError("method", "is not an HTTP method")
    parts = urlsplit(url)
    path = quote(parts.path or "/", safe="/:@!$&'()*+,;=~%-._")
    if parts.query:
        path += "?" + quote(parts.query, safe="/:@!$&'()*+,;=~%-._?")
    through_proxy = origin.proxy is not None and origin.scheme == "http"
    lines = [f"{method} {origin if through_proxy else ''}{path} HTTP/1.1", f"host: {_authority(origin)}"]
    head = ("\r\n".join(lines) + "\r\n").encode("ascii")
    head += render_headers({**DEFAULT_HEADERS, **{name.lower(): value for name, value in headers.items()}})
    if through_proxy and origin.proxy is not None and origin.proxy.authorization:
        head += b"proxy-authorization: %b\r\n" % origin.proxy.authorization
    return head


def render_headers(headers: Mapping[str, str]) -> bytes:
    """Header lines, each with its CRLF, as `Client.send` takes them. Raises ConfigError as `render_head` does."""
    return "".join(_header_line(name, value) for name, value in headers.items()).encode("ascii")


def sends_length(method: str) -> bool:
    """Whether Content-Length is sent for an empty body too (RFC 9110, 8.6)."""
    return method not in _BODILESS


def _authority(origin: Origin) -> str:
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    return host if origin.port == DEFAULT_PORTS[origin.scheme] else f"{host}:{origin.port}"


def _header_line(name: str, value: str) -> str:
    where = f"header {name[:60]!r}"
    if not _TOKEN.fullmatch(name):
        raise ConfigError(where, "is not a header name")
    if name.lower() in OWN_HEADERS:
        raise ConfigError(where, "is set by the client itself")
    if not value.isascii() or any((ord(char) < 32 and char != "\t") or ord(char) == 127 for char in value):
        raise ConfigError(where, "has a value with characters outside printable ASCII")
    return f"{name}: {value.strip()}\r\n"
