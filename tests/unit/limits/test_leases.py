import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from trunkline.accounts.leases_store import Ask
from trunkline.errors import StorageUnavailable
from trunkline.limits.leases import LeaseDesk
from trunkline.protocol.principal import Principal
from trunkline.storage.engines import Storage

Outage = Callable[[], AbstractContextManager[None]]
NOW = 1_700_000_000_000


def test_questions_are_answered_in_order_by_one_thread(storage: Storage, principal: Callable[..., Principal]) -> None:
    key = principal(limit=100).key_hash

    async def scenario() -> tuple[int, tuple[int, tuple[str, ...]], list[int]]:
        desk = LeaseDesk(storage)
        grants = await asyncio.gather(*(desk.renew(key, Ask(free, 0, 10), NOW) for free in (0, 12)))
        answers = await desk.newest_revision(), await desk.changes(0)
        await desk.close()
        return *answers, [grant.free for grant in grants]

    assert asyncio.run(scenario()) == (1, (1, (key,)), [12, 12])


def test_a_database_that_is_away_is_unavailable_and_comes_back(
    storage: Storage, outage: Outage, principal: Callable[..., Principal]
) -> None:
    key = principal(limit=100).key_hash

    async def scenario() -> int:
        await storage.control.dispose()
        desk = LeaseDesk(storage)
        with outage(), pytest.raises(StorageUnavailable):
            await desk.renew(key, Ask(0, 0, 10), NOW)
        free = (await desk.renew(key, Ask(0, 0, 10), NOW)).free
        await desk.close()
        return free

    assert asyncio.run(scenario()) == 12


def test_closing_an_unused_desk_is_fine(storage: Storage) -> None:
    asyncio.run(LeaseDesk(storage).close())
