"""How long a sound is, in milliseconds: read from the head of a WAVE file, else guessed from the number of bytes."""

import struct
from typing import Final

GUESSED_BYTES_A_SECOND: Final = 16_000
"""128 kbit/s, the usual rate of an MP3."""
_HEAD: Final = 12


def milliseconds(audio: bytes) -> int:
    """The length of a sound. Exact for WAVE (RIFF chunks, little-endian), a guess for compressed sound."""
    exact = _wave(audio)
    return -(-len(audio) * 1000 // GUESSED_BYTES_A_SECOND) if exact is None else exact


def _wave(audio: bytes) -> int | None:
    if audio[:4] != b"RIFF" or audio[8:12] != b"WAVE":
        return None
    at, rate = _HEAD, 0
    while at + 8 <= len(audio):
        kind, size = struct.unpack_from("<4sI", audio, at)
        if kind == b"fmt " and at + 20 <= len(audio):
            rate = struct.unpack_from("<I", audio, at + 16)[0]
        elif kind == b"data":
            return -(-min(size, len(audio) - at - 8) * 1000 // rate) if rate else None
        at += 8 + size + size % 2
    return None
