"""What one worker says to another about a batch: frames on a stream socket, each a length (four bytes, little-endian) and msgpack.

A `Parcel` goes to the worker that writes for all, a `Receipt` comes back when the databases hold it, or say why not.
"""

import socket
import struct
from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from trunkline.protocol.generation import GenerationRecord

MAX_BYTES: Final = 16 * 1024 * 1024
"""The longest message. A batch of a thousand records has about half a megabyte."""
STALL_SECONDS: Final = 5.0
"""How long the rest of a message may take once it has begun."""
_LENGTH: Final = struct.Struct("<I")
_CHUNK: Final = 256 * 1024
_ENCODE: Final = msgspec.msgpack.Encoder().encode
T = TypeVar("T")


class Parcel(Struct, frozen=True, array_like=True, gc=False):
    """A batch; `worker_id` names the worker that served it, whose leases it charges."""

    worker_id: str
    records: Sequence[GenerationRecord]


class Receipt(Struct, frozen=True, array_like=True, gc=False):
    """`problem` is empty when the batch is stored, but for `rejected` records that fit no database; else it says why it is not."""

    rejected: int = 0
    problem: str = ""


PARCELS: Final = msgspec.msgpack.Decoder(Parcel)
RECEIPTS: Final = msgspec.msgpack.Decoder(Receipt)


def frame(message: Parcel | Receipt) -> bytes:
    """The message as it goes over the socket, which may be too long for it. Raises ValueError or OverflowError for what msgpack cannot
    hold."""
    payload = _ENCODE(message)
    return _LENGTH.pack(len(payload)) + payload


def fits(letter: bytes) -> bool:
    """Whether a frame is short enough to be sent."""
    return len(letter) <= _LENGTH.size + MAX_BYTES


def receive(connection: socket.socket, decoder: msgspec.msgpack.Decoder[T], wait: float | None = None) -> T | None:
    """The next message, or None when the other side has ended. Waits `wait` seconds for it to begin, or for ever.

    Raises OSError when it is torn or late, msgspec.DecodeError when it is no such message or too long.
    """
    connection.settimeout(wait)
    start = connection.recv(_LENGTH.size)
    if not start:
        return None
    connection.settimeout(STALL_SECONDS)
    (length,) = _LENGTH.unpack(start + _read(connection, _LENGTH.size - len(start)))
    if length > MAX_BYTES:
        raise msgspec.DecodeError(f"a message of {length} bytes")
    return decoder.decode(_read(connection, length))


def _read(connection: socket.socket, count: int) -> bytes:
    """Exactly `count` bytes; memory is taken as they come, not as they are promised."""
    parts = []
    while count:
        part = connection.recv(min(count, _CHUNK))
        if not part:
            raise ConnectionResetError("the message is torn")
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
