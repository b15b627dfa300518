"""PNG files of grey pixels (ISO/IEC 15948), so that pictures of pages need no library of their own."""

import zlib

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY_8_BIT = b"\x08\x00\x00\x00\x00"
_EFFORT = 6


def grey_png(pixels: bytes, width: int, height: int, stride: int) -> bytes:
    """The file of `height` rows of `width` pixels, one byte each; rows begin every `stride` bytes."""
    rows = b"".join(b"\0" + pixels[start : start + width] for start in range(0, height * stride, stride))
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + _GREY_8_BIT
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows, _EFFORT)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")
