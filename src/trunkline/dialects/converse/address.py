"""Where a call goes: below `https://bedrock-runtime.<region>.amazonaws.com`."""

from collections.abc import Mapping
from urllib.parse import quote

from trunkline.protocol.catalogue import Endpoint

HEADERS: Mapping[str, str] = {"accept": "*/*"}
"""Streams are of a type that no other dialect names."""


def url(endpoint: Endpoint, *, stream: bool) -> str:
    """The address of a model's operation. The model's id or ARN is escaped whole, with its `:` and `/`. The quirks `path` and `stream_path`
    replace what follows the base URL."""
    quirks = endpoint.quirks
    path = quirks.stream_path if stream and quirks.stream_path else quirks.path
    if not path:
        path = "/model/{model}/converse-stream" if stream else "/model/{model}/converse"
    return endpoint.base_url.rstrip("/") + path.replace("{model}", quote(endpoint.upstream_model, safe=""))
