"""Where chat upstreams are called."""

from collections.abc import Mapping
from typing import Final

from trunkline.protocol.catalogue import Endpoint

HEADERS: Final[Mapping[str, str]] = {}
"""The dialect has no headers of its own."""


def url(endpoint: Endpoint, *, stream: bool) -> str:
    """The URL of an endpoint; `quirks.path` and `quirks.stream_path` replace the dialect's own path."""
    quirks = endpoint.quirks
    path = (quirks.stream_path if stream else "") or quirks.path or "/chat/completions"
    return endpoint.base_url.rstrip("/") + path.replace("{model}", endpoint.upstream_model)
