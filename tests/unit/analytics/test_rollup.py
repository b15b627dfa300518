from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.analytics.rollup import aggregate, write_batch
from trunkline.analytics.rows import from_row
from trunkline.protocol.generation import GenerationRecord
from trunkline.protocol.identity import uuid7
from trunkline.storage.connection import Connection, Unfit

Make = Callable[..., GenerationRecord]


def test_sums_by_model_key_and_app(record: Make) -> None:
    rollups = aggregate(
        [
            record(reasoning_tokens=5, cached_tokens=50, app_referer="https://a.example", app_title="A"),
            record(status=503, error_type="provider_overloaded", cost=0, output_tokens=0, app_referer="https://a.example"),
            record(key_hash="k2", endpoint_id="e2", provider_name="Zeta", app_title="B"),
            record(day=20_001, cost=0, is_byok=True, upstream_cost=7),
        ]
    )
    assert rollups.model_day == [
        (20_000, "acme/echo-1", 3, 1, 300, 40, 5, 50, 20, 0),
        (20_001, "acme/echo-1", 1, 0, 100, 20, 0, 0, 0, 7),
    ]
    assert rollups.key_day == [
        ("k1", 20_000, "acme/echo-1", "e1", "Acme", 2, 1, 200, 20, 5, 50, 10, 0),
        ("k1", 20_001, "acme/echo-1", "e1", "Acme", 1, 0, 100, 20, 0, 0, 0, 7),
        ("k2", 20_000, "acme/echo-1", "e2", "Zeta", 1, 0, 100, 20, 0, 0, 10, 0),
    ]
    assert rollups.app_day == [
        (20_000, "acme/echo-1", "B", "B", 1, 0, 100, 20, 0, 0, 10, 0),
        (20_000, "acme/echo-1", "https://a.example", "A", 2, 1, 200, 20, 5, 50, 10, 0),
    ]


def test_sums_by_task_tell_what_callers_chose_from_what_a_router_did(record: Make) -> None:
    rollups = aggregate(
        [
            record(task="general:math"),
            record(task="general:math", status=500, error_type="server", cost=0),
            record(task="general:math", router="openrouter/auto"),
            record(task="data:sql", model="acme/echo-2", cost=0, is_byok=True, upstream_cost=9),
            record(router="openrouter/free"),
            record(),
        ]
    )
    assert rollups.task_day == [
        (20_000, "data:sql", "acme/echo-2", 0, 1, 0, 100, 20, 0, 0, 0, 9),
        (20_000, "general:math", "acme/echo-1", 0, 2, 1, 200, 40, 0, 0, 10, 0),
        (20_000, "general:math", "acme/echo-1", 1, 1, 0, 100, 20, 0, 0, 10, 0),
    ]


def stored(connection: Connection) -> list[GenerationRecord]:
    from trunkline.analytics.rows import COLUMNS

    return [from_row(row) for row in connection.execute(f"SELECT {', '.join(COLUMNS)} FROM generations ORDER BY id")]


def tables(connection: Connection) -> list[list[tuple[object, ...]]]:
    return [connection.execute(f"SELECT * FROM {table}").fetchall() for table in ("model_day", "key_day", "app_day", "task_day")]


def test_what_was_written_is_stored_and_summed(telemetry: Connection, record: Make) -> None:
    records = [record(app_title=f"app {n % 3}", model=f"m{n % 5}", task=("a", None, "b")[n % 3]) for n in range(1203)]
    assert write_batch(telemetry, records) == 1203
    assert stored(telemetry) == sorted(records, key=lambda one: one.id)
    rollups = aggregate(records)
    summed = (rollups.model_day, rollups.key_day, rollups.app_day, rollups.task_day)
    assert [sorted(rows) for rows in tables(telemetry)] == [sorted(rows) for rows in summed]


def test_a_replay_adds_nothing(telemetry: Connection, record: Make) -> None:
    records = [record() for _ in range(3)]
    assert write_batch(telemetry, [*records, records[0]]) == 3
    before = tables(telemetry)
    assert write_batch(telemetry, records) == 0
    assert tables(telemetry) == before
    assert write_batch(telemetry, [*records, record()]) == 1
    assert tables(telemetry)[0][0][2] == 4


def test_a_replay_among_new_records_in_any_order_is_told_apart(telemetry: Connection, record: Make) -> None:
    records = [record(model=f"m{n % 3}") for n in range(700)]
    assert write_batch(telemetry, records[::7]) == 100
    assert write_batch(telemetry, records[::-1]) == 600
    assert stored(telemetry) == sorted(records, key=lambda one: one.id)
    assert telemetry.execute("SELECT sum(requests), sum(cost) FROM model_day").fetchone() == (700, 7000)


def test_the_first_record_of_an_id_in_a_batch_counts(telemetry: Connection, record: Make) -> None:
    first = record(cost=1)
    assert write_batch(telemetry, [first, record(id=first.id, cost=2)]) == 1
    assert stored(telemetry) == [first]
    assert telemetry.execute("SELECT cost FROM model_day").fetchall() == [(1,)]


def test_nothing_to_write_is_fine(telemetry: Connection) -> None:
    assert write_batch(telemetry, []) == 0


def test_the_app_title_known_last_stays(telemetry: Connection, record: Make) -> None:
    for title in ("Old", "New", None):
        write_batch(telemetry, [record(app_referer="https://a.example", app_title=title)])
    assert telemetry.execute("SELECT app, title, requests FROM app_day").fetchall() == [("https://a.example", "New", 3)]


def test_a_batch_is_stored_whole_or_not_at_all(telemetry: Connection, record: Make) -> None:
    with pytest.raises((OverflowError, Unfit)):
        write_batch(telemetry, [record(), record(cost=2**64)])
    assert stored(telemetry) == []
    assert write_batch(telemetry, [record()]) == 1


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from("ab"), st.sampled_from("xy"), st.integers(0, 10**6)), max_size=20))
def test_sums_do_not_depend_on_batches_or_order(cells: list[tuple[int, str, str, int]]) -> None:
    records = [
        GenerationRecord(
            id=uuid7(n, bytes(10)),
            created_ms=day * 86_400_000,
            key_hash=key,
            workspace_id="w",
            model=model,
            endpoint_id="e",
            provider_name="p",
            api_type="completions",
            cost=cost,
        )
        for n, (day, key, model, cost) in enumerate(cells)
    ]
    assert aggregate(records) == aggregate(reversed(records))
    assert sum(row[-2] for row in aggregate(records).model_day) == sum(one.cost for one in records)
    assert sum(row[-2] for row in aggregate(records).key_day) == sum(one.cost for one in records)


def test_what_an_attempt_cost_that_was_given_up_is_stored_and_in_no_sum(telemetry: Connection, record: Make) -> None:
    lost = record(cost=0, upstream_cost=99, app_title="A", hedge_of="gen-1-x")
    assert aggregate([record(), lost]) == aggregate([record()])
    write_batch(telemetry, [lost])
    assert stored(telemetry) == [lost]
