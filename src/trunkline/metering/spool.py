"""The spool of one worker: its finished records in files that outlive the process until ledger and generation store hold them.

Segments are files `<owner>.<number>.seg` of the spool folder; the worker owns them while it holds the lock `<owner>.lock` (`ownership`).
A frame (`segments`) goes out in one `os.write` without fsync: it survives the death of the process, not a power cut. A segment is deleted
when it is full and every record in it is settled.
"""

import logging
import os
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from trunkline.metering import segments
from trunkline.metering.ownership import Ownership, claim, claim_new, owners
from trunkline.protocol.generation import GenerationRecord

SEGMENT_BYTES: Final = 1024 * 1024
_ALARM_SECONDS: Final = 60.0
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC

log = logging.getLogger(__name__)


class Place(Struct, frozen=True, gc=False):
    """Where a record lies: a segment's number and the bytes `[start, end)` in it."""

    segment: int
    start: int
    end: int


class Spool:
    """Appends from one thread; settling and reading may come from others. `lost` counts records that have no copy here, wherever else."""

    def __init__(self, folder: Path, worker_id: str, *, segment_bytes: int = SEGMENT_BYTES) -> None:
        """Takes a place in `folder`, which is made for its owner only. Raises OSError when it cannot be used."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.lost = 0
        self._folder = folder
        self._ownership = claim_new(folder, worker_id)
        self._segment_bytes = segment_bytes
        self._lock = threading.Lock()
        self._unsettled: dict[int, int] = {}
        self._segment = 0
        self._descriptor = -1
        self._offset = 0
        self._alarmed_at = -_ALARM_SECONDS

    def append(self, record: GenerationRecord) -> Place | None:
        """Writes `record` and tells where; None when that failed, which is counted, logged once a minute, and holds up nobody."""
        try:
            frame = segments.frame(record)
            if self._descriptor < 0 or self._offset >= self._segment_bytes:
                self._rotate()
            written = os.write(self._descriptor, frame)
            if written != len(frame):
                self._cut_tail()
                raise OSError(f"only {written} of {len(frame)} bytes were written")
        except (OSError, ValueError, OverflowError) as error:
            self._count_loss(error)
            return None
        start = self._offset
        self._offset = start + written
        with self._lock:
            self._unsettled[self._segment] += 1
        return Place(self._segment, start, self._offset)

    def settle(self, counts: Mapping[int, int]) -> None:
        """Counts records as held elsewhere, by segment, and deletes the segments that are done."""
        with self._lock:
            for segment, count in counts.items():
                self._unsettled[segment] -= count
            done = [segment for segment, left in self._unsettled.items() if not left and segment != self._segment]
            for segment in done:
                del self._unsettled[segment]
        for segment in done:
            self._path(segment).unlink(missing_ok=True)

    def read(self, segment: int, start: int, end: int) -> list[GenerationRecord]:
        """The records between two offsets of one of this worker's segments. Raises OSError or msgspec.DecodeError."""
        return segments.read(self._path(segment), start, end)

    def find(self, id: bytes) -> GenerationRecord | None:
        """The record with this id in any worker's segments. A segment that goes meanwhile is skipped: the store has it then."""
        for path in sorted(self._folder.glob("*.seg"), key=_number, reverse=True):
            try:
                record = segments.find(path, id)
            except (OSError, msgspec.DecodeError):
                continue
            if record is not None:
                return record
        return None

    def orphans(self) -> Iterator["Orphan"]:
        """The spools of dead workers, each taken over so that no other worker replays it too."""
        for owner in owners(self._folder):
            ownership = None if owner == self._ownership.owner else claim(self._folder, owner)
            if ownership is not None:
                yield Orphan(self._folder, ownership)

    def close(self) -> None:
        """Closes the spool; without unsettled records its files go, else the next start replays them."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        with self._lock:
            empty = not any(self._unsettled.values())
            if empty:
                for segment in self._unsettled:
                    self._path(segment).unlink(missing_ok=True)
                self._unsettled.clear()
        self._ownership.release(remove=empty)

    def _rotate(self) -> None:
        try:
            descriptor = os.open(self._path(self._segment + 1), _NEW, 0o600)
        except OSError:
            if self._descriptor < 0:
                raise
            return  # for instance out of descriptors: the full segment takes more
        if self._descriptor >= 0:
            os.close(self._descriptor)
        with self._lock:
            self._segment += 1
            self._unsettled[self._segment] = 0
        self._descriptor = descriptor
        self._offset = 0

    def _cut_tail(self) -> None:
        """Removes half a frame, so that what is appended next can be read; where that fails, the next record begins a new segment."""
        try:
            os.ftruncate(self._descriptor, self._offset)
        except OSError:
            os.close(self._descriptor)
            self._descriptor = -1

    def _count_loss(self, error: Exception) -> None:
        self.lost += 1
        now = time.monotonic()
        if now - self._alarmed_at >= _ALARM_SECONDS:
            self._alarmed_at = now
            log.error("the spool cannot be written, %d records since the start have no copy in it: %s", self.lost, error)

    def _path(self, segment: int) -> Path:
        return self._folder / f"{self._ownership.owner}.{segment:08d}.seg"


class Orphan:
    """The segments of a dead worker, owned by this process until `finish`."""

    def __init__(self, folder: Path, ownership: Ownership) -> None:
        self.worker_id = ownership.worker_id
        self._folder = folder
        self._ownership = ownership

    def segments(self) -> list[Path]:
        """The files, oldest first."""
        return sorted(self._folder.glob(f"{self._ownership.owner}.*.seg"), key=_number)

    def finish(self) -> None:
        """Gives the lock free, with its file when no segment is left."""
        self._ownership.release(remove=not self.segments())


def _number(path: Path) -> int:
    number = path.name.split(".")[1]
    return int(number) if number.isdigit() else 0
