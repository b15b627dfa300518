"""Records that wait for the databases: in memory up to a bound, beyond it as ranges of the spool. One lock guards both."""

import threading
from collections.abc import Iterable
from itertools import islice
from typing import Final

from msgspec import Struct

from trunkline.metering.judge import Evidence
from trunkline.metering.spool import Place
from trunkline.protocol.generation import GenerationRecord

EVIDENCE_BYTES: Final = 32 * 1024 * 1024
"""Evidence waits in memory only; beyond this it is dropped, and its answer stays unjudged."""


class Waiting(Struct, frozen=True, gc=False):
    """A record in memory, with where the spool has it (None: nowhere)."""

    record: GenerationRecord
    evidence: Evidence | None
    place: Place | None


class Backlog:
    """Filled by the request path, emptied by the writer thread. A record leaves only by `done`, so that it can be found until it is stored.

    From the moment that memory is full, all further records stay in the spool alone, until the writer has read that part of it again.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._lock = threading.Lock()
        self._waiting: dict[bytes, Waiting] = {}
        self._spooled: dict[int, Place] = {}
        self._evidence_bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def is_empty(self) -> bool:
        return not self._waiting and not self._spooled

    def add(self, record: GenerationRecord, evidence: Evidence | None, place: Place | None) -> bool:
        """Takes a record; False when it cannot be kept: its id waits already, or memory is full and the spool does not have it either."""
        with self._lock:
            if record.id in self._waiting:
                return False
            if self._spooled or len(self._waiting) >= self._capacity:
                return place is not None and self._leave_in_spool(place)
            if evidence is not None:
                evidence = self._admit(evidence)
            self._waiting[record.id] = Waiting(record, evidence, place)
            return True

    def get(self, id: bytes) -> GenerationRecord | None:
        """The record in memory with this id."""
        waiting = self._waiting.get(id)
        return None if waiting is None else waiting.record

    def peek(self, limit: int) -> list[Waiting]:
        """The oldest records in memory, which stay here until `done`."""
        with self._lock:
            return list(islice(self._waiting.values(), limit))

    def done(self, batch: Iterable[Waiting]) -> None:
        """Forgets records that are stored."""
        with self._lock:
            for waiting in batch:
                self._waiting.pop(waiting.record.id, None)
                if waiting.evidence is not None:
                    self._evidence_bytes -= waiting.evidence.size

    def oldest_spooled(self) -> Place | None:
        """The oldest range of records that only the spool has. It stays until `read_up_to`."""
        with self._lock:
            return next(iter(self._spooled.values()), None)

    def read_up_to(self, place: Place) -> None:
        """Forgets a range that was read and stored; what was appended to its segment meanwhile stays."""
        with self._lock:
            now = self._spooled.pop(place.segment)
            if now.end > place.end:
                self._spooled = {place.segment: Place(place.segment, place.end, now.end), **self._spooled}

    def _leave_in_spool(self, place: Place) -> bool:
        known = self._spooled.get(place.segment)
        self._spooled[place.segment] = place if known is None else Place(place.segment, known.start, place.end)
        return True

    def _admit(self, evidence: Evidence) -> Evidence | None:
        size = evidence.size
        if self._evidence_bytes + size > EVIDENCE_BYTES:
            return None
        self._evidence_bytes += size
        return evidence
