"""Images that an upstream gives as URLs: which they are, and the body with their bytes in place of them."""

import base64
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from trunkline.dialects import loose

_HINT: Final = b'"url"'


def links(body: bytes) -> list[str]:
    """The URLs of the images in a body that come without their bytes."""
    return [one["url"] for one in _items(body) if _is_link(one)] if _HINT in body else []


def with_bytes(body: bytes, files: Mapping[str, bytes]) -> bytes:
    """The body with base64 in place of the URLs in `files`."""
    document: Any = loose.decode(body)
    document["data"] = [
        {"b64_json": base64.b64encode(files[one["url"]]).decode("ascii")} if _is_link(one) and one["url"] in files else one
        for one in document["data"]
    ]
    return msgspec.json.encode(document)


def _items(body: bytes) -> list[Any]:
    try:
        document = loose.decode(body)
    except ValueError:
        return []
    data = document.get("data") if isinstance(document, dict) else None
    return data if isinstance(data, list) else []


def _is_link(one: Any) -> bool:
    return isinstance(one, dict) and isinstance(one.get("url"), str) and not one.get("b64_json")
