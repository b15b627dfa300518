import asyncio
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from trunkline.accounts.keys import Keys, NewKey
from trunkline.accounts.ledger_store import (
    KeySpending,
    LedgerEntry,
    Spending,
    credits_totals,
    grant,
    settle_batch,
    spending_of,
)
from trunkline.accounts.windows import DAY_MS
from trunkline.storage.connection import Connection, Unfit
from trunkline.storage.engines import Storage

NOW = int(datetime(2026, 11, 25, 12, tzinfo=UTC).timestamp() * 1000)


@pytest.fixture
def connection(storage: Storage) -> Iterator[Connection]:
    with closing(storage.connect_control()) as opened:
        yield opened


def _entry(number: int, amount: int = 5, *, key: str = "k", created_ms: int = NOW, is_byok: bool = False) -> LedgerEntry:
    return LedgerEntry(number.to_bytes(16, "big"), key, amount, created_ms, is_byok)


def _spending(storage: Storage, key: str = "k") -> KeySpending:
    async def read() -> KeySpending:
        async with storage.reading(storage.control) as connection:
            return (await spending_of(connection, [key], NOW)).get(key, KeySpending())

    return asyncio.run(read())


def _totals(storage: Storage) -> tuple[int, int]:
    async def read() -> tuple[int, int]:
        async with storage.reading(storage.control) as connection:
            return await credits_totals(connection)

    return asyncio.run(read())


def test_a_replay_charges_nothing(storage: Storage, connection: Connection) -> None:
    assert settle_batch(connection, "w", [_entry(1), _entry(2), _entry(2)]) == 2
    assert settle_batch(connection, "other", [_entry(2, 99), _entry(3)]) == 1
    assert _spending(storage).own.total == 15
    assert connection.execute("SELECT count(*), sum(amount) FROM ledger").fetchone() == (3, 15)


def test_a_large_batch_with_replayed_rows_charges_the_new_ones(storage: Storage, connection: Connection) -> None:
    entries = [_entry(number, number) for number in range(1, 501)]
    assert settle_batch(connection, "w", entries[:450]) == 450
    assert settle_batch(connection, "w", entries) == 50
    assert _spending(storage).own.total == sum(range(501))


def test_an_empty_batch_is_fine(connection: Connection) -> None:
    assert settle_batch(connection, "w", []) == 0


def test_a_batch_that_fails_stores_nothing_and_can_be_retried(storage: Storage, connection: Connection) -> None:
    with pytest.raises((OverflowError, Unfit)):
        settle_batch(connection, "w", [_entry(1), _entry(2, 2**70)])
    assert _spending(storage).own.total == 0
    assert settle_batch(connection, "w", [_entry(1), _entry(2)]) == 2


def test_spending_is_counted_by_the_day_of_the_request(storage: Storage, connection: Connection) -> None:
    days_back = {1: 0, 10: 1, 100: 2, 1000: 3, 10_000: 24, 100_000: 25}
    settle_batch(connection, "w", [_entry(amount, amount, created_ms=NOW - days * DAY_MS) for amount, days in days_back.items()])
    settle_batch(connection, "w", [_entry(9, 7, is_byok=True)])
    assert _spending(storage) == KeySpending(Spending(111_111, 1, 111, 11_111), Spending(7, 7, 7, 7))


def test_new_rows_are_taken_from_the_lease_of_their_worker(storage: Storage, connection: Connection) -> None:
    created, _ = asyncio.run(Keys(storage).create(NewKey(name="limited", limit=1000)))
    key = created.record.hash
    connection.execute("INSERT INTO leases VALUES (?, 'w', 12, false, ?), (?, 'x', 12, false, ?)", (key, NOW, key, NOW))
    settle_batch(connection, "w", [_entry(1, key=key), _entry(2, 100, key=key, is_byok=True)])
    settle_batch(connection, "w", [_entry(1, key=key)])
    rows = "SELECT remaining FROM leases ORDER BY worker_id"
    assert connection.execute(rows).fetchall() == [(7,), (12,)]
    settle_batch(connection, "w", [_entry(3, 10, key=key)])
    assert connection.execute(rows).fetchall() == [(-3,), (12,)]


