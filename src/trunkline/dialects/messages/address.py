"""Where calls of the Messages dialect go, and the headers that every one of them bears."""

from collections.abc import Mapping

from trunkline.protocol.catalogue import Endpoint

HEADERS: Mapping[str, str] = {"anthropic-version": "2023-06-01"}

_PATH = "/v1/messages"
_COUNT = "/count_tokens"


def url(endpoint: Endpoint, *, stream: bool) -> str:
    """The address of a generation. `base_url` is the host's root, with or without `/v1`; `quirks.path` replaces the path."""
    quirks = endpoint.quirks
    path = (quirks.stream_path if stream else "") or quirks.path
    if path:
        return endpoint.base_url.rstrip("/") + path.replace("{model}", endpoint.upstream_model)
    return endpoint.base_url.rstrip("/").removesuffix("/v1") + _PATH


def count_url(endpoint: Endpoint) -> str | None:
    """The address of the upstream's own token count; None where the path is not the dialect's."""
    return None if endpoint.quirks.path else url(endpoint, stream=False) + _COUNT
