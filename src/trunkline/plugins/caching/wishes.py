"""What a request says about caching its answer (contract 1.6, 4.5)."""

import re
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

ENABLE: Final = b"x-openrouter-cache"
TTL: Final = b"x-openrouter-cache-ttl"
CLEAR: Final = b"x-openrouter-cache-clear"
DEFAULT_SECONDS: Final = 300
MAX_SECONDS: Final = 86_400
_DIGITS: Final = re.compile(rb"\s*([0-9]+)")


class CachePreset(Struct, frozen=True):
    """What a preset says of caching: None = nothing."""

    enabled: bool | None = None
    ttl_seconds: int | None = None


NO_PRESET: Final = CachePreset()


class CacheWish(Struct, frozen=True):
    """An answer may be kept, and be one that was kept: for `seconds`; `clear` = not the one that lies there."""

    seconds: int
    clear: bool = False


def wish(headers: Mapping[bytes, bytes], preset: CachePreset = NO_PRESET) -> CacheWish | None:
    """What is wanted; None = no caching. A preset that switches it off wins over everything, then the header counts, then the preset."""
    said = _flag(headers.get(ENABLE))
    if preset.enabled is False or said is False or not (said or preset.enabled):
        return None
    seconds = ttl(headers.get(TTL))
    if seconds is None:
        seconds = DEFAULT_SECONDS if preset.ttl_seconds is None else _within(preset.ttl_seconds)
    return CacheWish(seconds, _flag(headers.get(CLEAR)) is True)


def ttl(value: bytes | None) -> int | None:
    """Seconds in a header: its leading digits, moved into 1..86400; None where it does not begin with any."""
    digits = None if value is None else _DIGITS.match(value)
    return None if digits is None else _within(int(digits[1][:10]))


def _within(seconds: int) -> int:
    return min(max(seconds, 1), MAX_SECONDS)


def _flag(value: bytes | None) -> bool | None:
    """`true` or `false` in any case; None for anything else."""
    return None if value is None else {b"true": True, b"false": False}.get(value.strip().lower())
