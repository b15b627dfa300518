"""How long to wait between two starts of a child that keeps crashing."""

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 10.0
STEADY = 60.0
"""A start this many seconds after the one before it counts as the first again."""


class Backoff:
    """Pauses of 0.2 s, 0.4 s, 0.8 s ... 10 s, counted from start to start. All times are seconds of one monotonic clock."""

    def __init__(self) -> None:
        self.starts = 0
        self._failures = 0
        self._last_start = 0.0

    def remaining(self, now: float) -> float:
        """Seconds until the child may be started; 0 for at once."""
        if not self.starts or now - self._last_start >= STEADY:
            return 0.0
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(self._failures, 16))
        return max(0.0, self._last_start + pause - now)

    def started(self, now: float) -> None:
        """Takes note of a start. One that follows soon after another counts as a failure of that other."""
        recent = self.starts > 0 and now - self._last_start < STEADY
        self._failures = self._failures + 1 if recent else 0
        self.starts += 1
        self._last_start = now
