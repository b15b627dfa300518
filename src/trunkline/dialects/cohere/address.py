"""Where a call goes: `/v2/chat` below an endpoint's base URL (`https://api.cohere.com`)."""

from collections.abc import Mapping

from trunkline.protocol.catalogue import Endpoint

HEADERS: Mapping[str, str] = {}
"""No header is always the same."""


def url(endpoint: Endpoint, *, stream: bool) -> str:
    """The address of the method; the body says whether it streams. A base URL may carry the version. The quirks `path` and `stream_path`
    replace what follows the base URL."""
    base, quirks = endpoint.base_url.rstrip("/"), endpoint.quirks
    path = quirks.stream_path if stream and quirks.stream_path else quirks.path
    return base + (path or ("/chat" if base.endswith("/v2") else "/v2/chat"))
