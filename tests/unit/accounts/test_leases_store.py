import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from trunkline.accounts.keys import KeyChanges, Keys, NewKey
from trunkline.accounts.leases_store import Ask, Grant, changed_hashes, newest_revision, renew_lease
from trunkline.accounts.ledger_store import LEASE_MS, LedgerEntry, settle_batch
from trunkline.accounts.windows import DAY_MS, NO_END
from trunkline.storage.connection import Connection
from trunkline.storage.engines import Storage

NOW = 1_700_000_000_000
_ids = count(1)


@pytest.fixture
def connection(storage: Storage) -> Iterator[Connection]:
    with closing(storage.connect_control(durable=False)) as opened:
        yield opened


def _key(storage: Storage, **fields: object) -> str:
    created, _ = asyncio.run(Keys(storage).create(NewKey(name="k", **fields)))
    return created.record.hash


def _charge(connection: Connection, worker: str, key: str, amount: int, *, created_ms: int = NOW) -> None:
    settle_batch(connection, worker, [LedgerEntry(next(_ids).to_bytes(16, "big"), key, amount, created_ms)])


def _renew(connection: Connection, key: str, worker: str = "w", *, now_ms: int = NOW, **ask: object) -> Grant:
    return renew_lease(connection, key, worker, Ask(**{"free": 0, "held": 0, **ask}), now_ms)


def _row(connection: Connection, worker: str = "w") -> tuple[int, int] | None:
    return connection.execute("SELECT remaining, last FROM leases WHERE worker_id = ?", (worker,)).fetchone()


def test_slices_are_about_a_hundred_requests_and_shrink_with_the_balance(storage: Storage, connection: Connection) -> None:
    key = _key(storage, limit=100_000)
    assert _renew(connection, key, "a", estimate=10).free == 1_000
    assert _renew(connection, key, "b", estimate=1_000).free == 99_000 // 8
    left = 100_000 - 1_000 - 99_000 // 8
    grant = _renew(connection, key, "c", estimate=left - 5)
    assert (grant.verdict, grant.free) == ("granted", left - 5)
    assert _renew(connection, key, "d", estimate=5).free == 5


def test_a_key_without_limit_or_without_row_needs_no_lease(storage: Storage, connection: Connection) -> None:
    for key in (_key(storage), "unknown"):
        grant = _renew(connection, key, estimate=5)
        assert (grant.verdict, grant.window_end_ms, _row(connection)) == ("unlimited", NO_END, None)


def test_what_others_hold_is_not_available_until_it_expires(storage: Storage, connection: Connection) -> None:
    key = _key(storage, limit=10)
    assert _renew(connection, key, "dead", estimate=10).free == 10
    assert _renew(connection, key, estimate=10, may_be_last=True).verdict == "refused"
    assert _renew(connection, key, estimate=10, now_ms=NOW + LEASE_MS - 1).verdict == "refused"
    assert _renew(connection, key, estimate=10, now_ms=NOW + LEASE_MS).free == 10


def test_one_request_may_run_on_a_remainder_and_no_second_one_anywhere(storage: Storage, connection: Connection) -> None:
    key = _key(storage, limit=10)
    assert _renew(connection, key, estimate=20).verdict == "refused"
    grant = _renew(connection, key, estimate=20, may_be_last=True)
    assert (grant.verdict, grant.free, _row(connection)) == ("last", 10, (10, 1))
    asyncio.run(Keys(storage).update(key, KeyChanges(limit=15)))
    assert _renew(connection, key, "x", estimate=20, may_be_last=True).verdict == "refused"
    assert _renew(connection, key, "x", estimate=5).verdict == "granted"
    _charge(connection, "w", key, 10)
    assert _renew(connection, key, "w").free == 0
    assert _row(connection) is None
    assert _renew(connection, key, "x", free=5, estimate=20, may_be_last=True).verdict == "last"


def test_a_debt_stays_reserved_until_the_ledger_knows_it(storage: Storage, connection: Connection) -> None:
    key = _key(storage, limit=100)
    _renew(connection, key, estimate=90, may_be_last=True)
    grant = _renew(connection, key, free=-8)  # 90 held, 98 charged in memory
    assert (grant.left, _row(connection)) == (2, (98, 0))
    assert _renew(connection, key, "x", estimate=2).free == 2
    _charge(connection, "w", key, 98)
    assert _row(connection) == (0, 0)
    assert _renew(connection, key, "x", free=2).left == 2


@pytest.mark.parametrize("settled_first", [True, False])
def test_charges_that_arrive_between_question_and_answer_leave_nothing_behind(
    storage: Storage, connection: Connection, settled_first: bool
) -> None:
    key = _key(storage, limit=1_000)
    free = _renew(connection, key, estimate=100).free - 100  # one request of 100 runs
    asked_with = free
    _charge(connection, "w", key, 60)  # the ledger knows before the answer is written
    if settled_first:
        free += 40
    answer = _renew(connection, key, free=asked_with, held=100, estimate=200)
    free += answer.free - asked_with + (0 if settled_first else 40)
    row = _row(connection)
    assert row is not None
    assert row[0] == free
    assert _renew(connection, key, free=free, give_back=True).left == 940
    assert _row(connection) is None


