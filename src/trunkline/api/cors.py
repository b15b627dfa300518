"""What pages of other origins may do: the rules of CORS (Fetch standard, section 3.2) as pure functions.

Browser apps call OpenRouter with a bearer key in their own script, so the operations that take one answer any origin. Nothing here
ever allows credentials: cookies and the management API stay out of reach of other origins. `inference` uses these functions for its
raw ASGI routes.
"""

import re
from collections.abc import Iterable

from trunkline.api import routes

Headers = Iterable[tuple[bytes, bytes]]

EXPOSED = (
    b"X-Generation-Id, Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, "
    b"X-OpenRouter-Cache-Status, X-OpenRouter-Cache-Age, X-OpenRouter-Cache-TTL, X-OpenRouter-Cache-Source-Id"
)
RESPONSE_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", EXPOSED),
)
"""What every answer of an open operation carries, errors too."""

DEFAULT_REQUEST_HEADERS = b"Authorization, Content-Type, HTTP-Referer, X-OpenRouter-Title, X-Title"
"""What a preflight that names no headers is told."""

_MAX_AGE = b"7200"
_MAX_NAMES = 64
_NAMES = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")


def response_headers(path: str) -> tuple[tuple[bytes, bytes], ...]:
    """The CORS headers of an answer at `path`; none where other origins have no business."""
    return RESPONSE_HEADERS if _open_methods(path) else ()


def preflight(path: str, headers: Headers) -> list[tuple[bytes, bytes]] | None:
    """The headers of the 204 that answers `OPTIONS path`, or None where other origins have no business (answer as for any other method)."""
    methods = _open_methods(path)
    if not methods:
        return None
    asked = b",".join(value for name, value in headers if name == b"access-control-request-headers")
    return [
        *RESPONSE_HEADERS,
        (b"access-control-allow-methods", ", ".join([*methods, "OPTIONS"]).encode()),
        (b"access-control-allow-headers", _well_formed(asked) or DEFAULT_REQUEST_HEADERS),
        (b"access-control-max-age", _MAX_AGE),
        (b"vary", b"Access-Control-Request-Headers"),
    ]


def _open_methods(path: str) -> list[str]:
    return sorted(method for method, operation in routes.match(path).items() if operation.browsers)


def _well_formed(asked: bytes) -> bytes:
    """The header names among those asked for, each an HTTP token of sane length, so that nothing else is echoed."""
    names = [name.strip() for name in asked.split(b",", _MAX_NAMES)[:_MAX_NAMES]]
    return b", ".join(name for name in names if _NAMES.fullmatch(name))
