"""Media inside requests: data URLs taken apart, and types told by the first bytes (RFC 2397; RFC 9110, 8.3.1)."""

import base64
import binascii
import re
from typing import Final

_DATA_URL: Final = re.compile(r"data:([a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+)?((?:;[a-z0-9_-]+=[^;,]*)*)(;base64)?,", re.IGNORECASE)

_MAGIC: Final[tuple[tuple[int, bytes, str], ...]] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF8", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (0, b"%PDF-", "application/pdf"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (0, b"ID3", "audio/mpeg"),
    (8, b"WAVE", "audio/wav"),
    (0, b"OggS", "audio/ogg"),
    (0, b"fLaC", "audio/flac"),
)
"""Offset and first bytes of the types that upstreams take."""


def split_data_url(url: str) -> tuple[str, str] | None:
    """(media type, base64 text) of a data URL, the type in lower case; None for any other URL. Percent-encoded data is not read.

    The type is `text/plain` where none is named, as RFC 2397 says.
    """
    match = _DATA_URL.match(url[:256])
    if match is None or not match[3]:
        return None
    return (match[1] or "text/plain").lower(), url[match.end() :]


def data_url(media_type: str, data: str) -> str:
    """The data URL of base64 text."""
    return f"data:{media_type};base64,{data}"


def sniff(data: bytes) -> str | None:
    """The media type that the first bytes tell; None when they tell none."""
    return next((kind for offset, magic, kind in _MAGIC if data[offset : offset + len(magic)] == magic), None)


def sniff_base64(text: str) -> str | None:
    """The media type of base64 text."""
    try:
        return sniff(base64.b64decode(text[:64], validate=True))
    except (binascii.Error, ValueError):
        return None
