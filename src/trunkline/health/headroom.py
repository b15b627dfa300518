"""How much of its rate limit an upstream says is left, from the headers of its answers. It weighs in the choice and forbids nothing.

Sources: platform.openai.com/docs/guides/rate-limits, "Rate limits in headers"; docs.anthropic.com/en/api/rate-limits, "Response headers".
"""

from collections.abc import Callable
from typing import Final

Header = Callable[[bytes], bytes | None]

ENOUGH: Final = 0.5
"""With this fraction left or more an endpoint has all the room it wants."""
_STEP: Final = 0.05
_PAIRS: Final = (
    (b"x-ratelimit-remaining-requests", b"x-ratelimit-limit-requests"),
    (b"x-ratelimit-remaining-tokens", b"x-ratelimit-limit-tokens"),
    (b"anthropic-ratelimit-requests-remaining", b"anthropic-ratelimit-requests-limit"),
    (b"anthropic-ratelimit-tokens-remaining", b"anthropic-ratelimit-tokens-limit"),
)
LIMIT_HEADERS: Final = frozenset(remaining for remaining, _ in _PAIRS)
"""An answer without any of these says nothing."""
_MOST_DIGITS: Final = 15


def headroom(header: Header) -> float | None:
    """The smallest fraction that any limit has left, in steps of 1/20, 1 for half of it and more; None when the headers name no limit.

    `header` gives the value of a lower-case header name.
    """
    least: float | None = None
    for remaining_name, limit_name in _PAIRS:
        remaining = header(remaining_name)
        if remaining is not None:
            fraction = _fraction(remaining, header(limit_name) or b"")
            if fraction is not None and (least is None or fraction < least):
                least = fraction
    return least


def _fraction(remaining: bytes, limit: bytes) -> float | None:
    if not (remaining.isdigit() and limit.isdigit() and len(remaining) <= _MOST_DIGITS and len(limit) <= _MOST_DIGITS):
        return None
    most = int(limit)
    if not most:
        return None
    fraction = int(remaining) / most
    return 1.0 if fraction >= ENOUGH else round(int(fraction / _STEP) * _STEP, 2)
