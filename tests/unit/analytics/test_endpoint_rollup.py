"""Slots of endpoints in storage, on both engines."""

import threading
from collections.abc import Callable, Sequence
from contextlib import closing

import pytest

from trunkline.analytics.endpoint_rollup import add_endpoint_slots, by_minute, coarser, unpack
from trunkline.analytics.endpoint_windows import slot_of
from trunkline.analytics.rollup import write_batch
from trunkline.analytics.slots import COUNTERS, HISTOGRAMS, Slot
from trunkline.protocol.generation import AttemptRecord, GenerationRecord
from trunkline.storage.connection import Connection
from trunkline.storage.engines import Storage

Make = Callable[..., GenerationRecord]
DAY = 20_000
MINUTE = DAY * 24 * 60
TABLES = (("endpoint_minute", MINUTE), ("endpoint_hour", DAY * 24), ("endpoint_day", DAY))


def tried(endpoint_id: str, error_type: str | None = None, latency_ms: int = 100) -> AttemptRecord:
    return AttemptRecord("Acme", endpoint_id, "acme/echo-1", 200, latency_ms, None, error_type)


def stored(connection: Connection, table: str) -> dict[tuple[int, str], Slot]:
    names = ", ".join(("slot", "endpoint_id", *COUNTERS, "distributions"))
    return {(slot, id): slot_of(values) for slot, id, *values in connection.execute(f"SELECT {names} FROM {table}").fetchall()}


def same(one: Slot, other: Slot) -> bool:
    return all(getattr(one, name) == getattr(other, name) for name in (*COUNTERS, *HISTOGRAMS))


def many(record: Make, count: int, endpoints: int = 7) -> list[GenerationRecord]:
    """Generations of a day, most of them answered at the second attempt."""
    return [
        record(
            streamed=True,
            created_ms=DAY * 86_400_000 + number * 40_000,
            generation_ms=500 + 13 * (number % 89),
            output_tokens=10 + number % 31,
            tool_calls=number % 3,
            tool_calls_invalid=number % 2,
            attempts=(
                tried(f"e{number % endpoints}", "provider_unavailable"),
                tried(f"e{(number + 1) % endpoints}", None, 50 + number % 200),
            ),
        )
        for number in range(count)
    ]


def assert_sums(connection: Connection, records: Sequence[GenerationRecord]) -> None:
    """All three tables say what the generations say."""
    minutes, _ = by_minute(records)
    hours = coarser(minutes, 60)
    for (table, _), expected in zip(TABLES, (minutes, hours, coarser(hours, 24)), strict=True):
        found = stored(connection, table)
        assert found.keys() == expected.keys(), table
        assert all(same(found[key], slot) for key, slot in expected.items()), table


def test_a_generation_is_in_the_slots_of_its_end(telemetry: Connection, record: Make) -> None:
    one = record(streamed=True, generation_ms=2000, attempts=(tried("e0", "timeout"), tried("e1")))
    write_batch(telemetry, [one])
    for table, number in TABLES:
        slots = stored(telemetry, table)
        assert set(slots) == {(number, "e0"), (number, "e1")}
        assert (slots[number, "e0"].errors, slots[number, "e1"].successes) == (1, 1)
        assert sum(slots[number, "e1"].latency.values()) == 1
    names = telemetry.execute("SELECT DISTINCT model, provider_name FROM endpoint_day").fetchall()
    assert names == [("acme/echo-1", "Acme")]
    late = record(generation_ms=90_000, attempts=(tried("e1"),))
    write_batch(telemetry, [late])
    assert (MINUTE + 1, "e1") in stored(telemetry, "endpoint_minute")


def test_batch_after_batch_adds_up(telemetry: Connection, record: Make) -> None:
    records = many(record, 400)
    for start in range(0, len(records), 70):
        write_batch(telemetry, records[start : start + 70])
    assert_sums(telemetry, records)


def test_more_endpoints_than_one_look_up_takes(telemetry: Connection, record: Make) -> None:
    records = many(record, 1300, endpoints=1203)
    for half in (records[:650], records[650:]):
        write_batch(telemetry, half)
    assert_sums(telemetry, records)


def test_a_replay_adds_nothing(telemetry: Connection, record: Make) -> None:
    records = many(record, 60)
    write_batch(telemetry, records[:40])
    write_batch(telemetry, records)
    write_batch(telemetry, records[::-1])
    assert_sums(telemetry, records)


def test_what_fails_leaves_no_trace(telemetry: Connection, record: Make) -> None:
    records = many(record, 20)
    write_batch(telemetry, records)
    bad = record(input_tokens=2**70, attempts=(tried("e1"),))
    with pytest.raises(Exception):  # noqa: B017 - each engine has its own; test_rollup tells them
        write_batch(telemetry, [*many(record, 5), bad])
    assert_sums(telemetry, records)


def test_generations_without_attempts_are_in_no_slot(telemetry: Connection, record: Make) -> None:
    write_batch(telemetry, [record()])
    assert [stored(telemetry, table) for table, _ in TABLES] == [{}, {}, {}]


def test_an_older_release_may_know_fewer_distributions(telemetry: Connection, record: Make) -> None:
    one = record(streamed=True, generation_ms=2000, attempts=(tried("e1"),))
    write_batch(telemetry, [one])
    telemetry.execute("UPDATE endpoint_day SET distributions = ?", (b"\x91\x81\x05\x02",))
    assert unpack(b"\x91\x81\x05\x02") == [{5: 2}]
    assert unpack(None) == []
    write_batch(telemetry, [record(streamed=True, generation_ms=2000, attempts=(tried("e1"),))])
    slot = stored(telemetry, "endpoint_day")[DAY, "e1"]
    assert (sum(slot.latency.values()), sum(slot.throughput.values())) == (3, 1)


def test_several_writers_at_once_lose_nothing(both_storage: Storage, record: Make) -> None:
    records = many(record, 600, endpoints=3)
    problems: list[BaseException] = []

    def write(own: Sequence[GenerationRecord]) -> None:
        try:
            with closing(both_storage.connect_telemetry()) as connection:
                for start in range(0, len(own), 10):
                    write_batch(connection, own[start : start + 10])
        except BaseException as error:
            problems.append(error)
            raise

    threads = [threading.Thread(target=write, args=(records[number::3],)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    with closing(both_storage.connect_telemetry()) as connection:
        assert_sums(connection, records)


def test_it_belongs_to_the_transaction_of_its_caller(telemetry: Connection, record: Make) -> None:
    class Stop(Exception):
        pass

    with pytest.raises(Stop), telemetry.transaction():
        add_endpoint_slots(telemetry, many(record, 10))
        raise Stop
    assert stored(telemetry, "endpoint_day") == {}
