import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TypeVar

import pytest

from trunkline.analytics.rollup import write_batch
from trunkline.errors import StorageUnavailable
from trunkline.protocol.generation import GenerationRecord
from trunkline.protocol.identity import uuid7
from trunkline.storage.connection import Duplicate
from trunkline.storage.days import MS_PER_DAY, date_of, first_id
from trunkline.storage.layout import TELEMETRY
from trunkline.storage.postgres import partitions as module
from trunkline.storage.postgres.connection import Connection
from trunkline.storage.postgres.databases import Databases
from trunkline.storage.postgres.partitions import partitions
from trunkline.storage.schema.telemetry import generations

T = TypeVar("T")
DAY = 20_000
COUNTS = "SELECT tableoid::regclass::text, count(*) FROM generations GROUP BY 1 ORDER BY 1"
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest.fixture
def url(new_database: Callable[..., str]) -> str:
    return new_database()


@pytest.fixture
def connection(url: str) -> Iterator[Connection]:
    with closing(_connect(url)) as opened:
        yield opened


def _connect(url: str) -> Connection:
    return Databases(url).connect(TELEMETRY, durable=True)


def _record(at_ms: int, number: int = 0) -> GenerationRecord:
    return GenerationRecord(
        id=uuid7(at_ms, number.to_bytes(10, "big")),
        created_ms=at_ms,
        key_hash="k",
        workspace_id="default",
        model="acme/echo-1",
        endpoint_id="e1",
        provider_name="Acme",
        api_type="completions",
        cost=1,
    )


def _records(day: int, count: int = 1) -> list[GenerationRecord]:
    """Records of a day from its first to its last millisecond."""
    step = (MS_PER_DAY - 1) // max(1, count - 1)
    return [_record(day * MS_PER_DAY + number * step, number) for number in range(count)]


def _names(connection: Connection) -> list[str]:
    return [partition.name for partition in partitions(connection, generations)]


def _name(day: int) -> str:
    return f"generations_{date_of(day)}"


def test_a_row_goes_where_its_day_is_and_stragglers_to_the_default(connection: Connection) -> None:
    connection.prepare_days(generations, range(DAY, DAY + 2))
    assert _names(connection) == [_name(DAY), _name(DAY + 1)]
    write_batch(connection, [record for day in range(DAY - 1, DAY + 3) for record in _records(day, 5)])
    assert connection.execute(COUNTS).fetchall() == [(_name(DAY), 5), (_name(DAY + 1), 5), ("generations_default", 10)]


def test_a_new_day_takes_its_rows_from_the_default(connection: Connection) -> None:
    write_batch(connection, [record for day in range(DAY - 1, DAY + 2) for record in _records(day, 3)])
    connection.prepare_days(generations, [DAY])
    assert connection.execute(COUNTS).fetchall() == [(_name(DAY), 3), ("generations_default", 6)]
    assert write_batch(connection, [*_records(DAY, 3), *_records(DAY - 1, 3)]) == 0
    assert connection.execute("SELECT sum(requests) FROM model_day").fetchone() == (9,)


def test_preparing_again_changes_nothing(connection: Connection) -> None:
    connection.prepare_days(generations, range(DAY, DAY + 3))
    before = partitions(connection, generations)
    connection.prepare_days(generations, range(DAY, DAY + 3))
    assert partitions(connection, generations) == before
    assert [(one.start, one.end) for one in before] == [(first_id(day), first_id(day + 1)) for day in range(DAY, DAY + 3)]


def test_an_id_is_unique_in_every_place(connection: Connection) -> None:
    connection.prepare_days(generations, [DAY])
    for record in (*_records(DAY), *_records(DAY + 1)):
        row = (record.id, "k", "w", "m", "e", 200, 0, 0, 0, b"")
        columns = ("id", "key_hash", "workspace_id", "model", "endpoint_id", "status", "cost", "input_tokens", "output_tokens", "details")
        connection.insert(generations, columns, [row])
        with pytest.raises(Duplicate):
            connection.insert(generations, columns, [row])


def test_only_whole_days_before_are_dropped(connection: Connection) -> None:
    days = range(DAY, DAY + 4)
    connection.prepare_days(generations, days)
    write_batch(connection, [record for day in (DAY - 1, *days) for record in _records(day, 2)])
    assert connection.drop_days(generations, DAY + 2) == 2
    assert connection.execute(COUNTS).fetchall() == [(_name(DAY + 2), 2), (_name(DAY + 3), 2), ("generations_default", 2)]
    assert connection.drop_days(generations, DAY + 2) == 0
    assert connection.execute("SELECT count(*) FROM model_day").fetchone() == (5,)


