import logging
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from trunkline.accounts.ledger_store import settle_batch
from trunkline.errors import StorageUnavailable
from trunkline.metering import handover, one_writer, parcels
from trunkline.metering.batches import BatchWriter
from trunkline.metering.one_writer import OneWriter
from trunkline.metering.parcels import PARCELS, receive
from trunkline.metering.writer_lock import WriterLock
from trunkline.protocol.generation import GenerationRecord
from trunkline.storage.connection import Connection, Duplicate
from trunkline.storage.layout import CONTROL, TELEMETRY

Make = Callable[..., GenerationRecord]
WAIT = 10.0


class Batches:
    """Takes batches in place of the databases, and fails as told."""

    def __init__(self) -> None:
        self.written: list[tuple[str, list[GenerationRecord]]] = []
        self.failures: list[Exception] = []
        self.rejected = 0
        self.rejects = 0
        self.closed = 0
        self.going_on = 0
        self.pace: threading.Event | None = None

    def write(self, worker_id: str, records: Sequence[GenerationRecord]) -> None:
        assert not self.going_on, "two threads write at once"
        self.going_on += 1
        try:
            if self.pace is not None:
                self.pace.wait(WAIT)
            if self.failures:
                raise self.failures.pop(0)
            self.rejected += self.rejects
            self.written.append((worker_id, list(records)))
        finally:
            self.going_on -= 1

    def close(self) -> None:
        self.closed += 1


