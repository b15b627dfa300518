"""Reads what endpoints did lately: windows of minutes or hours that slide along, of which each look reads only what may have changed."""

from collections.abc import Iterator, Sequence
from typing import Final

from sqlalchemy import Table

from trunkline.analytics.endpoint_rollup import unpack
from trunkline.analytics.slots import COUNTERS, HISTOGRAMS, Slot
from trunkline.storage.connection import Connection

AGAIN: Final = 3
"""So many of the newest slots are read again each time: batches are stored some seconds late."""
ANEW: Final = 60
"""After so many looks the whole window is read, for generations that waited for an outage or a restart to end."""
_TOOLS: Final = (
    "SELECT endpoint_id, sum(tool_requests), sum(tool_failures) FROM endpoint_minute "
    "WHERE slot >= ? AND tool_requests > 0 GROUP BY endpoint_id"
)


class Window:
    """The last `length` slots of `table`, the one that runs included, by endpoint. Without `distributions` only counters are kept."""

    def __init__(self, table: Table, length: int, *, distributions: bool = True) -> None:
        self._length = length
        columns = ("slot", "endpoint_id", *COUNTERS, *(("distributions",) if distributions else ()))
        self._query = f"SELECT {', '.join(columns)} FROM {table.name} WHERE slot >= ?"  # noqa: S608 - names of ours
        self._slots: dict[str, dict[int, Slot]] = {}
        self._now = 0
        self._looks = 0

    def read(self, connection: Connection, now: int) -> None:
        """Bring the window up to date; `now` is the number of the slot that runs. Raises what `connection` raises."""
        whole = self._looks % ANEW == 0 or now - self._now >= AGAIN
        first = now - (self._length if whole else min(AGAIN, self._length)) + 1
        rows = connection.execute(self._query, (first,)).fetchall()
        self._looks += 1
        self._now = now
        self._forget(now - self._length, first)
        for number, endpoint_id, *values in rows:
            self._slots.setdefault(endpoint_id, {})[number] = slot_of(values)

    def endpoints(self) -> Sequence[str]:
        """The ids of the endpoints that did something."""
        return tuple(self._slots)

    def newest(self, endpoint_id: str, length: int) -> Slot:
        """The sum over the last `length` slots."""
        total = Slot()
        for number, slot in self._slots.get(endpoint_id, {}).items():
            if number > self._now - length:
                total.merge(slot)
        return total

    def since(self, first: int) -> Iterator[tuple[int, str, Slot]]:
        """The slots from number `first` on, in order of time."""
        found = [(number, id, slot) for id, slots in self._slots.items() for number, slot in slots.items() if number >= first]
        yield from sorted(found, key=lambda one: one[:2])

    def _forget(self, oldest: int, first: int) -> None:
        """Drop what is too old, and what was read anew."""
        for endpoint_id, slots in list(self._slots.items()):
            kept = {number: slot for number, slot in slots.items() if oldest < number < first}
            if kept:
                self._slots[endpoint_id] = kept
            else:
                del self._slots[endpoint_id]


def tool_counts(connection: Connection, first: int) -> dict[str, tuple[int, int]]:
    """By endpoint: answers that called a tool, and those among them with a bad call, since the minute `first`."""
    return {id: (int(requests), int(failures)) for id, requests, failures in connection.execute(_TOOLS, (first,))}


def slot_of(values: Sequence[object]) -> Slot:
    """The slot of a row's COUNTERS, and its distributions where the row has them."""
    slot = Slot()
    for name, value in zip(COUNTERS, values, strict=False):
        setattr(slot, name, value)
    if len(values) > len(COUNTERS):
        packed = values[len(COUNTERS)]
        assert packed is None or isinstance(packed, bytes)  # noqa: S101 - the type of the column
        for name, bins in zip(HISTOGRAMS, unpack(packed), strict=False):
            setattr(slot, name, bins)
    return slot