def test_what_was_there_before_counts_as_a_place_for_its_days_and_goes_when_all_of_it_is_old(connection: Connection) -> None:
    connection.execute("CREATE TABLE generations_earlier (LIKE generations)")
    bounds = f"FROM (MINVALUE) TO ('\\x{first_id(DAY).hex()}')"
    connection.execute(f"ALTER TABLE generations ATTACH PARTITION generations_earlier FOR VALUES {bounds}")
    connection.prepare_days(generations, range(DAY - 2, DAY + 1))
    assert _names(connection) == ["generations_earlier", _name(DAY)]
    assert connection.drop_days(generations, DAY - 1) == 0
    assert connection.drop_days(generations, DAY) == 1
    assert _names(connection) == [_name(DAY)]


def test_who_holds_the_table_is_not_waited_for_for_long(url: str, connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOCK_WAIT", "50ms")
    connection.prepare_days(generations, [DAY])
    with closing(_connect(url)) as reader:
        with reader.transaction():  # such as pg_dump
            reader.execute("SELECT count(*) FROM generations")
            with pytest.raises(StorageUnavailable):
                connection.drop_days(generations, DAY + 1)
            with pytest.raises(StorageUnavailable):
                connection.prepare_days(generations, [DAY + 1])
        assert _names(connection) == [_name(DAY)]
        connection.prepare_days(generations, [DAY + 1])
        assert connection.drop_days(generations, DAY + 1) == 1
    assert connection.execute("SHOW lock_timeout").fetchone() == ("0",)


def test_a_writer_that_waited_while_its_day_was_made_may_try_again(url: str, connection: Connection) -> None:
    """The row was on its way to the default partition, which no longer takes it: no mistake of the row (SQLSTATE 23514)."""
    rest = "LOCK TABLE generations_default IN ACCESS EXCLUSIVE MODE"
    with ThreadPoolExecutor(1) as threads, closing(_connect(url)) as writer, closing(_connect(url)) as watcher:
        writer.execute("SELECT 1")
        with connection.transaction():
            connection.execute(rest)
            written = threads.submit(write_batch, writer, _records(DAY))
            while watcher.execute(WAITING).fetchone() == (0,):
                assert not written.done()
            connection.execute(f"CREATE TABLE {_name(DAY)} (LIKE generations)")
            bounds = f"FROM ('\\x{first_id(DAY).hex()}') TO ('\\x{first_id(DAY + 1).hex()}')"
            connection.execute(f"ALTER TABLE generations ATTACH PARTITION {_name(DAY)} FOR VALUES {bounds}")
        with pytest.raises(StorageUnavailable):
            written.result()
        assert write_batch(writer, _records(DAY)) == 1


def test_nothing_is_lost_or_doubled_while_days_are_made_under_load(url: str, connection: Connection) -> None:
    days, rounds = range(DAY, DAY + 4), 12
    stopping = threading.Event()

    def write(number: int) -> int:
        stored = 0
        with closing(_connect(url)) as writer:
            for turn in range(rounds):
                batch = [_record(day * MS_PER_DAY + turn, number * 100 + at) for day in days for at in range(20)]
                stored += _until_done(lambda batch=batch: write_batch(writer, batch))
                stored += _until_done(lambda batch=batch[::3]: write_batch(writer, batch))
        return stored

    def tidy() -> None:
        with closing(_connect(url)) as tidier:
            for day in days:
                _until_done(lambda day=day: tidier.prepare_days(generations, [day]))
                stopping.wait(0.05)

    with ThreadPoolExecutor(3) as threads:
        writers = [threads.submit(write, number) for number in range(2)]
        threads.submit(tidy).result()
        total = sum(writer.result() for writer in writers)
    assert total == 2 * rounds * 20 * len(days)
    assert connection.execute("SELECT count(*) FROM generations").fetchone() == (total,)
    assert connection.execute("SELECT sum(requests) FROM model_day").fetchone() == (total,)
    assert connection.execute("SELECT count(*) FROM generations_default").fetchone() == (0,)


def _until_done(work: Callable[[], T]) -> T:
    """As the writer thread does. A look-up that was planned before its rows moved does not find them; then their insertion fails."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return work()
        except (StorageUnavailable, Duplicate):
            assert time.monotonic() < deadline