class Worker:
    """One of several workers that share a folder."""

    def __init__(self, folder: Path) -> None:
        self.batches = Batches()
        self.writer = OneWriter(folder, self.batches)  # type: ignore[arg-type]

    @property
    def written(self) -> list[tuple[str, list[GenerationRecord]]]:
        return self.batches.written


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine nobody is passed over unless the test says so."""
    monkeypatch.setattr(one_writer, "ANSWER_SECONDS", 60.0)


@pytest.fixture
def hire(tmp_path: Path) -> Iterator[Callable[[], Worker]]:
    hired = []

    def build() -> Worker:
        hired.append(Worker(tmp_path))
        return hired[-1]

    yield build
    for worker in hired:
        worker.writer.close()


Hire = Callable[[], Worker]


def test_the_first_writes_for_all(hire: Hire, record: Make) -> None:
    first, second, third = hire(), hire(), hire()
    sent = [("w1", [record()]), ("w2", [record() for _ in range(3)]), ("w3", [record()]), ("w2", [record()])]
    for (worker_id, records), worker in zip(sent, (first, second, third, second), strict=True):
        worker.writer.write(worker_id, records)
    assert first.written == sent
    assert second.written == third.written == []


def test_threads_of_the_writer_take_turns(hire: Hire, record: Make) -> None:
    workers = [hire() for _ in range(4)]

    def run(worker: Worker) -> None:
        for _ in range(50):
            worker.writer.write("w", [record()])

    threads = [threading.Thread(target=run, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(len(worker.written) for worker in workers) == [0, 0, 0, 200]


def test_when_the_writer_ends_another_takes_its_place(hire: Hire, record: Make, tmp_path: Path) -> None:
    first, second, third = hire(), hire(), hire()
    for worker in (first, second, third):
        worker.writer.write("w", [record()])
    first.writer.close()
    assert first.batches.closed == 1
    for worker in (third, second, third):
        worker.writer.write("w", [record()])
    assert [len(worker.written) for worker in (first, second, third)] == [3, 0, 3]
    third.writer.close()
    second.writer.close()
    assert [path.name for path in tmp_path.iterdir()] == ["writer.lock"]


@pytest.mark.parametrize(
    "error", [sqlite3.OperationalError("database is locked"), StorageUnavailable("away"), Duplicate("id"), RuntimeError()]
)
def test_what_the_databases_say_is_told_and_the_batch_may_be_tried_again(hire: Hire, record: Make, error: Exception) -> None:
    first, second = hire(), hire()
    first.writer.write("w1", [record()])
    first.batches.failures = [error]
    one = record()
    with pytest.raises(StorageUnavailable, match=type(error).__name__):
        second.writer.write("w2", [one])
    second.writer.write("w2", [one])
    assert first.written[-1] == ("w2", [one])
    first.batches.failures = [error]
    with pytest.raises(type(error)):
        first.writer.write("w1", [one])


def test_each_worker_counts_what_was_rejected_of_its_own(hire: Hire, record: Make) -> None:
    first, second = hire(), hire()
    first.batches.rejects = 2
    first.writer.write("w1", [record()])
    first.batches.rejects = 3
    second.writer.write("w2", [record()])
    second.writer.write("w2", [record()])
    assert (first.writer.rejected, second.writer.rejected) == (2, 6)


def test_a_batch_too_long_for_the_way_goes_in_parts(hire: Hire, record: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parcels, "MAX_BYTES", 2000)
    first, second = hire(), hire()
    first.writer.write("w1", [])
    records = [record(external_user="x" * size) for size in (500, 500, 500, 5000, 500, 500)]
    second.writer.write("w2", records)
    assert [one for _, batch in first.written for one in batch] == [*records[:3], *records[4:]]
    assert second.written == [("w2", [records[3]])]  # too long alone: its own worker writes it


def test_a_record_that_cannot_be_sent_is_written_by_its_own_worker(hire: Hire, record: Make) -> None:
    first, second = hire(), hire()
    first.writer.write("w1", [])
    records = [record(), record(cost=2**64), record(app_title="\ud800"), record()]
    second.writer.write("w2", records)
    assert first.written[1:] == [("w2", [records[0]]), ("w2", [records[3]])]
    assert second.written == [("w2", [records[1]]), ("w2", [records[2]])]


def deaf(folder: Path) -> tuple[WriterLock, socket.socket]:
    """A writer that has the lock and a desk at which nobody sits."""
    lock = WriterLock(folder)
    assert lock.take()
    desk = lock.new_desk()
    listener = handover._listen(desk)
    lock.announce(desk)
    return lock, listener


def test_a_silent_writer_is_passed_over(
    hire: Hire, record: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(one_writer, "ANSWER_SECONDS", 0.05)
    lock, listener = deaf(tmp_path)
    worker = hire()
    records = [record() for _ in range(3)]
    with caplog.at_level(logging.WARNING):
        for one in records:
            worker.writer.write("w1", [one])
    assert worker.written == [("w1", [one]) for one in records]
    assert caplog.text.count("does not answer") == 1  # and is not asked again for a while
    worker.writer._alone_until = time.monotonic()
    worker.writer.write("w1", [record()])
    assert caplog.text.count("does not answer") == 2
    lock.release()
    listener.close()


def test_a_lock_without_a_desk_is_passed_over(hire: Hire, record: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_writer, "ANSWER_SECONDS", 0.05)
    lock = WriterLock(tmp_path)
    assert lock.take()
    worker = hire()
    worker.writer.write("w1", [record()])
    assert len(worker.written) == 1
    lock.release()


def test_without_a_lock_each_writes_by_itself(tmp_path: Path, record: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_writer, "ANSWER_SECONDS", 0.05)
    worker = Worker(tmp_path / "gone")
    worker.writer.write("w1", [record()])
    assert len(worker.written) == 1
    worker.writer.close()


def test_without_a_desk_the_writer_writes_its_own(
    hire: Hire, record: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(one_writer, "ANSWER_SECONDS", 0.05)
    monkeypatch.setattr(WriterLock, "new_desk", lambda _self: Path("/nowhere/writer.sock"))
    first, second = hire(), hire()
    first.writer.write("w1", [record()])
    second.writer.write("w2", [record()])
    assert len(first.written) == len(second.written) == 1
    assert "write them themselves" in caplog.text


def test_a_batch_that_waits_while_the_writer_ends_is_stored_by_another(hire: Hire, record: Make) -> None:
    first, second = hire(), hire()
    first.writer.write("w1", [record()])
    second.writer.write("w2", [record()])
    pace = first.batches.pace = threading.Event()
    own = threading.Thread(target=first.writer.write, args=("w1", [record()]))
    own.start()
    end = time.monotonic() + WAIT
    while not first.batches.going_on and time.monotonic() < end:
        time.sleep(0.001)
    waiting = threading.Thread(target=second.writer.write, args=("w2", [record()]))
    waiting.start()
    closing = threading.Thread(target=first.writer.close)
    closing.start()
    time.sleep(0.01)
    pace.set()
    for thread in (own, waiting, closing):
        thread.join(WAIT)
        assert not thread.is_alive()
    assert len(first.written) + len(second.written) == 4
    second.writer.write("w2", [record()])
    assert second.written[-1:] and first.batches.closed == 1


def test_a_batch_whose_receipt_was_lost_is_stored_once(databases, tmp_path: Path, record: Make) -> None:
    """The writer stores it and dies before it can say so."""
    lock, listener = deaf(tmp_path)
    one = record()

    def store_and_die() -> None:
        dying = BatchWriter(databases.control, databases.telemetry, settle_batch)
        connection, _ = listener.accept()
        parcel = receive(connection, PARCELS)
        assert parcel is not None
        dying.write(parcel.worker_id, parcel.records)
        dying.close()
        lock.release()
        listener.close()
        connection.close()

    writer = threading.Thread(target=store_and_die)
    writer.start()
    survivor = OneWriter(tmp_path, BatchWriter(databases.control, databases.telemetry, settle_batch))
    survivor.write("w2", [one])
    writer.join(WAIT)
    survivor.close()
    assert databases.ids() == ([one.id], [one.id])
    assert databases.query(CONTROL, "SELECT amount FROM key_spend_day") == [one.cost]
    assert databases.query(TELEMETRY, "SELECT requests FROM model_day") == [1]


def test_only_the_writer_opens_the_databases(databases, tmp_path: Path, record: Make) -> None:
    def closed() -> Connection:
        raise AssertionError("two workers write")

    first = OneWriter(tmp_path, BatchWriter(databases.control, databases.telemetry, settle_batch))
    second = OneWriter(tmp_path, BatchWriter(closed, closed, settle_batch))
    records = [record() for _ in range(6)]
    first.write("w1", records[:2])
    second.write("w2", records[2:4])
    first.write("w1", records[4:])
    second.close()
    first.close()
    ids = sorted(one.id for one in records)
    assert databases.ids() == (ids, ids)
