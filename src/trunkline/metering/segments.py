"""Segments of the spool as bytes: frames of records, their reading and their search.

A frame is the length and the CRC-32 of the payload (four bytes each, little-endian), then the payload: a `GenerationRecord` in msgpack.
What follows a torn or damaged frame (or the zeros that a power cut may leave) is not read: nothing was acknowledged that is not in a
whole frame.
"""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from trunkline.protocol.generation import GenerationRecord

MAX_PAYLOAD: Final = 16 * 1024 * 1024
_HEAD: Final = struct.Struct("<II")
_ENCODE: Final = msgspec.msgpack.Encoder().encode
_DECODER: Final = msgspec.msgpack.Decoder(GenerationRecord)


def frame(record: GenerationRecord) -> bytes:
    """The frame of `record`. Raises ValueError or OverflowError for what msgpack cannot hold."""
    payload = _ENCODE(record)
    return _HEAD.pack(len(payload), zlib.crc32(payload)) + payload


def payloads(data: bytes, start: int = 0) -> Iterator[tuple[int, memoryview]]:
    """(offset of the next frame, payload) of every whole frame from `start` on, up to the first that is torn or damaged."""
    view = memoryview(data)
    while start + _HEAD.size <= len(view):
        length, checksum = _HEAD.unpack_from(view, start)
        end = start + _HEAD.size + length
        payload = view[start + _HEAD.size : end]
        if not 0 < length <= MAX_PAYLOAD or len(payload) != length or zlib.crc32(payload) != checksum:
            return
        yield end, payload
        start = end


def read(path: Path, start: int = 0, end: int | None = None) -> list[GenerationRecord]:
    """The records of a segment between two offsets. Raises OSError when it cannot be read.

    A whole frame that is no record (a newer release wrote it) ends the reading with `msgspec.DecodeError`: it must not be deleted as if
    it were read.
    """
    with path.open("rb") as file:
        file.seek(start)
        data = file.read() if end is None else file.read(end - start)
    return [_DECODER.decode(payload) for _, payload in payloads(data)]


def find(path: Path, id: bytes) -> GenerationRecord | None:
    """The record with this id, when the segment holds it. Raises OSError when it cannot be read."""
    data = path.read_bytes()
    if id not in data:
        return None
    for _, payload in payloads(data):
        if id in bytes(payload):
            record = _DECODER.decode(payload)
            if record.id == id:
                return record
    return None
