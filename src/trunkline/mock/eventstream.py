"""Frames of `application/vnd.amazon.eventstream`, as AWS's guide to event stream encoding has them.

Total length, length of the headers, CRC of these two; headers (name, type 7 = text, value); payload; CRC of all before it. Big-endian.
"""

import struct
import zlib
from collections.abc import Mapping

_TEXT = 7


def frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One frame."""
    named = b"".join(_header(name.encode(), value.encode()) for name, value in headers.items())
    prelude = struct.pack("!II", len(named) + len(payload) + 16, len(named))
    start = prelude + struct.pack("!I", zlib.crc32(prelude)) + named + payload
    return start + struct.pack("!I", zlib.crc32(start))


def _header(name: bytes, value: bytes) -> bytes:
    return struct.pack("!B", len(name)) + name + struct.pack("!BH", _TEXT, len(value)) + value


def event(kind: str, payload: bytes) -> bytes:
    """A frame with an event of this kind and a JSON payload."""
    return frame({":event-type": kind, ":content-type": "application/json", ":message-type": "event"}, payload)


def exception(kind: str, payload: bytes) -> bytes:
    """A frame with an exception, which ends the stream."""
    return frame({":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"}, payload)
