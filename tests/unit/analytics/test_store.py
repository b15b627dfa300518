import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from trunkline.analytics.rollup import write_batch
from trunkline.analytics.store import ModelTotals, find_generation, model_totals, weekly_tokens, weekly_traffic
from trunkline.protocol.generation import AttemptRecord, GenerationRecord
from trunkline.protocol.traffic import NO_TRAFFIC, Traffic, Use
from trunkline.storage.connection import Connection
from trunkline.storage.engines import Storage

Make = Callable[..., GenerationRecord]
T = TypeVar("T")


def ask(storage: Storage, question: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    async def run() -> T:
        async with storage.reading(storage.telemetry) as connection:
            return await question(connection)

    return asyncio.run(run())


def test_a_generation_is_found_by_its_id(telemetry: Connection, record: Make) -> None:
    one = record(attempts=(AttemptRecord("Acme", "e1", "m", 200, 1),), finish_reason="stop")
    write_batch(telemetry, [record(), one, record()])
    assert find_generation(telemetry, one.id) == one
    assert find_generation(telemetry, bytes(16)) is None


def test_weekly_tokens_are_of_seven_days(telemetry: Connection, record: Make, both_storage: Storage) -> None:
    write_batch(
        telemetry,
        [
            record(day=100, model="a"),
            record(day=94, model="a"),
            record(day=93, model="a", input_tokens=10**6),
            record(day=101, model="a", input_tokens=10**6),
            record(day=97, model="b", input_tokens=1, output_tokens=2),
            record(day=50, model="old"),
        ],
    )
    assert ask(both_storage, lambda connection: weekly_tokens(connection, today=100)) == {"a": 240, "b": 3}


def test_weekly_traffic_is_what_callers_chose(telemetry: Connection, record: Make, both_storage: Storage) -> None:
    write_batch(
        telemetry,
        [
            record(day=100, model="a", task="t", cached_tokens=30),
            record(day=94, model="a", task="t", status=500, error_type="server", cost=0),
            record(day=93, model="a", task="t", cost=10**9),
            record(day=99, model="a", task="t", router="openrouter/auto", cost=500),
            record(day=99, model="b", task="u", is_byok=True, cost=1, upstream_cost=6),
            record(day=98, model="b"),
            record(day=101, model="b", task="u"),
        ],
    )
    assert ask(both_storage, lambda connection: weekly_traffic(connection, today=100)) == Traffic(
        {"a": Use(2, 300, 60, 30, 10), "b": Use(2, 200, 40, 0, 17)},
        {"t": {"a": Use(1, 200, 40, 30, 10)}, "u": {"b": Use(1, 100, 20, 0, 7)}},
    )


def test_model_totals_cover_the_days_asked_for(telemetry: Connection, record: Make, both_storage: Storage) -> None:
    write_batch(
        telemetry,
        [
            record(day=1, model="a", cost=5),
            record(day=2, model="a", cost=6, status=500, reasoning_tokens=3),
            record(day=3, model="a"),
            record(day=2, model="b"),
        ],
    )
    totals = ask(both_storage, lambda connection: model_totals(connection, first_day=1, last_day=2))
    assert totals == {
        "a": ModelTotals(requests=2, errors=1, prompt_tokens=200, completion_tokens=40, reasoning_tokens=3, cost=11),
        "b": ModelTotals(requests=1, prompt_tokens=100, completion_tokens=20, cost=10),
    }


def test_an_empty_store_has_no_totals(telemetry: Connection, both_storage: Storage) -> None:
    assert ask(both_storage, lambda connection: weekly_tokens(connection, today=1)) == {}
    assert ask(both_storage, lambda connection: weekly_traffic(connection, today=1)) == NO_TRAFFIC
