"""Where an upstream of this dialect takes requests."""

from collections.abc import Mapping

from trunkline.protocol.catalogue import Endpoint

HEADERS: Mapping[str, str] = {}
"""Headers that every request of this dialect carries."""


def url(endpoint: Endpoint, *, stream: bool) -> str:
    """The URL of an endpoint; `quirks.path` and `quirks.stream_path` replace the dialect's own path."""
    quirks = endpoint.quirks
    path = (quirks.stream_path if stream else "") or quirks.path or "/responses"
    return endpoint.base_url.rstrip("/") + path.replace("{model}", endpoint.upstream_model)
