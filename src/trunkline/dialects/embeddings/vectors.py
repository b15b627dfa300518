"""One vector as JSON text: a list of numbers, or base64 of little-endian 32-bit floats. Each passes as it is where it is wanted so."""

import base64
import binascii
import math
import struct

import msgspec
from msgspec import Raw

from trunkline.errors import MalformedResponse

_NUMBERS = msgspec.json.Decoder(list[float])
_TEXT = msgspec.json.Decoder(str)


def as_asked(raw: bytes, *, as_base64: bool) -> Raw:
    """The vector in the encoding that the caller wants, byte for byte where the upstream gave it so. Raises MalformedResponse."""
    raw = raw.strip()
    given_base64 = raw[:1] == b'"'
    floats = _decoded(raw) if given_base64 else _numbers(raw)
    if given_base64 == as_base64:
        return Raw(raw)
    return Raw(msgspec.json.encode(encoded(floats) if as_base64 else floats))


def encoded(floats: list[float]) -> str:
    """The base64 text of a vector. Raises MalformedResponse for a number that a 32-bit float cannot hold."""
    try:
        return base64.b64encode(struct.pack(f"<{len(floats)}f", *floats)).decode()
    except (OverflowError, struct.error):
        raise MalformedResponse("a vector holds a number out of range", status=200) from None


def _numbers(raw: bytes) -> list[float]:
    try:
        floats = _NUMBERS.decode(raw)
    except msgspec.MsgspecError:
        raise MalformedResponse("a vector is not a list of numbers", status=200) from None
    if not floats:
        raise MalformedResponse("a vector is empty", status=200)
    return floats


def _decoded(raw: bytes) -> list[float]:
    try:
        data = base64.b64decode(_TEXT.decode(raw), validate=True)
    except (msgspec.MsgspecError, binascii.Error, ValueError):
        raise MalformedResponse("a vector is not base64", status=200) from None
    if not data or len(data) % 4:
        raise MalformedResponse("a vector is not made of 32-bit floats", status=200)
    floats = list(struct.unpack(f"<{len(data) // 4}f", data))
    if not all(math.isfinite(number) for number in floats):
        raise MalformedResponse("a vector holds what is no number", status=200)
    return floats
