import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, closing
from itertools import count

import pytest

from trunkline.accounts.keys import KeyChanges, Keys
from trunkline.accounts.ledger_store import LedgerEntry, settle_batch
from trunkline.errors import ApiError, StorageUnavailable
from trunkline.limits import budgets as budgets_room
from trunkline.limits.account import Hold
from trunkline.limits.budgets import Budgets
from trunkline.protocol.principal import Principal
from trunkline.storage.engines import Storage

_ids = count(1)
Make = Callable[..., Principal]
Outage = Callable[[], AbstractContextManager[None]]


class Clock:
    def __init__(self) -> None:
        self.ms = 1_700_000_000_000

    def __call__(self) -> int:
        return self.ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def run(storage: Storage, clock: Clock) -> Callable[[Callable[[Budgets], Awaitable[object]]], None]:
    """Runs a scenario with fresh Budgets and closes them."""

    def runner(scenario: Callable[[Budgets], Awaitable[object]]) -> None:
        async def whole() -> None:
            budgets = Budgets(storage, clock=clock)
            try:
                await scenario(budgets)
            finally:
                await budgets.close()
                await storage.control.dispose()

        asyncio.run(whole())

    return runner


def _charge(storage: Storage, principal: Principal, amount: int, clock: Clock) -> None:
    with closing(storage.connect_control()) as connection:
        settle_batch(connection, storage.worker_id, [LedgerEntry(next(_ids).to_bytes(16, "big"), principal.key_hash, amount, clock())])


def _leases(storage: Storage) -> list[tuple[int]]:
    with closing(storage.connect_control()) as connection:
        return connection.execute("SELECT remaining FROM leases").fetchall()


async def _refused(budgets: Budgets, principal: Principal, estimate: int) -> ApiError:
    with pytest.raises(ApiError) as refused:
        await budgets.reserve(principal, estimate)
    assert refused.value.status == 402
    return refused.value


def test_a_key_without_limit_never_touches_the_database(run: Callable[..., None], storage: Storage, principal: Make) -> None:
    free = principal()

    async def scenario(budgets: Budgets) -> None:
        hold = budgets.reserve_now(free, 10**15)
        assert hold is not None
        budgets.settle(hold, 10**15)

    run(scenario)
    assert _leases(storage) == []


def test_the_first_request_takes_a_slice_and_the_next_ones_use_it(run: Callable[..., None], storage: Storage, principal: Make) -> None:
    key = principal(limit=1_000)

    async def scenario(budgets: Budgets) -> None:
        assert budgets.reserve_now(key, 10) is None
        hold = await budgets.reserve(key, 10)
        assert _leases(storage) == [(125,)]
        holds = [budgets.reserve_now(key, 10) for _ in range(11)]
        assert None not in holds
        assert budgets.reserve_now(key, 10) is None
        budgets.settle(hold, 3)
        assert budgets.reserve_now(key, 10) is not None

    run(scenario)


def test_the_rest_of_the_money_goes_to_exactly_one_request(
    run: Callable[..., None], storage: Storage, principal: Make, clock: Clock
) -> None:
    key = principal(limit=25)

    async def scenario(budgets: Budgets) -> None:
        first, second = await budgets.reserve(key, 10), await budgets.reserve(key, 10)
        assert "running" in (await _refused(budgets, key, 10)).message
        budgets.settle(first, 10)
        assert "running" in (await _refused(budgets, key, 10)).message
        budgets.settle(second, 10)
        last = await budgets.reserve(key, 10)
        assert (last.last, last.amount) == (True, 5)
        await _refused(budgets, key, 10)
        budgets.settle(last, 10)
        clock.ms += 1_001
        assert "has spent its total limit" in (await _refused(budgets, key, 10)).message
        assert "has spent its total limit" in (await _refused(budgets, key, 0)).message

    run(scenario)


def test_overspending_is_reserved_at_once_for_other_workers_to_see(run: Callable[..., None], storage: Storage, principal: Make) -> None:
    key = principal(limit=100)

    async def scenario(budgets: Budgets) -> None:
        budgets.settle(await budgets.reserve(key, 60), 90)
        async with asyncio.timeout(30):
            while _leases(storage) != [(90,)]:
                await asyncio.sleep(0.01)

    run(scenario)


def test_free_requests_pass_while_money_is_left_even_if_it_is_all_reserved(run: Callable[..., None], principal: Make) -> None:
    key = principal(limit=25)

    async def scenario(budgets: Budgets) -> None:
        last = await budgets.reserve(key, 100)
        free = await budgets.reserve(key, 0)
        assert (last.last, free.amount) == (True, 0)
        budgets.settle(free, 0)
        budgets.settle(last, 24)
        budgets.settle(await budgets.reserve(key, 0), 0)
        budgets.settle(await budgets.reserve(key, 100), 1)
        await _refused(budgets, key, 0)

    run(scenario)


def test_a_refusal_is_remembered_and_asks_the_database_once(
    run: Callable[..., None], storage: Storage, principal: Make, clock: Clock
) -> None:
    key = principal(limit=0)

    async def scenario(budgets: Budgets) -> None:
        await _refused(budgets, key, 10)
        await Keys(storage).update(key.key_hash, KeyChanges(limit=100))
        await _refused(budgets, key, 10)
        clock.ms += 1_000
        budgets.settle(await budgets.reserve(key, 10), 0)

    run(scenario)


