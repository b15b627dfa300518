"""UTC days as ranges of generation ids.

An id begins with its time: the first 48 bits of a UUIDv7 are milliseconds since 1970 (RFC 9562, section 5.7). So all ids of a day lie
between two bounds of six bytes, of which the lower one is the first that can be of this day, and the upper one belongs to the next.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

MS_PER_DAY: Final = 86_400_000
LAST_DAY: Final = (1 << 48) // MS_PER_DAY - 1
"""The last day that 48 bits of milliseconds hold to its end."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def day_of(unix_ms: int) -> int:
    """The UTC day of a time, in whole days since 1970-01-01."""
    return unix_ms // MS_PER_DAY


def first_id(day: int) -> bytes:
    """The lower bound of all ids of this day and of later ones: six bytes, which sort before any id that begins with them.

    Raises OverflowError for a day before 1970 or after LAST_DAY + 1.
    """
    return (day * MS_PER_DAY).to_bytes(6, "big")


def date_of(day: int) -> str:
    """The day as people write it without dashes: `20261123`."""
    return f"{_EPOCH + timedelta(days=day):%Y%m%d}"
