"""The recorders' counters of all workers of one server, so that whichever is asked can tell the sum.

They lie in a file in memory that the parent opens before it starts workers, with a slot of four numbers for each. A worker writes its own
slot about once a second and reads the others'. What a dead worker lost stays counted: the next one in its slot adds to it.
"""

import os
import struct
import sys
import tempfile
from collections.abc import Mapping
from typing import Final

PASSING: Final = ("waiting",)
LASTING: Final = ("lost", "rejected", "dropped")
_SLOT: Final = struct.Struct("<4Q")


def open_tally(workers: int) -> int:
    """The descriptor of a fresh file with slots for so many workers; elsewhere than on Linux it lies on disk, without a name."""
    if sys.platform == "linux":
        descriptor = os.memfd_create("trunkline-tally")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.pwrite(descriptor, bytes(workers * _SLOT.size), 0)
    return descriptor


class Tally:
    """The slot of worker `number`, and a view of all. Counters are `metering.recorder.Recorder.counters`."""

    def __init__(self, descriptor: int, number: int) -> None:
        self._descriptor = descriptor
        self._number = number
        self._inherited = {name: self._slots()[number][name] for name in LASTING}

    def publish(self, own: Mapping[str, int]) -> None:
        """Shows this worker's counters to the others."""
        slot = [own[name] for name in PASSING] + [own[name] + self._inherited[name] for name in LASTING]
        os.pwrite(self._descriptor, _SLOT.pack(*slot), self._number * _SLOT.size)

    def total(self, own: Mapping[str, int]) -> dict[str, int]:
        """The sum over all workers: this one's as they are now, the others' as they last showed them."""
        slots = self._slots()
        slots[self._number] = {**own, **{name: own[name] + self._inherited[name] for name in LASTING}}
        return {name: sum(slot[name] for slot in slots) for name in (*PASSING, *LASTING)}

    def _slots(self) -> list[dict[str, int]]:
        data = os.pread(self._descriptor, os.fstat(self._descriptor).st_size, 0)
        return [dict(zip((*PASSING, *LASTING), slot, strict=True)) for slot in _SLOT.iter_unpack(data)]
