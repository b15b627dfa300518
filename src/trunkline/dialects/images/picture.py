"""An image that an upstream made: base64 that decodes, and what it is."""

import base64
import binascii
from typing import Any, Final

from msgspec import Struct

from trunkline.dialects.media import sniff
from trunkline.errors import MalformedResponse

_SVG: Final = (b"<svg", b"<?xml")


class Picture(Struct, frozen=True):
    """Base64 text and its media type, None where the bytes do not tell."""

    data: str
    media_type: str | None = None


def picture(data: object) -> Picture:
    """The image in base64 text. Raises MalformedResponse for what does not decode: it is no answer, and costs nothing."""
    if not isinstance(data, str) or not data:
        raise MalformedResponse("the answer holds an image without data", status=200)
    try:
        decoded = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedResponse("the answer holds an image that is not base64", status=200) from None
    if not decoded:
        raise MalformedResponse("the answer holds an empty image", status=200)
    kind = "image/svg+xml" if decoded.lstrip()[:5].startswith(_SVG) else sniff(decoded)
    return Picture(data, kind)


def pictures(items: Any) -> tuple[Picture, ...]:
    """The images of a list of `{b64_json}`. Raises MalformedResponse when there is none."""
    if not isinstance(items, list) or not items:
        raise MalformedResponse("the answer holds no image", status=200)
    return tuple([picture(one.get("b64_json") if isinstance(one, dict) else None) for one in items])
