"""Identifiers: generation ids and API-key hashes.

A generation id on the wire is `gen-<unix seconds>-<base62 of a UUIDv7>`, OpenRouter's shape. Its 16 bytes are the primary key in storage,
ordered by time (RFC 9562, section 5.7); the text is derived from the bytes and back without a lookup.
"""

import hashlib
import re

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PAIRS = tuple(a + b for a in _ALPHABET for b in _ALPHABET)
_TWO, _FOUR = 62**2, 62**4
_VALUE = {letter: value for value, letter in enumerate(_ALPHABET)}
_TEXT_LENGTH = 22
_GENERATION = re.compile(rf"gen-(\d{{1,12}})-([0-9A-Za-z]{{{_TEXT_LENGTH}}})")
_API_KEY = re.compile(r"sk-or-v1-[0-9a-f]{64}")


def uuid7(unix_ms: int, random: bytes) -> bytes:
    """The 16 bytes of a UUIDv7 at `unix_ms` (milliseconds since 1970) with 10 bytes of randomness."""
    value = (unix_ms & 0xFFFF_FFFF_FFFF) << 80 | int.from_bytes(random, "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return value.to_bytes(16, "big")


def unix_ms(uuid: bytes) -> int:
    """The time inside a UUIDv7, in milliseconds since 1970."""
    return int.from_bytes(uuid[:6], "big")


def generation_text(uuid: bytes) -> str:
    """The wire form of a generation's 16 bytes."""
    value = int.from_bytes(uuid, "big")
    seconds = (value >> 80) // 1000
    text = ""
    for _ in range(_TEXT_LENGTH // 4):
        value, four = divmod(value, _FOUR)
        text = _PAIRS[four // _TWO] + _PAIRS[four % _TWO] + text
    return f"gen-{seconds}-{_PAIRS[value]}{text}"


def generation_bytes(text: str) -> bytes:
    """The 16 bytes of a wire id. Raises ValueError when it is none of ours."""
    match = _GENERATION.fullmatch(text)
    if match is None:
        raise ValueError("not a generation id")
    value = 0
    for letter in match[2]:
        value = value * 62 + _VALUE[letter]
    if value >> 128 or (value >> 80) // 1000 != int(match[1]):
        raise ValueError("not a generation id")
    return value.to_bytes(16, "big")


def is_api_key(text: str) -> bool:
    """Whether `text` has the form of a key: `sk-or-v1-` and 64 lower-case hex digits."""
    return _API_KEY.fullmatch(text) is not None


def key_hash(key: str) -> str:
    """The public id of a key: lower-case hex SHA-256 of the whole string. Only this is stored."""
    return hashlib.sha256(key.encode()).hexdigest()


def key_label(key: str) -> str:
    """The masked form that lists show: `sk-or-v1-0e6...1c96`."""
    return f"{key[:12]}...{key[-4:]}"
