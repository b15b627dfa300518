"""Images and documents for Anthropic: base64 or an address (adapters 1.4). What it cannot take at all is refused."""

import base64
import binascii

from trunkline.dialects.hub.conversation import Audio, File, Image, Video
from trunkline.dialects.media import sniff_base64, split_data_url
from trunkline.errors import ApiError

Block = dict[str, object]

_IMAGES = ("image/jpeg", "image/png", "image/gif", "image/webp")
_PDF = "application/pdf"


def image(block: Image) -> Block:
    """An `image` block. Raises ApiError for a picture that is neither base64 nor at a web address, or of a type that is not taken."""
    data, media_type = block.data, block.media_type
    if block.url is not None:
        split = split_data_url(block.url)
        if split is None:
            return {"type": "image", "source": _address(block.url, "image")}
        media_type, data = split
    return _picture(data or "", media_type)


def document(block: File) -> Block:
    """A `document` block, or an `image` block for a file that holds a picture. Raises ApiError as `image` does."""
    source, media_type = _source(block)
    if media_type in _IMAGES:
        return {"type": "image", "source": source}
    titled = {"title": block.filename} if block.filename else {}
    return {"type": "document", "source": source, **titled}


def refuse(block: Audio | Video) -> ApiError:
    """What is said of sound and film."""
    kind = "audio" if isinstance(block, Audio) else "video"
    return ApiError("invalid_request", f"messages: This model takes no {kind}")


def _source(block: File) -> tuple[Block, str]:
    if block.file_id is not None:
        return {"type": "file", "file_id": block.file_id}, ""
    if block.text is not None:
        return {"type": "text", "media_type": "text/plain", "data": block.text}, "text/plain"
    data, media_type = block.data, block.media_type
    if block.url is not None:
        split = split_data_url(block.url)
        if split is None:
            return _address(block.url, "file"), ""
        media_type, data = split
    return _data(data or "", media_type)


def _data(data: str, media_type: str | None) -> tuple[Block, str]:
    kind = sniff_base64(data) or media_type or ""
    if kind == _PDF:
        return {"type": "base64", "media_type": _PDF, "data": data}, _PDF
    if kind in _IMAGES:
        return {"type": "base64", "media_type": kind, "data": data}, kind
    if kind.startswith("text/") or kind == "application/json":
        return {"type": "text", "media_type": "text/plain", "data": _text(data)}, "text/plain"
    raise ApiError("invalid_request", f"messages: This model takes no file of type {kind or 'unknown'}")


def _text(data: str) -> str:
    try:
        return base64.b64decode(data, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        raise ApiError("invalid_request", "messages: A file is not valid base64") from None


def _picture(data: str, media_type: str | None) -> Block:
    found = sniff_base64(data)
    kind = found if found in _IMAGES else media_type
    if kind == "image/jpg":
        kind = "image/jpeg"
    if kind not in _IMAGES:
        raise ApiError("invalid_request", f"messages: This model takes no image of type {kind or 'unknown'}")
    return {"type": "image", "source": {"type": "base64", "media_type": kind, "data": data}}


def _address(url: str, kind: str) -> Block:
    if not url.startswith(("https://", "http://")):
        raise ApiError("invalid_request", f"messages: This model cannot fetch the {kind} {url[:64]!r}")
    return {"type": "url", "url": url}
