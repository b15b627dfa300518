import asyncio
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from trunkline.accounts.ledger_store import settle_batch
from trunkline.errors import StorageUnavailable
from trunkline.metering import one_writer
from trunkline.metering.recorder import Recorder
from trunkline.metering.spool import Spool
from trunkline.metering.tally import Tally, open_tally
from trunkline.metering.tool_calls import ToolEvidence
from trunkline.protocol.generation import GenerationRecord
from trunkline.storage.layout import CONTROL, TELEMETRY

Make = Callable[..., GenerationRecord]
Open = Callable[..., Recorder]


@pytest.fixture
def open_recorder(databases, tmp_path: Path) -> Iterator[Open]:
    opened = []

    def build(worker_id: str = "w1", **options: object) -> Recorder:
        recorder = Recorder(
            Spool(tmp_path / "spool", worker_id), databases.control, databases.telemetry, worker_id, settle_batch, interval=0.02, **options
        )
        opened.append(recorder)
        return recorder

    yield build
    for recorder in opened:
        recorder.close()


def find(recorder: Recorder, record: GenerationRecord) -> GenerationRecord | None:
    return asyncio.run(recorder.find(record.id))


def test_a_record_reaches_ledger_and_store_once_and_the_spool_is_empty(
    open_recorder: Open, databases, record: Make, tmp_path: Path
) -> None:
    recorder = open_recorder(batch=10)
    recorder.start()
    records = [record() for _ in range(25)]
    for one in records:
        recorder.record(one)
    assert recorder.flush(30)
    ids = sorted(one.id for one in records)
    assert databases.ids() == (ids, ids)
    assert databases.query(CONTROL, "SELECT amount FROM key_spend_day") == [25_000_000]
    recorder.close()
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_record_is_found_at_each_stage_of_its_way(open_recorder: Open, record: Make) -> None:
    recorder, other = open_recorder(), open_recorder("w2")
    one = record(app_categories=("cli",), streamed=True)
    recorder.record(one)
    assert find(recorder, one) is one
    assert find(other, one) == one
    recorder.start()
    assert recorder.flush(30)
    recorder.close()
    assert find(other, one) == one
    assert find(other, record()) is None


def test_each_record_is_told_as_it_is_taken(open_recorder: Open, record: Make) -> None:
    told: list[GenerationRecord] = []
    recorder = open_recorder(observe=told.append)
    records = [record() for _ in range(3)]
    for one in records:
        recorder.record(one)
    assert told == records


def test_a_record_beyond_memory_is_found_in_the_own_spool(open_recorder: Open, databases, record: Make) -> None:
    recorder = open_recorder(capacity=1)
    records = [record() for _ in range(3)]
    for one in records:
        recorder.record(one)
    assert [find(recorder, one) for one in records] == records
    recorder.start()
    assert recorder.flush(30)
    assert databases.ids()[0] == sorted(one.id for one in records)


def test_without_the_store_the_spools_still_answer(open_recorder: Open, databases, record: Make) -> None:
    recorder, other = open_recorder(), open_recorder("w2")
    one = record()
    recorder.record(one)
    databases.available = False
    assert find(other, one) == one
    with pytest.raises(StorageUnavailable):
        find(other, record())
    databases.available = True
    assert find(other, record()) is None


def test_a_record_that_moves_while_it_is_looked_for_is_found(open_recorder: Open, record: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder, other = open_recorder(), open_recorder("w2")
    one = record()
    recorder.record(one)

    def store_meanwhile(_id: bytes) -> None:
        recorder.start()
        assert recorder.flush(30)

    monkeypatch.setattr(other._spool, "find", store_meanwhile)
    assert find(other, one) == one


def test_an_outage_loses_nothing(open_recorder: Open, databases, record: Make) -> None:
    recorder = open_recorder()
    databases.available = False
    recorder.start()
    one = record()
    recorder.record(one)
    assert not recorder.flush(0.1)
    assert recorder.counters()["waiting"] == 1
    databases.available = True
    assert recorder.flush(30)
    assert databases.ids() == ([one.id], [one.id])
    assert recorder.counters() == {"waiting": 0, "lost": 0, "rejected": 0, "dropped": 0}


def test_a_record_twice_counts_once(open_recorder: Open, databases, record: Make, tmp_path: Path) -> None:
    recorder = open_recorder()
    one = record()
    recorder.record(one)
    recorder.record(one)
    recorder.start()
    assert recorder.flush(30)
    recorder.record(one)
    assert recorder.flush(30)
    assert databases.query(CONTROL, "SELECT amount FROM ledger") == [one.cost]
    assert databases.query(TELEMETRY, "SELECT requests FROM model_day") == [1]
    assert recorder.counters()["dropped"] == 0
    recorder.close()
    assert list((tmp_path / "spool").iterdir()) == []


def test_without_spool_and_memory_the_loss_is_counted(open_recorder: Open, record: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = open_recorder(capacity=1)
    monkeypatch.setattr(recorder._spool, "append", lambda _record: None)
    recorder.record(record())
    recorder.record(record())
    assert recorder.counters()["dropped"] == 1


def test_without_the_spool_memory_does(open_recorder: Open, databases, record: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = open_recorder()
    monkeypatch.setattr(recorder._spool, "append", lambda _record: None)
    one = record()
    recorder.record(one)
    recorder.start()
    assert recorder.flush(30)
    assert databases.ids() == ([one.id], [one.id])


def test_tool_calls_are_judged(open_recorder: Open, record: Make) -> None:
    recorder = open_recorder()
    one = record(tool_calls=1)
    tools = msgspec.json.encode([{"type": "function", "function": {"name": "f"}}])
    recorder.record(one, ToolEvidence(tools, (("f", "not json"),)))
    recorder.start()
    assert recorder.flush(30)
    stored = find(recorder, one)
    assert stored is not None
    assert stored.tool_calls_invalid == 1


def test_with_a_shared_folder_one_worker_writes_and_each_spool_goes(
    open_recorder: Open, databases, record: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one_writer, "ANSWER_SECONDS", 60.0)
    first, second = open_recorder(shared=tmp_path), open_recorder("w2", shared=tmp_path)
    records = [record() for _ in range(20)]
    for number, one in enumerate(records):
        (first, second)[number % 2].record(one)
    for recorder in (first, second):
        recorder.start()
        assert recorder.flush()
    assert databases.ids() == (sorted(one.id for one in records),) * 2
    assert second._batches._batches._telemetry is None  # type: ignore[attr-defined]
    first.close()
    late = record()
    second.record(late)
    assert second.flush()
    assert late.id in databases.ids()[1]
    second.close()
    assert list((tmp_path / "spool").iterdir()) == []


def test_with_a_tally_the_counters_are_those_of_all_workers(
    open_recorder: Open, databases, record: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    descriptor = open_tally(2)
    first, second = (open_recorder(f"w{number}", tally=Tally(descriptor, number)) for number in range(2))
    for recorder in (first, second):
        monkeypatch.setattr(recorder._spool, "lost", 3)
    assert first.counters()["lost"] == 3  # the other has said nothing yet
    databases.available = False
    second.record(record())
    all_of_both = {"waiting": 1, "lost": 6, "rejected": 0, "dropped": 0}
    for recorder in (first, second):
        recorder.start()
    deadline = time.monotonic() + 10
    while not first.counters() == second.counters() == all_of_both and time.monotonic() < deadline:
        time.sleep(0.002)
    assert first.counters() == second.counters() == all_of_both
    databases.available = True
    second.close()
    os.close(descriptor)
