import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
import pytest

from trunkline.metering import writer_thread
from trunkline.metering.backlog import Backlog
from trunkline.metering.judge import Evidence
from trunkline.metering.spool import Spool
from trunkline.metering.tool_calls import ToolEvidence
from trunkline.metering.writer_thread import WriterThread
from trunkline.protocol.generation import GenerationRecord

Make = Callable[..., GenerationRecord]


class Batches:
    """Takes batches in place of the databases, and fails as told."""

    def __init__(self) -> None:
        self.written: list[tuple[str, list[GenerationRecord]]] = []
        self.failures: list[Exception] = []
        self.closed = 0

    def write(self, worker_id: str, records: Sequence[GenerationRecord]) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.written.append((worker_id, list(records)))

    def close(self) -> None:
        self.closed += 1

    @property
    def records(self) -> list[GenerationRecord]:
        return [record for _, batch in self.written for record in batch]


class Bench:
    """A writer thread over a real spool."""

    def __init__(self, folder: Path, *, capacity: int = 100, batch: int = 3, interval: float = 30.0) -> None:
        self.batches = Batches()
        self.spool = Spool(folder, "w1", segment_bytes=1500)
        self.backlog = Backlog(capacity)
        self.thread = WriterThread(self.spool, self.backlog, self.batches, "w1", batch=batch, interval=interval)  # type: ignore[arg-type]

    def add(self, record: GenerationRecord, evidence: Evidence | None = None) -> None:
        assert self.backlog.add(record, evidence, self.spool.append(record))

    def close(self) -> None:
        self.thread.stop(30)
        self.spool.close()


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_thread, "FIRST_DELAY", 0.005)
    monkeypatch.setattr(writer_thread, "LONGEST_DELAY", 0.02)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.close()


def test_flush_stores_everything_and_the_spool_goes(bench: Bench, record: Make, tmp_path: Path) -> None:
    records = [record() for _ in range(7)]
    for one in records:
        bench.add(one)
    bench.thread.start()
    assert bench.thread.flush(30)
    assert bench.batches.records == records
    assert [len(batch) for _, batch in bench.batches.written] == [3, 3, 1]
    assert {worker for worker, _ in bench.batches.written} == {"w1"}
    assert bench.backlog.is_empty
    bench.close()
    assert list(tmp_path.iterdir()) == []


def test_a_whole_batch_does_not_wait_for_the_interval(bench: Bench, record: Make) -> None:
    bench.thread.start()
    assert bench.thread.flush(30)  # the first round, which takes whatever is there, is over
    for _ in range(3):
        bench.add(record())
    bench.thread.wake()
    deadline = time.monotonic() + 30
    while not bench.backlog.is_empty and time.monotonic() < deadline:
        time.sleep(0.002)
    assert len(bench.batches.records) == 3


def test_a_wake_stores_whole_batches_only(bench: Bench, record: Make) -> None:
    bench.thread.start()
    assert bench.thread.flush(30)
    for _ in range(8):
        bench.add(record())
    bench.thread.wake()
    deadline = time.monotonic() + 30
    while len(bench.backlog) > 2 and time.monotonic() < deadline:
        time.sleep(0.002)
    bench.thread.wake()
    time.sleep(0.02)
    assert len(bench.backlog) == 2
    assert bench.thread.flush(30)
    assert [len(batch) for _, batch in bench.batches.written] == [3, 3, 2]


def test_the_interval_stores_a_part_of_a_batch(tmp_path: Path, record: Make) -> None:
    bench = Bench(tmp_path, interval=0.01)
    bench.thread.start()
    bench.add(record())
    deadline = time.monotonic() + 30
    while not bench.backlog.is_empty and time.monotonic() < deadline:
        time.sleep(0.002)
    assert len(bench.batches.records) == 1
    bench.close()


def test_it_tells_how_things_stand_during_an_outage_too(tmp_path: Path, record: Make) -> None:
    bench = Bench(tmp_path)
    told: list[int] = []
    bench.thread._publish = lambda: told.append(len(bench.backlog))
    bench.batches.failures = [sqlite3.OperationalError("away")] * 3
    bench.add(record())
    bench.thread.start()
    assert bench.thread.flush(5)
    assert bench.thread.flush(5)
    assert told[:4] == [1] * 4 and told[-1] == 0
    bench.close()


