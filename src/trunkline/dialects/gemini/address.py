"""Where a call goes: AI Studio's or Vertex's path below an endpoint's base URL."""

import re
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

from trunkline.protocol.catalogue import Endpoint

HEADERS: Mapping[str, str] = {}
"""No header is always the same."""

_VERSION = re.compile(r"/v\d+[a-z0-9]*$")
_RESOURCE = re.compile(r"(?:models|tunedModels|endpoints|publishers)/.")


def url(endpoint: Endpoint, *, stream: bool) -> str:
    """The address of a model's method. A base URL with `/projects/.../locations/...` is Vertex's and carries its version.

    An upstream model is a bare name (`gemini-2.5-flash`, escaped) or a resource (`tunedModels/x`, `endpoints/123`). The quirks `path` and
    `stream_path` replace what follows the base URL.
    """
    quirks = endpoint.quirks
    path = quirks.stream_path if stream and quirks.stream_path else quirks.path
    if path:
        return endpoint.base_url.rstrip("/") + path.replace("{model}", quote(endpoint.upstream_model, safe=""))
    method = "streamGenerateContent?alt=sse" if stream else "generateContent"
    return f"{_parent(endpoint.base_url.rstrip('/'), endpoint.upstream_model)}:{method}"


def _parent(base: str, model: str) -> str:
    path = urlsplit(base).path
    resource = quote(model, safe="/") if _RESOURCE.match(model) else f"models/{quote(model, safe='')}"
    if "/projects/" in path and "/publishers/" not in path and resource.startswith("models/"):
        return f"{base}/publishers/google/{resource}"
    if "/projects/" in path or "/publishers/" in path or _VERSION.search(path):
        return f"{base}/{resource}"
    return f"{base}/v1beta/{resource}"
