"""Spending windows: a key's limit may reset every day, week or month, at 00:00 UTC; a week begins on Monday (contract 1.3).

Days are whole UTC days since 1970-01-01, which was a Thursday.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Literal

from msgspec import Struct

Reset = Literal["daily", "weekly", "monthly"]
RESETS: tuple[Reset, ...] = ("daily", "weekly", "monthly")

DAY_MS = 86_400_000
FIRST_DAY = -(2**31)
NO_END = 2**62
_EPOCH = date(1970, 1, 1)


class Window(Struct, frozen=True, gc=False):
    """The days `[first_day, ...]` that count now, until `end_ms` (exclusive, Unix milliseconds)."""

    first_day: int
    end_ms: int


def day_of(unix_ms: int) -> int:
    """The UTC day of a time in Unix milliseconds."""
    return unix_ms // DAY_MS


def day_text(day: int) -> str:
    """The day as `2026-11-23`."""
    return (_EPOCH + timedelta(days=day)).isoformat()


def window_at(reset: Reset | None, unix_ms: int) -> Window:
    """The window that holds `unix_ms`. Without a reset it holds all days and never ends."""
    if reset is None:
        return Window(FIRST_DAY, NO_END)
    day = day_of(unix_ms)
    if reset == "daily":
        return Window(day, (day + 1) * DAY_MS)
    if reset == "weekly":
        monday = day - (day + 3) % 7
        return Window(monday, (monday + 7) * DAY_MS)
    today = _EPOCH + timedelta(days=day)
    first = today.replace(day=1)
    following = (first + timedelta(days=31)).replace(day=1)
    return Window((first - _EPOCH).days, (following - _EPOCH).days * DAY_MS)


def window_start(reset: Reset, now: datetime) -> datetime:
    """The 00:00 UTC at which the window around `now` (any time zone) began."""
    return datetime.fromtimestamp(window_at(reset, int(now.timestamp() * 1000)).first_day * 86_400, UTC)


def next_reset(reset: Reset | None, unix_ms: int) -> str | None:
    """When the window around `unix_ms` ends, as `2026-11-24T00:00:00Z`; None without a reset."""
    if reset is None:
        return None
    return f"{day_text(day_of(window_at(reset, unix_ms).end_ms))}T00:00:00Z"
