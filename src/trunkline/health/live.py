"""The last five minutes of every endpoint, in memory: what routing knows of latency and throughput (contract 3.1).

Minutes are those of the Unix clock, as in storage, from which the window is filled at the start.
"""

import time
from collections.abc import Callable
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


class Live:
    """Slots by endpoint and minute. `clock` gives Unix seconds."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._slots: dict[str, list[tuple[int, Slot]]] = {}
        self._minute = 0

    def observe(self, record: GenerationRecord) -> None:
        """Count a generation that ended now."""
        self._minute = int(self._clock()) // 60
        observe(record, self._slot)

    def seed(self, minute: int, endpoint_id: str, slot: Slot) -> None:
        """Take over what storage knows of one minute (Unix time in minutes); told in order of time, before anything was observed."""
        self._minute = minute
        self._slot(endpoint_id).merge(slot)

    def percentiles(self, endpoint_id: str) -> tuple[Percentiles | None, Percentiles | None]:
        """Latency in seconds and throughput in tokens a second; None where too little was seen."""
        oldest = int(self._clock()) // 60 - MINUTES
        slots = [slot for minute, slot in self._slots.get(endpoint_id, ()) if minute > oldest]
        if not slots:
            self._slots.pop(endpoint_id, None)
            return None, None
        latency, throughput = Bins(), Bins()
        for slot in slots:
            histogram.merge(latency, slot.latency)
            histogram.merge(throughput, slot.throughput)
        return percentiles(latency, 1 / 1000), percentiles(throughput)

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
