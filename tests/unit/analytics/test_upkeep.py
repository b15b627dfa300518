import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from postgres_server import open_unpooled

from trunkline import settings as settings_room
from trunkline.analytics import upkeep as module
from trunkline.analytics.rollup import write_batch
from trunkline.analytics.upkeep import BATCH, DAYS_AHEAD, HOUR_DAYS, MINUTE_DAYS, TASK, Upkeep
from trunkline.errors import StorageUnavailable
from trunkline.protocol.generation import AttemptRecord, GenerationRecord
from trunkline.protocol.identity import uuid7
from trunkline.storage.connection import Connection
from trunkline.storage.days import MS_PER_DAY, day_of
from trunkline.storage.engines import Storage

Make = Callable[..., GenerationRecord]
TODAY = 20_010
LOGGER = "trunkline.analytics.upkeep"
PLACES = "SELECT count(*) FROM pg_class WHERE relispartition AND relkind = 'r'"


def _upkeep(storage: Storage, keep: int | None, *, day: float = TODAY + 0.5) -> Upkeep:
    return Upkeep(storage, lambda: keep, clock=lambda: day * MS_PER_DAY / 1000)


def _at(record: Make, unix_ms: int, last: int = 0) -> GenerationRecord:
    return record(created_ms=unix_ms, id=uuid7(unix_ms, last.to_bytes(10, "big")))


def _days(connection: Connection) -> list[int]:
    ids = connection.execute("SELECT id FROM generations ORDER BY id")
    return [day_of(int.from_bytes(id[:6], "big")) for (id,) in ids]


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.01)


@pytest.mark.parametrize("prepared", [True, False], ids=["in places of their own", "all in one"])
def test_what_is_older_goes_and_nothing_younger(both_storage: Storage, telemetry: Connection, record: Make, prepared: bool) -> None:
    if prepared:
        _upkeep(both_storage, None, day=TODAY - 8).tidy()
    border = (TODAY - 3) * MS_PER_DAY
    times = [border - MS_PER_DAY, border - 1, border, border + 1, TODAY * MS_PER_DAY, (TODAY + 2) * MS_PER_DAY]
    write_batch(telemetry, [_at(record, unix_ms) for unix_ms in times])
    sums = telemetry.execute("SELECT * FROM key_day ORDER BY day").fetchall()
    _upkeep(both_storage, 3, day=TODAY + 0.999_999).tidy()
    assert _days(telemetry) == [TODAY - 3, TODAY - 3, TODAY, TODAY + 2]
    assert telemetry.execute("SELECT * FROM key_day ORDER BY day").fetchall() == sums
    _upkeep(both_storage, 3, day=TODAY + 1).tidy()
    assert _days(telemetry) == [TODAY, TODAY + 2]


def test_minutes_and_hours_of_endpoints_go_and_their_days_stay(both_storage: Storage, telemetry: Connection, record: Make) -> None:
    attempt = AttemptRecord("Acme", "e1", "acme/echo-1", 200, 100)
    days = [0, 5, TODAY - HOUR_DAYS - 1, TODAY - HOUR_DAYS, TODAY - MINUTE_DAYS - 1, TODAY - MINUTE_DAYS, TODAY]
    write_batch(
        telemetry, [record(created_ms=day * MS_PER_DAY, id=uuid7(day * MS_PER_DAY, bytes(10)), attempts=(attempt,)) for day in days]
    )
    _upkeep(both_storage, None).tidy()

    def left(table: str, slots_a_day: int) -> list[int]:
        return [slot // slots_a_day for (slot,) in telemetry.execute(f"SELECT slot FROM {table} ORDER BY slot").fetchall()]

    assert left("endpoint_minute", 24 * 60) == days[5:]
    assert left("endpoint_hour", 24) == days[3:]
    assert left("endpoint_day", 1) == days


def test_the_border_is_the_first_id_of_a_day(both_storage: Storage, telemetry: Connection, record: Make) -> None:
    border = (TODAY - 1) * MS_PER_DAY
    last_before, first = record(id=uuid7(border - 1, b"\xff" * 10)), record(id=uuid7(border, bytes(10)))
    write_batch(telemetry, [last_before, first])
    _upkeep(both_storage, 1).tidy()
    assert telemetry.execute("SELECT id FROM generations").fetchall() == [(first.id,)]


def test_without_a_rule_everything_stays(both_storage: Storage, telemetry: Connection, record: Make) -> None:
    write_batch(telemetry, [record(day=0), record(day=TODAY)])
    _upkeep(both_storage, None).tidy()
    assert _days(telemetry) == [0, TODAY]
    _upkeep(both_storage, 36_500).tidy()
    assert _days(telemetry) == [0, TODAY]


def test_rows_go_in_small_batches_with_pauses_and_an_end_comes_between_them(
    both_storage: Storage, telemetry: Connection, record: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, LOGGER)
    write_batch(telemetry, [_at(record, (TODAY - 5) * MS_PER_DAY + number, number) for number in range(2 * BATCH + 1)])
    stopped = _upkeep(both_storage, 1)
    stopped.stop()
    stopped.tidy()
    assert len(_days(telemetry)) == BATCH + 1
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.0)
    _upkeep(both_storage, 1).tidy()
    assert _days(telemetry) == []
    assert [record.getMessage().split(": ")[1] for record in caplog.records] == [
        f"0 whole days, {n} single rows" for n in (BATCH, BATCH + 1)
    ]
    _upkeep(both_storage, 1).tidy()
    assert len(caplog.records) == 2