def test_a_charge_that_no_lease_covered_is_remembered_for_limited_keys_only(storage: Storage, connection: Connection) -> None:
    limited, _ = asyncio.run(Keys(storage).create(NewKey(name="limited", limit=1000)))
    unlimited, _ = asyncio.run(Keys(storage).create(NewKey(name="unlimited")))
    settle_batch(connection, "w", [_entry(1, key=limited.record.hash), _entry(2, key=unlimited.record.hash), _entry(3, key="gone")])
    assert connection.execute("SELECT key_hash, remaining FROM leases").fetchall() == [(limited.record.hash, -5)]


def test_own_credentials_count_against_the_limit_only_where_the_key_says_so(storage: Storage, connection: Connection) -> None:
    created, _ = asyncio.run(Keys(storage).create(NewKey(name="both", limit=1000, include_byok_in_limit=True)))
    settle_batch(connection, "w", [_entry(1, key=created.record.hash, is_byok=True)])
    assert connection.execute("SELECT remaining FROM leases").fetchall() == [(-5,)]


def test_keys_remember_when_they_were_last_used(storage: Storage, connection: Connection) -> None:
    created, _ = asyncio.run(Keys(storage).create(NewKey(name="a")))
    key = created.record.hash
    settle_batch(connection, "w", [_entry(1, key=key, created_ms=NOW), _entry(2, key=key, created_ms=NOW - 50)])
    settle_batch(connection, "w", [_entry(3, key=key, created_ms=NOW - 10)])
    assert asyncio.run(Keys(storage).get(key)).record.last_used_ms == NOW


def test_an_entry_of_nothing_notes_the_use_of_its_key_and_no_more(storage: Storage, connection: Connection) -> None:
    created, _ = asyncio.run(Keys(storage).create(NewKey(name="a", limit=1000)))
    key = created.record.hash
    assert settle_batch(connection, "w", [_entry(1, 0, key=key, created_ms=NOW), _entry(2, 0, key=key, created_ms=NOW, is_byok=True)]) == 0
    assert asyncio.run(Keys(storage).get(key)).record.last_used_ms == NOW
    for table in ("ledger", "key_spend_day", "leases"):
        assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


def test_a_replay_with_a_use_in_between_keeps_the_latest(storage: Storage, connection: Connection) -> None:
    created, _ = asyncio.run(Keys(storage).create(NewKey(name="a")))
    key = created.record.hash
    batch = [_entry(1, key=key, created_ms=NOW), _entry(2, 0, key=key, created_ms=NOW + 7)]
    assert settle_batch(connection, "w", batch) == 1
    assert settle_batch(connection, "w", batch) == 0
    assert asyncio.run(Keys(storage).get(key)).record.last_used_ms == NOW + 7


def test_credits_are_grants_and_usage_of_all_keys(storage: Storage, connection: Connection) -> None:
    async def give(number: int, amount: int) -> None:
        async with storage.writing(storage.control) as writer:
            await grant(writer, number.to_bytes(16, "big"), amount, NOW, "paid")

    asyncio.run(give(1, 10**13))
    asyncio.run(give(2, 5))
    settle_batch(connection, "w", [_entry(11, 3), _entry(12, 4, key="other"), _entry(13, 100, is_byok=True)])
    assert _totals(storage) == (10**13 + 5, 7)


def test_totals_beyond_64_bits_are_exact(storage: Storage, connection: Connection) -> None:
    large = 9 * 10**18 + 1
    settle_batch(connection, "w", [_entry(number, large, key=f"k{number}") for number in range(1, 5)])
    assert _totals(storage) == (0, 4 * large)


@given(st.lists(st.lists(st.integers(1, 12), max_size=6), max_size=6))
@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_order_of_replays_charges_each_id_once(connection: Connection, batches: list[list[int]]) -> None:
    connection.execute("DELETE FROM ledger")
    connection.execute("DELETE FROM key_spend_day")
    new = sum(settle_batch(connection, "w", [_entry(number, number) for number in batch]) for batch in batches)
    ids = {number for batch in batches for number in batch}
    assert new == len(ids)
    assert connection.execute("SELECT coalesce(sum(amount), 0) FROM key_spend_day").fetchone() == (sum(ids),)