@pytest.mark.parametrize("error", [sqlite3.OperationalError("database is locked"), RuntimeError("a bug")])
def test_an_outage_is_waited_out(bench: Bench, record: Make, error: Exception) -> None:
    bench.batches.failures = [error] * 3
    one = record()
    bench.add(one)
    bench.thread.start()
    assert bench.thread.flush(30)
    assert bench.batches.records == [one]
    assert bench.batches.closed == 0
    bench.close()
    assert bench.batches.closed == 1


def test_what_memory_cannot_hold_comes_from_the_spool(tmp_path: Path, record: Make) -> None:
    bench = Bench(tmp_path, capacity=2)
    records = [record() for _ in range(12)]
    for one in records:
        bench.add(one)
    assert len(bench.backlog) == 2
    bench.thread.start()
    assert bench.thread.flush(30)
    assert bench.batches.records == records
    bench.close()
    assert list(tmp_path.iterdir()) == []


def test_stop_during_an_outage_keeps_the_spool(tmp_path: Path, record: Make) -> None:
    bench = Bench(tmp_path)
    bench.batches.failures = [sqlite3.OperationalError("away")] * 10**4
    one = record()
    bench.add(one)
    bench.thread.start()
    assert not bench.thread.flush(0.05)
    bench.close()
    other = Bench(tmp_path)
    other.thread.start()
    assert other.thread.flush(30)
    assert other.batches.written == [("w1", [one])]
    other.close()
    assert list(tmp_path.iterdir()) == []


def test_stop_stores_what_waits(bench: Bench, record: Make) -> None:
    bench.thread.start()
    records = [record() for _ in range(4)]
    for one in records:
        bench.add(one)
    bench.thread.stop(30)
    assert bench.batches.records == records


def test_a_dead_workers_segments_are_replayed_in_its_name(tmp_path: Path, record: Make) -> None:
    dead = Spool(tmp_path, "dead", segment_bytes=1)
    records = [record() for _ in range(5)]
    for one in records:
        dead.append(one)
    dead.close()
    bench = Bench(tmp_path)
    bench.thread.start()
    assert bench.thread.flush(30)
    assert bench.batches.records == records
    assert {worker for worker, _ in bench.batches.written} == {"dead"}
    bench.close()
    assert list(tmp_path.iterdir()) == []


def test_a_segment_that_cannot_be_read_is_kept_and_holds_up_nobody(tmp_path: Path, record: Make) -> None:
    (tmp_path / "dead-1.00000001.seg").mkdir()
    bench = Bench(tmp_path)
    one = record()
    bench.add(one)
    bench.thread.start()
    assert bench.thread.flush(30)
    assert bench.batches.records == [one]
    bench.close()
    assert (tmp_path / "dead-1.00000001.seg").exists()


def test_a_lost_overflow_segment_holds_up_nobody(tmp_path: Path, record: Make) -> None:
    bench = Bench(tmp_path, capacity=1)
    records = [record() for _ in range(3)]
    for one in records:
        bench.add(one)
    for path in tmp_path.glob("*.seg"):
        path.unlink()
    bench.thread.start()
    assert bench.thread.flush(30)
    assert bench.batches.records == records[:1]
    bench.close()


def test_tool_calls_are_judged_before_they_are_stored(bench: Bench, record: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = msgspec.json.encode([{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}])
    bench.add(record(tool_calls=2), ToolEvidence(tools, (("f", "{}"), ("g", "{}"))))
    bench.add(record(tool_calls=1))
    bench.thread.start()
    assert bench.thread.flush(30)
    assert [one.tool_calls_invalid for one in bench.batches.records] == [1, None]


def test_a_judge_that_fails_leaves_the_calls_unjudged(bench: Bench, record: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    class Panic(BaseException):
        pass

    def panic(_record: GenerationRecord, _evidence: Evidence) -> GenerationRecord:
        raise Panic

    monkeypatch.setattr(bench.thread._judge, "judged", panic)
    bench.add(record(tool_calls=1), ToolEvidence(b"[]", (("f", "{}"),)))
    bench.thread.start()
    assert bench.thread.flush(30)
    assert [one.tool_calls_invalid for one in bench.batches.records] == [None]


def test_an_unforeseen_error_does_not_end_the_thread(bench: Bench, record: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    failures = [OSError("unlink")]
    real = bench.spool.settle

    def settle(counts: dict[int, int]) -> None:
        if failures:
            raise failures.pop()
        real(counts)

    monkeypatch.setattr(bench.spool, "settle", settle)
    bench.add(record())
    bench.thread.start()
    bench.thread.flush(0.1)
    bench.add(record())
    assert bench.thread.flush(30)
    assert len(bench.batches.records) == 2
    assert any(thread.name == "metering-writer" for thread in threading.enumerate())
