"""The retry budget: repeating requests at the same endpoint must not become the load that keeps it down (adapters 4.4, Finagle's defaults).

Going on to another endpoint is no retry in this sense.
"""

import time
from collections.abc import Callable
from typing import Final

WINDOW_SECONDS: Final = 10
SHARE: Final = 0.2
FLOOR_A_SECOND: Final = 10
"""So many retries a second are allowed however few requests there are."""


class RetryBudget:
    """Allows retries up to a fifth of the requests of the last ten seconds, and a few more."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._slots = [[-WINDOW_SECONDS, 0, 0] for _ in range(WINDOW_SECONDS)]

    def request(self) -> None:
        """Count a request, once however often it is tried."""
        self._slot(int(self._clock()))[1] += 1

    def retry(self) -> bool:
        """Whether a retry may be made now; it is counted."""
        now = int(self._clock())
        slot = self._slot(now)
        recent = [one for one in self._slots if one[0] > now - WINDOW_SECONDS]
        allowed = int(SHARE * sum(one[1] for one in recent)) + FLOOR_A_SECOND * WINDOW_SECONDS
        if sum(one[2] for one in recent) >= allowed:
            return False
        slot[2] += 1
        return True

    def _slot(self, second: int) -> list[int]:
        """This second's: when it is, requests, retries."""
        slot = self._slots[second % WINDOW_SECONDS]
        if slot[0] != second:
            slot[:] = (second, 0, 0)
        return slot
