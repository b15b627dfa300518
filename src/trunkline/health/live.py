"""The last five minutes of every endpoint, in memory: what routing knows of latency and throughput (contract 3.1).

Minutes are those of the Unix clock, as in storage, from which the window is filled at the start. Where several processes serve, each is
told every few seconds what all of them stored, and uses that for endpoints of which it tells more than it saw itself.
"""

import time
from collections.abc import Callable, Mapping, Set
from typing import Final

from trunkline.analytics import histogram
from trunkline.analytics.histogram import Bins
from trunkline.analytics.slots import Slot, observe
from trunkline.protocol.generation import GenerationRecord
from trunkline.protocol.health import Percentiles

MINUTES: Final = 5
"""The minute that runs and the four before."""
LEAST: Final = 3
"""From fewer values no percentile is told."""
FRACTIONS: Final = (0.5, 0.75, 0.9, 0.99)
LATE: Final = (0.95,)
LEAST_FOR_LATE: Final = 20
"""The 95th percentile of fewer values would be the largest of them, or all but that."""
SHARED_SECONDS: Final = 30.0
"""How long what all processes stored may be used; it is told anew every few seconds while storage answers."""


class Live:
    """Slots by endpoint and minute. `clock` gives Unix seconds."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._slots: dict[str, list[tuple[int, Slot]]] = {}
        self._minute = 0
        self._shared: Mapping[str, Slot] = {}
        self._shared_until = 0.0

    def observe(self, record: GenerationRecord) -> None:
        """Count a generation that ended now."""
        self._minute = int(self._clock()) // 60
        observe(record, self._slot)

    def seed(self, minute: int, endpoint_id: str, slot: Slot) -> None:
        """Take over what storage knows of one minute (Unix time in minutes); told in order of time, before anything was observed."""
        self._minute = minute
        self._slot(endpoint_id).merge(slot)

    def share(self, stored: Mapping[str, Slot]) -> Set[str]:
        """Take over what all processes together, this one included, stored of these minutes. Returns the endpoints whose percentiles change
        by that."""
        before = self._shared
        self._shared = {one: slot for one, slot in stored.items() if slot.successes > sum([mine.successes for mine in self._recent(one)])}
        self._shared_until = self._clock() + SHARED_SECONDS
        return before.keys() | self._shared.keys()

    def percentiles(self, endpoint_id: str) -> tuple[Percentiles | None, Percentiles | None]:
        """Latency in seconds and throughput in tokens a second; None where too little was seen."""
        slots = self._recent(endpoint_id)
        if not slots:
            self._slots.pop(endpoint_id, None)
        if endpoint_id in self._shared and self._clock() < self._shared_until:
            slots = [self._shared[endpoint_id]]
        if not slots:
            return None, None
        latency, throughput = Bins(), Bins()
        for slot in slots:
            histogram.merge(latency, slot.latency)
            histogram.merge(throughput, slot.throughput)
        return percentiles(latency, 1 / 1000), percentiles(throughput)

    def late(self, endpoint_id: str) -> float | None:
        """Seconds within which 95 % of the streams had their first content; None where too few were seen."""
        latency = Bins()
        for slot in self._recent(endpoint_id):
            histogram.merge(latency, slot.latency)
        return histogram.quantiles(latency, LATE)[0] / 1000 if histogram.total(latency) >= LEAST_FOR_LATE else None

    def _recent(self, endpoint_id: str) -> list[Slot]:
        oldest = int(self._clock()) // 60 - MINUTES
        return [slot for minute, slot in self._slots.get(endpoint_id, ()) if minute > oldest]

    def _slot(self, endpoint_id: str) -> Slot:
        """The slot of the current minute."""
        slots = self._slots.get(endpoint_id)
        if slots is None:
            slots = self._slots[endpoint_id] = []
        if not slots or slots[-1][0] != self._minute:
            slots.append((self._minute, Slot()))
            del slots[:-MINUTES]
        return slots[-1][1]


def percentiles(bins: Bins, unit: float = 1.0) -> Percentiles | None:
    """Of one distribution, in units of `unit`; None when it has fewer than `LEAST` values."""
    if histogram.total(bins) < LEAST:
        return None
    return Percentiles(*[value * unit for value in histogram.quantiles(bins, FRACTIONS)])