def test_places_are_made_ahead(new_database: Callable[..., str], tmp_path: Path) -> None:
    storage = open_unpooled(settings_room.load({"data_dir": str(tmp_path)}, {"TRUNKLINE_DATABASE_URL": new_database()}))
    counts = []
    with closing(storage.connect_telemetry()) as connection:
        for day, keep in ((TODAY, None), (TODAY + 1, None), (TODAY + 3, 1)):
            _upkeep(storage, keep, day=day).tidy()
            counts.append(connection.execute(PLACES).fetchone()[0] - 1)
    asyncio.run(storage.close())
    assert counts == [DAYS_AHEAD + 1, DAYS_AHEAD + 2, DAYS_AHEAD + 2]


def test_one_worker_at_a_time(both_storage: Storage, telemetry: Connection, record: Make) -> None:
    write_batch(telemetry, [record(day=TODAY - 5)])
    with both_storage.alone(TASK) as alone:
        assert alone
        _upkeep(both_storage, 1).tidy()
        assert len(_days(telemetry)) == 1
    _upkeep(both_storage, 1).tidy()
    assert _days(telemetry) == []


def test_it_looks_soon_after_the_start_and_again_with_the_rule_of_that_time(
    both_storage: Storage,
    telemetry: Connection,
    record: Make,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "FIRST_SECONDS", 0.01)
    monkeypatch.setattr(module, "INTERVAL_SECONDS", 0.01)
    write_batch(telemetry, [record(day=TODAY - 5), record(day=TODAY)])
    rounds: list[int | None] = []

    def rule() -> int | None:
        rounds.append(None if len(rounds) < 2 else 1)
        return rounds[-1]

    upkeep = Upkeep(both_storage, rule, clock=lambda: TODAY * MS_PER_DAY / 1000)
    upkeep.start()
    until(lambda: _days(telemetry) == [TODAY])
    upkeep.stop(30)
    count = len(rounds)
    assert not upkeep._thread.is_alive() and count >= 3


@pytest.mark.parametrize(
    ("error", "delay", "words"),
    [
        (StorageUnavailable("away"), "RETRY_SECONDS", "is put off: away"),
        (sqlite3.OperationalError("locked"), "RETRY_SECONDS", "is put off: locked"),
        (RuntimeError("ours"), "INTERVAL_SECONDS", "failed"),
    ],
)
def test_a_round_that_fails_is_told_and_done_again(
    both_storage: Storage,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    delay: str,
    words: str,
) -> None:
    monkeypatch.setattr(module, "FIRST_SECONDS", 0.0)
    monkeypatch.setattr(module, delay, 0.0)
    calls: list[str] = []

    @contextmanager
    def alone(task: str) -> Iterator[bool]:
        calls.append(task)
        if len(calls) < 3:
            raise error
        yield False

    monkeypatch.setattr(both_storage, "alone", alone)
    upkeep = _upkeep(both_storage, 1)
    upkeep.start()
    until(lambda: len(calls) >= 3)
    upkeep.stop(30)
    assert [words in line for line in caplog.messages] == [True, True]


def test_stopping_what_was_never_started_is_no_error(both_storage: Storage) -> None:
    upkeep = _upkeep(both_storage, 1)
    upkeep.stop()
    with closing(both_storage.connect_telemetry()) as connection:
        assert _days(connection) == []
