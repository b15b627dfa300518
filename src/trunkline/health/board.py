"""What the workers of one server tell each other about endpoints: a file in memory in which each has a place and reads the others'.

A worker puts up all that it holds against endpoints and credentials whenever that changes, and looks at the others' about four times a
second while it has requests. Times are of the monotonic clock, which all processes of a machine share; what is over means nothing any
more, so that a dead worker's notices end by themselves. A place that is read while it is written is read again the next time.
"""

import os
import struct
import sys
import tempfile
from collections.abc import Mapping
from typing import Final
from zlib import crc32

import msgspec
from msgspec import Struct

from trunkline.protocol.health import Scope

PLACE_BYTES: Final = 64 * 1024
LOOK_SECONDS: Final = 0.25
MOST_NOTICES: Final = 400
"""More of each kind would not fit; the longest lasting go first."""
_HEAD: Final = struct.Struct("<QII")


class Notice(Struct, frozen=True, array_like=True, gc=False):
    """Until when an endpoint counts as failing, and until when as ejected; 0 = it does not."""

    failed_until: float
    ejected_until: float


class News(Struct, frozen=True):
    """What one worker, or all others together, hold against endpoints (by id) and credentials (by scope)."""

    endpoints: Mapping[str, Notice] = {}
    cooldowns: Mapping[Scope, float] = {}


class _Sheet(Struct, array_like=True):
    """News as they are stored."""

    endpoints: dict[str, Notice]
    cooldowns: list[tuple[str, str, float]]


def open_board(workers: int) -> int:
    """The descriptor of a fresh file with a place for each of so many workers; elsewhere than on Linux it lies on disk, without a name."""
    if sys.platform == "linux":
        descriptor = os.memfd_create("trunkline-board")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.ftruncate(descriptor, workers * PLACE_BYTES)
    return descriptor


class Board:
    """The place of worker `number`, and a view of the others'."""

    def __init__(self, descriptor: int, number: int) -> None:
        self._descriptor = descriptor
        self._number = number
        self._others = [one for one in range(os.fstat(descriptor).st_size // PLACE_BYTES) if one != number]
        self._sequence = _HEAD.unpack(os.pread(descriptor, _HEAD.size, number * PLACE_BYTES))[0]
        self._seen: dict[int, int] = {}
        self._sheets: dict[int, _Sheet] = {}
        self._look_at = 0.0
        self.publish(News())

    def publish(self, news: News) -> None:
        """Put up what this worker holds against others."""
        endpoints = sorted(news.endpoints.items(), key=lambda one: -max(one[1].failed_until, one[1].ejected_until))
        cooldowns = sorted(news.cooldowns.items(), key=lambda one: -one[1])
        sheet = _Sheet(dict(endpoints[:MOST_NOTICES]), [(*scope, until) for scope, until in cooldowns[:MOST_NOTICES]])
        data = msgspec.msgpack.encode(sheet)
        if len(data) > PLACE_BYTES - _HEAD.size:
            data = msgspec.msgpack.encode(_Sheet({}, []))
        self._sequence += 1
        os.pwrite(self._descriptor, _HEAD.pack(self._sequence, len(data), crc32(data)) + data, self._number * PLACE_BYTES)

    def is_due(self, now: float) -> bool:
        """Whether it is time to look again (monotonic seconds)."""
        return now >= self._look_at

    def read(self, now: float) -> News | None:
        """What the other workers hold against endpoints; None when nothing changed since the last look."""
        self._look_at = now + LOOK_SECONDS
        changed = [number for number in self._others if self._look(number)]
        if not changed:
            return None
        endpoints: dict[str, Notice] = {}
        cooldowns: dict[Scope, float] = {}
        for sheet in self._sheets.values():
            for id, notice in sheet.endpoints.items():
                known = endpoints.get(id, notice)
                endpoints[id] = Notice(max(known.failed_until, notice.failed_until), max(known.ejected_until, notice.ejected_until))
            for credential, model, until in sheet.cooldowns:
                cooldowns[credential, model] = max(until, cooldowns.get((credential, model), 0.0))
        return News(endpoints, cooldowns)

    def _look(self, number: int) -> bool:
        """Whether this worker's place has something new that could be read whole."""
        start = number * PLACE_BYTES
        sequence, length, check = _HEAD.unpack(os.pread(self._descriptor, _HEAD.size, start))
        if sequence == self._seen.get(number, 0):
            return False
        data = os.pread(self._descriptor, min(length, PLACE_BYTES - _HEAD.size), start + _HEAD.size)
        if crc32(data) != check:
            return False
        self._sheets[number] = msgspec.msgpack.decode(data, type=_Sheet)
        self._seen[number] = sequence
        return True
