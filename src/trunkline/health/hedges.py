"""How many requests may be sent to a second endpoint because the first one is slow: a small share of all, so that hedging does not become
the load that it is meant to dodge (adapters 4.4; Dean and Barroso, "The Tail at Scale", 2013).
"""

import time
from collections.abc import Callable
from typing import Final

WINDOW_SECONDS: Final = 60


class HedgeBudget:
    """Allows hedges up to `share` of the requests of the last minute, and none beyond: with 2 %, the first is allowed after fifty requests.

    `started` counts the hedges since the beginning, `won` those of them that were faster.
    """

    def __init__(self, share: float = 0.0, clock: Callable[[], float] = time.monotonic) -> None:
        self.share = share
        self.started = 0
        self.won = 0
        self._clock = clock
        self._slots = [[-WINDOW_SECONDS, 0, 0] for _ in range(WINDOW_SECONDS)]

    def request(self) -> None:
        """Count a request, once however often it is tried."""
        self._slot(int(self._clock()))[1] += 1

    def allows(self) -> bool:
        """Whether a hedge may be made now."""
        oldest = int(self._clock()) - WINDOW_SECONDS
        recent = [one for one in self._slots if one[0] > oldest]
        return sum(one[2] for one in recent) < int(self.share * sum(one[1] for one in recent))

    def start(self) -> None:
        """Count a hedge."""
        self._slot(int(self._clock()))[2] += 1
        self.started += 1

    def _slot(self, second: int) -> list[int]:
        """This second's: when it is, requests, hedges."""
        slot = self._slots[second % WINDOW_SECONDS]
        if slot[0] != second:
            slot[:] = (second, 0, 0)
        return slot
