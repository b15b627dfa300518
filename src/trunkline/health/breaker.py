"""The breaker of one endpoint: remembers outages, ejects what fails too often, and lets one request at a time try it again (adapters 4.4).

Times are seconds of the monotonic clock, which callers pass in. Ejected endpoints are tried last, never left out (contract 3.2).
"""

from typing import Final

OUTAGE_SECONDS: Final = 30.0
"""For so long a failure counts as a recent outage (contract 3.2, step 1)."""
CONSECUTIVE_FAILURES: Final = 5
LEAST_REQUESTS: Final = 10
FAILURE_RATE: Final = 0.5
EJECTION_SECONDS: Final = 30.0
LONGEST_EJECTION_SECONDS: Final = 300.0
JITTER: Final = 0.1
PROBE_SECONDS: Final = 60.0
"""A probe of which nothing was heard for so long is forgotten."""
_SLOT_SECONDS: Final = 5
_SLOTS: Final = 6


class Breaker:
    """Counts outcomes of one endpoint. `failures` are those since its last success, which count until `failed_until`.

    `ejected_until` is 0 while the endpoint is in use; once that time has passed it is half open, until a success closes the breaker or a
    failure ejects it again, for longer.
    """

    __slots__ = (
        "_by_rate",
        "_calm_since",
        "_consecutive",
        "_ejections",
        "_slots",
        "_troubled",
        "ejected_until",
        "failed_until",
        "failures",
        "probe_until",
    )

    def __init__(self) -> None:
        self.failures = 0
        self.failed_until = 0.0
        self.ejected_until = 0.0
        self.probe_until = 0.0
        self._consecutive = 0
        self._ejections = 0
        self._by_rate = False
        self._calm_since = 0.0
        self._troubled = False
        self._slots = _no_outcomes()

    @property
    def quiet(self) -> bool:
        """Whether nothing is held against the endpoint."""
        return not self._troubled

    def succeed(self, now: float) -> bool:
        """Count a success; returns whether that changed what is held against the endpoint."""
        self._slot(now)[1] += 1
        return self._troubled and self._recover(now)

    def fail(self, now: float, draw: float, *, late: bool = False) -> None:
        """Count a failure that speaks against the endpoint; a `late` one was counted as a success when it began to answer. `draw` in [0, 1)
        spreads the ends of ejections."""
        slot = self._slot(now)
        slot[2] += 1
        if late and slot[1]:
            slot[1] -= 1
        self._troubled = True
        self._consecutive += 1
        self.failures = self.failures + 1 if now < self.failed_until else 1
        self.failed_until = now + OUTAGE_SECONDS
        if now < self.ejected_until:
            return
        by_rate = self._fails_often(now)
        if self.ejected_until or by_rate or self._consecutive >= CONSECUTIVE_FAILURES:
            self._eject(now, draw, by_rate=by_rate and self._consecutive < CONSECUTIVE_FAILURES)

    def rest(self, until: float) -> None:
        """Leave the endpoint alone until then, as it asked to be or because it cannot serve."""
        self._troubled = True
        self.ejected_until = max(self.ejected_until, until)

    def begin(self, now: float) -> bool:
        """Before a request is sent: False when the endpoint is half open and another request is trying it."""
        if not self.ejected_until or now < self.ejected_until:
            return True
        if now < self.probe_until:
            return False
        self.probe_until = now + PROBE_SECONDS
        return True

    def release(self) -> None:
        """A request ended without an outcome, so that another may try a half open endpoint."""
        self.probe_until = 0.0

    def _slot(self, now: float) -> list[int]:
        """The outcomes of these five seconds: when they are, successes, failures."""
        at = int(now) // _SLOT_SECONDS
        slot = self._slots[at % _SLOTS]
        if slot[0] != at:
            slot[:] = (at, 0, 0)
        return slot

    def _fails_often(self, now: float) -> bool:
        oldest = int(now) // _SLOT_SECONDS - _SLOTS
        recent = [slot for slot in self._slots if slot[0] > oldest]
        failures = sum(slot[2] for slot in recent)
        total = failures + sum(slot[1] for slot in recent)
        return total >= LEAST_REQUESTS and failures >= FAILURE_RATE * total

    def _eject(self, now: float, draw: float, *, by_rate: bool) -> None:
        self._ejections += 1
        seconds = EJECTION_SECONDS * self._ejections * (1 + JITTER * draw)
        self.ejected_until = now + min(seconds, LONGEST_EJECTION_SECONDS)
        self.probe_until = 0.0
        self._by_rate = by_rate
        self._consecutive = 0

    def _recover(self, now: float) -> bool:
        """A success closes the breaker; one of an endpoint that fails every other time does so only when its ejection is over. Each
        calm half minute afterwards lets one earlier ejection be forgotten."""
        self.failures = self._consecutive = 0
        self.failed_until = 0.0
        if self.ejected_until and not (self._by_rate and now < self.ejected_until):
            self.ejected_until = self.probe_until = 0.0
            self._calm_since = now
            self._slots = _no_outcomes()
        elif self._ejections and not self.ejected_until and now - self._calm_since >= EJECTION_SECONDS:
            self._ejections -= 1
            self._calm_since = now
        self._troubled = bool(self._ejections or self.ejected_until)
        return True


def _no_outcomes() -> list[list[int]]:
    return [[-_SLOTS, 0, 0] for _ in range(_SLOTS)]