def test_many_at_once_never_reserve_more_than_there_is(run: Callable[..., None], storage: Storage, principal: Make, clock: Clock) -> None:
    key = principal(limit=1_000)

    async def one(budgets: Budgets) -> int:
        try:
            hold = budgets.reserve_now(key, 30) or await budgets.reserve(key, 30)
        except ApiError:
            return 0
        await asyncio.sleep(0)
        budgets.settle(hold, 30)
        return 30

    async def scenario(budgets: Budgets) -> None:
        spent = sum(await asyncio.gather(*(one(budgets) for _ in range(500))))
        assert 990 <= spent <= 1_020

    run(scenario)


def test_a_hold_is_settled_once(run: Callable[..., None], principal: Make, caplog: pytest.LogCaptureFixture) -> None:
    key = principal(limit=1_000)

    async def scenario(budgets: Budgets) -> None:
        hold = await budgets.reserve(key, 30)
        budgets.settle(hold, 10)
        with caplog.at_level(logging.ERROR):
            budgets.settle(hold, 10)
        assert "settled twice" in caplog.text
        assert hold.account is not None
        assert (hold.account.charged, hold.account.running) == (10, 0)

    run(scenario)


def test_a_new_window_begins_at_once(run: Callable[..., None], storage: Storage, principal: Make, clock: Clock) -> None:
    key = principal(limit=100, limit_reset="daily")

    async def scenario(budgets: Budgets) -> None:
        budgets.settle(await budgets.reserve(key, 100), 100)
        _charge(storage, key, 100, clock)
        error = await _refused(budgets, key, 10)
        assert error.metadata is not None
        clock.ms += 86_400_000 - clock.ms % 86_400_000
        budgets.settle(await budgets.reserve(key, 10), 0)

    run(scenario)


def test_own_credentials_count_only_where_the_key_says_so(run: Callable[..., None], principal: Make) -> None:
    without, with_byok = principal(limit=100), principal(limit=100, include_byok_in_limit=True)

    async def scenario(budgets: Budgets) -> None:
        for key, left in ((without, 100), (with_byok, 40)):
            hold = await budgets.reserve(key, 60)
            budgets.settle(hold, 60, is_byok=True)
            assert hold.account is not None
            assert hold.account.left == left

    run(scenario)


def test_a_cancelled_wait_loses_no_money(run: Callable[..., None], storage: Storage, principal: Make, clock: Clock) -> None:
    key = principal(limit=10)

    async def scenario(budgets: Budgets) -> None:
        budgets.settle(await budgets.reserve(key, 1), 1)
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(budgets.reserve(key, 20))
            await asyncio.sleep(0)
            waiting.cancel()
        hold = await budgets.reserve(key, 20)
        assert (hold.amount, hold.last) == (9, True)
        budgets.settle(hold, 0)

    run(scenario)
    assert _leases(storage) == [(1,)]  # charged, and not yet in the ledger


def test_without_database_known_slices_go_on_and_the_rest_is_unavailable(
    run: Callable[..., None], storage: Storage, outage: Outage, principal: Make, clock: Clock
) -> None:
    key, other = principal(limit=1_000), principal(limit=1_000)

    async def scenario(budgets: Budgets) -> None:
        assert await budgets.reserve(key, 10)
        await asyncio.get_running_loop().run_in_executor(
            budgets._desk._thread, budgets._desk._disconnect
        )  # a file that is open stays usable
        with outage():
            assert budgets.reserve_now(key, 10) is not None
            for _ in range(2):
                with pytest.raises(StorageUnavailable):
                    await budgets.reserve(other, 10)
        with pytest.raises(StorageUnavailable):
            await budgets.reserve(other, 10)
        clock.ms += 1_000
        assert await budgets.reserve(other, 10) is not None

    run(scenario)


def test_unused_money_is_given_back_when_idle_and_at_the_end(
    run: Callable[..., None], storage: Storage, principal: Make, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, roomy = principal(limit=100), principal(limit=10**9)
    monkeypatch.setattr(budgets_room, "WATCH_SECONDS", 0.01)

    async def scenario(budgets: Budgets) -> None:
        await budgets.start()
        for owner in (key, roomy):
            budgets.settle(await budgets.reserve(owner, 10), 0)
        assert len(_leases(storage)) == 2
        clock.ms += 2_000
        async with asyncio.timeout(30):
            while len(_leases(storage)) > 1:
                await asyncio.sleep(0.01)
        assert _leases(storage) == [(20_000,)]

    run(scenario)
    assert _leases(storage) == []


def test_changes_of_a_key_are_noticed_and_long_requests_keep_their_lease(
    run: Callable[..., None], storage: Storage, principal: Make, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = principal(limit=1_000)
    monkeypatch.setattr(budgets_room, "WATCH_SECONDS", 0.01)

    async def scenario(budgets: Budgets) -> None:
        await budgets.start()
        hold = await budgets.reserve(key, 10)
        assert hold.account is not None
        until = hold.account.lease_until_ms
        clock.ms += 40_000
        async with asyncio.timeout(30):
            while hold.account.lease_until_ms == until:
                await asyncio.sleep(0.01)
        assert budgets.reserve_now(key, 10) is not None
        await Keys(storage).update(key.key_hash, KeyChanges(limit=15))
        async with asyncio.timeout(30):
            while budgets.reserve_now(key, 1) is not None:
                await asyncio.sleep(0.01)
        await _refused(budgets, key, 10)
        await Keys(storage).update(key.key_hash, KeyChanges(limit=None))
        async with asyncio.timeout(30):
            while (await asyncio.gather(budgets.reserve(key, 10**6), return_exceptions=True))[0] != Hold():
                await asyncio.sleep(0.01)

    run(scenario)
