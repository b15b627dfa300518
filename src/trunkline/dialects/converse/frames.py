"""The binary event stream of AWS, `application/vnd.amazon.eventstream` (AWS, "Event stream encoding"): frames with two checksums.

A frame is the length of all of it, the length of its headers, a CRC32 of these 8 bytes; the headers; the payload; a CRC32 of everything
before. No length is believed before its checksum fits. Each event comes out as `{"<event type>": <payload>}`, an exception as
`{"<exception type>": <payload>}`, and an error frame as `{"error": {"type": ..., "message": ...}}`.
"""

import struct
import zlib
from collections.abc import Mapping
from typing import Final

import msgspec

from trunkline.errors import MalformedResponse, ResponseTooLarge, UpstreamError

MAX_FRAME_BYTES: Final = 4 * 1024 * 1024

_PRELUDE = struct.Struct(">III")
_CHECKSUM = struct.Struct(">I")
_LEAST = _PRELUDE.size + _CHECKSUM.size
_SHORT = struct.Struct(">H")
_SIZES: Final[Mapping[int, int]] = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
"""Bytes of the values of fixed size, by type: true, false, byte, short, integer, long, timestamp, UUID."""
_BYTES, _STRING = 6, 7
_NAMES: Final[Mapping[str, str]] = {"event": ":event-type", "exception": ":exception-type"}
_UNNAMED: Final[Mapping[str, str]] = {"event": "", "exception": "internalServerException"}
_MOST_OPENINGS = 64


class Frames:
    """One stream. `limit` is the largest frame in bytes. What came whole before a damaged frame is still given out; the call after it
    raises MalformedResponse or ResponseTooLarge."""

    __slots__ = ("_broken", "_held", "_limit", "_openings")

    def __init__(self, *, limit: int = MAX_FRAME_BYTES) -> None:
        self._limit = limit
        self._held = bytearray()
        self._openings: dict[bytes, bytes] = {}
        self._broken: UpstreamError | None = None

    def feed(self, data: bytes) -> list[bytes]:
        """The payloads of the frames that `data` completes."""
        if self._broken is not None:
            raise self._broken
        held = self._held
        held += data
        payloads: list[bytes] = []
        start = 0
        try:
            while (size := self._size(start)) and len(held) - start >= size:
                payload = self._payload(bytes(held[start : start + size]))
                start += size
                if payload:
                    payloads.append(payload)
        except UpstreamError as error:
            self._broken = error
            if not payloads:
                raise
        del held[:start]
        return payloads

    def close(self) -> list[bytes]:
        """The stream has ended; a frame that was cut off says nothing."""
        if self._broken is not None:
            raise self._broken
        self._held.clear()
        return []

    def _size(self, start: int) -> int:
        """The size of the frame that begins at `start`; 0 until its first 12 bytes are there."""
        if len(self._held) - start < _PRELUDE.size:
            return 0
        size, head, checksum = _PRELUDE.unpack_from(self._held, start)
        if zlib.crc32(self._held[start : start + 8]) != checksum:
            raise MalformedResponse("a frame of the event stream has a wrong checksum in its prelude", status=200)
        if size > self._limit:
            raise ResponseTooLarge(f"a frame of the event stream is larger than {self._limit} bytes", status=200)
        if size < _LEAST + head:
            raise MalformedResponse("a frame of the event stream is shorter than its headers", status=200)
        return int(size)

    def _payload(self, frame: bytes) -> bytes:
        """What a whole frame says; b"" for one without a type. Most frames have the headers of one before."""
        if zlib.crc32(frame[: -_CHECKSUM.size]) != _CHECKSUM.unpack_from(frame, len(frame) - _CHECKSUM.size)[0]:
            raise MalformedResponse("a frame of the event stream has a wrong checksum", status=200)
        end = _PRELUDE.size + _PRELUDE.unpack_from(frame)[1]
        head = frame[_PRELUDE.size : end]
        opening = self._openings.get(head)
        if opening is None:
            if len(self._openings) >= _MOST_OPENINGS:
                self._openings.clear()
            opening = self._openings[head] = _opening(head)
        if not opening or opening.endswith(b"}"):
            return opening
        return b"%b%b}" % (opening, frame[end : -_CHECKSUM.size].strip() or b"{}")


def _opening(head: bytes) -> bytes:
    """How the payload of frames with these headers begins; all of it where it is told in headers, b"" where they name no type."""
    try:
        headers = _headers(head)
    except (struct.error, IndexError):
        raise MalformedResponse("a frame of the event stream has headers that cannot be read", status=200) from None
    kind = headers.get(":message-type", "event")
    if kind == "error":
        return msgspec.json.encode({"error": {"type": headers.get(":error-code", ""), "message": headers.get(":error-message", "")}})
    name = headers.get(_NAMES[kind]) or _UNNAMED[kind] if kind in _NAMES else ""
    return b"{%b:" % msgspec.json.encode(name) if name else b""


def _headers(data: bytes) -> dict[str, str]:
    """The headers that hold a string."""
    found: dict[str, str] = {}
    at = 0
    while at < len(data):
        name_end = at + 1 + data[at]
        name, kind = data[at + 1 : name_end], data[name_end]
        at = name_end + 1
        size = _SIZES.get(kind, 0)
        if kind in (_BYTES, _STRING):
            size = _SHORT.unpack_from(data, at)[0]
            at += _SHORT.size
        elif kind not in _SIZES:
            raise IndexError(kind)
        if at + size > len(data):
            raise IndexError(at)
        if kind == _STRING:
            found[name.decode("utf-8", "replace")] = data[at : at + size].decode("utf-8", "replace")
        at += size
    return found