def test_an_expired_lease_is_taken_up_again_only_as_far_as_money_is_left(storage: Storage, connection: Connection) -> None:
    key = _key(storage, limit=100)
    assert _renew(connection, key, estimate=60).free == 60
    later = NOW + 2 * LEASE_MS
    assert _renew(connection, key, "x", estimate=90, now_ms=later).free == 90
    assert _renew(connection, key, free=60, now_ms=later).free == 10


def test_a_lowered_limit_takes_free_money_back(storage: Storage, connection: Connection) -> None:
    key = _key(storage, limit=100)
    assert _renew(connection, key, estimate=60).free == 60
    asyncio.run(Keys(storage).update(key, KeyChanges(limit=25)))
    assert _renew(connection, key, free=40, held=20).free == 5
    assert _row(connection) == (25, 0)


def test_the_first_question_about_a_key_forgets_what_the_row_says(storage: Storage, connection: Connection) -> None:
    key = _key(storage, limit=100)
    _charge(connection, "w", key, 30)  # by a request that began before the key had a limit
    assert _row(connection) == (-30, 0)
    grant = _renew(connection, key, estimate=10, fresh=True)
    assert (grant.left, grant.free, _row(connection)) == (70, 10, (10, 0))


def test_a_window_counts_only_its_own_spending(storage: Storage, connection: Connection) -> None:
    key = _key(storage, limit=100, limit_reset="daily")
    _charge(connection, "other", key, 70)
    today = _renew(connection, key)
    assert (today.left, today.window_end_ms) == (30, NOW // DAY_MS * DAY_MS + DAY_MS)
    assert _renew(connection, key, now_ms=today.window_end_ms).left == 100


def test_free_requests_learn_what_is_left_and_take_nothing(storage: Storage, connection: Connection) -> None:
    key = _key(storage, limit=100)
    assert (_renew(connection, key).left, _row(connection)) == (100, None)


def test_changes_of_keys_are_found_by_revision(storage: Storage, connection: Connection) -> None:
    assert newest_revision(connection) == 0
    first, second = _key(storage), _key(storage)
    assert changed_hashes(connection, 0) == (2, (first, second))
    asyncio.run(Keys(storage).update(first, KeyChanges(name="x")))
    assert changed_hashes(connection, 2) == (3, (first,))
    assert changed_hashes(connection, 3) == (3, ())
    assert newest_revision(connection) == 3


class Worker:
    """A worker's memory of one key, as `limits` keeps it."""

    def __init__(self, connection: Connection, key: str, name: str) -> None:
        self.connection, self.key, self.name = connection, key, name
        self.free = 0
        self.holds: list[int] = []
        self.unsettled: list[int] = []

    def renew(self, now_ms: int, estimate: int = 0, *, give_back: bool = False) -> None:
        ask = Ask(self.free, sum(self.holds), estimate, give_back=give_back)
        self.free = renew_lease(self.connection, self.key, self.name, ask, now_ms).free

    def reserve(self, now_ms: int, estimate: int) -> None:
        if self.free < estimate:
            self.renew(now_ms, estimate)
        if self.free >= estimate:
            self.free -= estimate
            self.holds.append(estimate)

    def settle(self, now_ms: int, discount: int) -> None:
        if self.holds:
            held = self.holds.pop()
            self.unsettled.append(max(0, held - discount))
            self.free += held - self.unsettled[-1]

    def write_ledger(self, now_ms: int, _: int) -> None:
        for cost in self.unsettled:
            _charge(self.connection, self.name, self.key, cost, created_ms=now_ms)
        self.unsettled.clear()

    def stop(self, now_ms: int, _: int) -> None:
        self.renew(now_ms, give_back=True)

    @property
    def owns(self) -> int:
        return self.free + sum(self.holds) + sum(self.unsettled)


ACTIONS = [Worker.reserve, Worker.reserve, Worker.settle, Worker.write_ledger, Worker.stop, None]


@given(st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 2), st.integers(1, 40)), max_size=30))
@hypothesis_settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_spending_and_leases_never_exceed_the_limit(
    storage: Storage, connection: Connection, steps: list[tuple[Callable[[Worker, int, int], None] | None, int, int]]
) -> None:
    """Three workers reserve, settle at no more than reserved, write the ledger late, give back, and crash (no action)."""
    limit, now = 200, NOW
    key = _key(storage, limit=limit)
    workers = [Worker(connection, key, f"{number}") for number in range(3)]
    for action, number, amount in steps:
        now += 1
        if action is None:
            workers[number].write_ledger(now, 0)  # by another process, from the spool
            workers[number] = Worker(connection, key, f"{number} at {now}")
            now += 2 * LEASE_MS
            for worker in workers:
                worker.renew(now)
        else:
            action(workers[number], now, amount)
        spent = connection.execute("SELECT coalesce(sum(amount), 0) FROM key_spend_day WHERE key_hash = ?", (key,)).fetchone()[0]
        owned = sum(worker.owns for worker in workers)
        assert spent + owned <= limit
        live = "SELECT coalesce(sum(remaining), 0) FROM leases WHERE key_hash = ? AND expires_ms > ?"
        assert connection.execute(live, (key, now)).fetchone()[0] >= owned
