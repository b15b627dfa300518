import errno
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from trunkline.metering.spool import Spool
from trunkline.protocol.generation import GenerationRecord

Make = Callable[..., GenerationRecord]


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    spool = Spool(tmp_path / "spool", "w1")
    yield spool
    spool.close()


def files(folder: Path) -> list[str]:
    return sorted(path.suffix for path in folder.iterdir())


def abandon(spool: Spool) -> None:
    """Ends the ownership as the death of a process does: locks go, files stay."""
    os.close(spool._descriptor)
    spool._ownership.release(remove=False)


def test_a_record_is_one_write(spool: Spool, record: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    spool.append(record())
    writes = []
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: writes.append(len(data)) or real(descriptor, data))
    place = spool.append(record())
    assert place is not None
    assert writes == [place.end - place.start]


def test_what_was_appended_can_be_read_and_found(spool: Spool, record: Make) -> None:
    records = [record() for _ in range(3)]
    places = [spool.append(one) for one in records]
    assert spool.read(1, places[1].start, places[2].end) == records[1:]
    assert spool.find(records[0].id) == records[0]
    assert spool.find(bytes(16)) is None


def test_the_folder_is_private(tmp_path: Path, record: Make) -> None:
    spool = Spool(tmp_path / "a" / "spool", "w1")
    spool.append(record())
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "a" / "spool").iterdir()}
    assert modes == {0o600}
    assert (tmp_path / "a" / "spool").stat().st_mode & 0o777 == 0o700
    spool.close()


def test_a_segment_goes_when_it_is_full_and_settled(tmp_path: Path, record: Make) -> None:
    spool = Spool(tmp_path, "w1", segment_bytes=1)
    places = [spool.append(record()) for _ in range(3)]
    assert [place.segment for place in places] == [1, 2, 3]
    assert files(tmp_path) == [".lock", ".seg", ".seg", ".seg"]
    spool.settle({2: 1})
    assert files(tmp_path) == [".lock", ".seg", ".seg"]
    spool.settle({1: 1, 3: 1})
    assert files(tmp_path) == [".lock", ".seg"]
    spool.close()
    assert files(tmp_path) == []


def test_unsettled_records_outlive_close_and_are_taken_over(tmp_path: Path, record: Make) -> None:
    one, two = record(), record()
    spool = Spool(tmp_path, "w1")
    spool.append(one)
    spool.append(two)
    spool.settle({1: 1})
    spool.close()
    other = Spool(tmp_path, "w2")
    (orphan,) = other.orphans()
    assert orphan.worker_id == "w1"
    assert len(orphan.segments()) == 1
    assert list(other.orphans()) == []
    assert other.find(two.id) == two
    orphan.segments()[0].unlink()
    orphan.finish()
    other.close()
    assert files(tmp_path) == []


def test_a_living_workers_spool_is_not_taken(spool: Spool, record: Make, tmp_path: Path) -> None:
    spool.append(record())
    other = Spool(tmp_path / "spool", "w1")
    assert list(other.orphans()) == []
    assert [orphan.worker_id for orphan in spool.orphans()] == []
    other.close()


def test_orphans_list_segments_in_order(tmp_path: Path, record: Make) -> None:
    dead = Spool(tmp_path, "w1", segment_bytes=1)
    for _ in range(11):
        dead.append(record())
    abandon(dead)
    spool = Spool(tmp_path, "w2")
    (orphan,) = spool.orphans()
    assert [int(path.name.split(".")[1]) for path in orphan.segments()] == list(range(1, 12))
    orphan.finish()
    spool.close()


def test_a_full_disk_is_counted_and_told_once_a_minute(
    spool: Spool, record: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(_descriptor: int, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    kept = record()
    spool.append(kept)
    with monkeypatch.context() as patch, caplog.at_level(logging.ERROR):
        patch.setattr(os, "write", full)
        assert [spool.append(record()) for _ in range(5)] == [None] * 5
    after = spool.append(record())
    assert after is not None
    assert spool.lost == 5
    assert len(caplog.records) == 1
    assert spool.read(1, 0, after.end)[0] == kept


@pytest.mark.parametrize("truncates", [True, False])
def test_half_a_write_spoils_no_other_record(tmp_path: Path, record: Make, monkeypatch: pytest.MonkeyPatch, truncates: bool) -> None:
    spool = Spool(tmp_path, "w1")
    first, last = record(), record()
    spool.append(first)
    real = os.write

    def fail(_descriptor: int, _length: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[: len(data) // 2]))
        if not truncates:
            patch.setattr(os, "ftruncate", fail)
        assert spool.append(record()) is None
    assert spool.append(last) is not None
    assert (spool.find(first.id), spool.find(last.id)) == (first, last)
    abandon(spool)


def test_a_folder_that_went_away_loses_records_but_fails_nobody(tmp_path: Path, record: Make) -> None:
    spool = Spool(tmp_path / "spool", "w1")
    for path in (tmp_path / "spool").iterdir():
        path.unlink()
    (tmp_path / "spool").rmdir()
    assert spool.append(record()) is None
    assert spool.lost == 1
    spool.close()


def test_without_descriptors_the_full_segment_takes_more(tmp_path: Path, record: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path, "w1", segment_bytes=1)
    spool.append(record())

    def exhausted(*_arguments: object) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", exhausted)
        place = spool.append(record())
    assert place is not None
    assert (place.segment, spool.lost) == (1, 0)
    abandon(spool)


def test_a_record_that_cannot_be_encoded_is_lost_alone(spool: Spool, record: Make) -> None:
    assert spool.append(record(model="\ud800")) is None
    assert spool.append(record(cost=2**70)) is None
    good = record()
    assert spool.append(good) is not None
    assert spool.find(good.id) == good
    assert spool.lost == 2
