"""Spending limits of keys: reserve before a request, settle once after it (design decision 7).

A request reserves a realistic estimate. When a key has less left than that but more than nothing, exactly one request may run on it while
no other of the key runs, so that the rest of the money is usable and overspending is bounded by one request. A key with nothing left is
refused, for free models too; a request that costs nothing is never refused because of an estimate.
"""

import asyncio
import logging
from collections.abc import Callable

from trunkline.accounts.keys import now_ms
from trunkline.accounts.leases_store import Ask, Grant
from trunkline.errors import StorageUnavailable
from trunkline.limits.account import REFUSAL_MS, Account, Hold
from trunkline.limits.leases import LeaseDesk
from trunkline.protocol.principal import Principal
from trunkline.storage.engines import Storage
from trunkline.transport.tasks import spawn

WATCH_SECONDS = 0.5
RENEW_MS = 30_000
IDLE_MS = 1_500
ROOMY_IDLE_MS = 30_000
FORGET_MS = 90_000
_ROUNDS = 8
_log = logging.getLogger(__name__)


class Budgets:
    """The limits of one worker. All methods belong to one event loop; `clock` gives Unix milliseconds, the same in all workers."""

    def __init__(self, storage: Storage, *, clock: Callable[[], int] = now_ms) -> None:
        self._desk = LeaseDesk(storage)
        self._clock = clock
        self._accounts: dict[str, Account] = {}
        self._revision = 0
        self._watch: asyncio.Task[None] | None = None
        self._closed = False

    async def start(self) -> None:
        """Begins to watch: keys that changed, leases to renew or give back. Raises StorageUnavailable."""
        self._revision = await self._desk.newest_revision()
        self._watch = spawn(self._watching(), name="budgets watch")

    async def close(self) -> None:
        """Gives back all that is free, and ends. The ledger may still be written afterwards."""
        self._closed = True
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait([self._watch])
        await asyncio.gather(
            *(self._renew(account, account.ask(give_back=True)) for account in self._accounts.values()), return_exceptions=True
        )
        await self._desk.close()

    def reserve_now(self, principal: Principal, estimate: int) -> Hold | None:
        """Reserves `estimate` pico-dollars from memory; None = `reserve` must be awaited."""
        if not principal.limited:
            return Hold()
        account = self._accounts.get(principal.key_hash)
        return None if account is None else account.take(estimate, self._clock())

    async def reserve(self, principal: Principal, estimate: int) -> Hold:
        """Reserves `estimate` pico-dollars, asking the database where memory does not suffice.

        Raises ApiError `payment_required` (402) when the key's limit does not allow it, StorageUnavailable when that cannot be known.
        """
        hold = self.reserve_now(principal, estimate)
        if hold is not None:
            return hold
        account = self._account(principal.key_hash)
        async with account.lock:
            for _ in range(_ROUNDS):
                hold = self._take_or_refuse(account, estimate)
                if hold is not None:
                    return hold
                if account.pending is not None:
                    await asyncio.wait([account.pending])
                    continue
                grant = await asyncio.shield(self._renew(account, account.ask(max(0, estimate))))
                hold = account.take_last(self._clock()) if grant.verdict == "last" else None
                if hold is not None:
                    return hold
        raise account.refusal(self._clock())

    def _account(self, key_hash: str) -> Account:
        now = self._clock()
        account = self._accounts.get(key_hash)
        if account is None:
            account = self._accounts[key_hash] = Account(key_hash, now)
        account.used_ms = now
        return account

    def _take_or_refuse(self, account: Account, estimate: int) -> Hold | None:
        now = self._clock()
        hold = account.take(estimate, now)
        if hold is not None:
            return hold
        if now < account.outage_until_ms:
            raise StorageUnavailable("the key's limit cannot be checked: the database did not answer a moment ago")
        if account.is_refused(estimate, now):
            raise account.refusal(now)
        return None

    def settle(self, hold: Hold, cost: int, *, is_byok: bool = False) -> None:
        """Ends a reservation with the real cost in pico-dollars; cost 0 releases it. `is_byok` = charged to the caller's own credential.

        A hold is settled once: a second call changes nothing and is logged as an error.
        """
        if hold.settled:
            _log.error("a hold was settled twice", extra={"cost": cost})
            return
        hold.settled = True
        account = hold.account
        if account is None:
            return
        if is_byok and not account.terms.include_byok:
            cost = 0
        account.put_back(hold, cost, self._clock())
        if (hold.last or account.free < 0) and not self._closed:
            self._renew(account, account.ask())

    def _renew(self, account: Account, ask: Ask) -> asyncio.Future[Grant]:
        """Asks the database; the answer is applied even when nobody waits for it any more."""
        now, charged, was_stale = self._clock(), account.charged, account.stale
        account.stale = False
        future = self._desk.renew(account.key_hash, ask, now)
        account.pending = future

        def apply(answered: asyncio.Future[Grant]) -> None:
            if account.pending is answered:
                account.pending = None
            if answered.cancelled():
                return
            if answered.exception() is None:
                account.learn(ask, charged, answered.result(), now)
            else:
                account.stale = account.stale or was_stale
                account.outage_until_ms = self._clock() + REFUSAL_MS

        future.add_done_callback(apply)
        return future

    async def _watching(self) -> None:
        silent = False
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            try:
                await self._look_around()
                silent = False
            except StorageUnavailable as error:
                if not silent:
                    _log.warning("limits: %s", error)
                silent = True

    async def _look_around(self) -> None:
        """One round: learns which keys changed, keeps leases that are in use, gives back those that are not."""
        self._revision, changed = await self._desk.changes(self._revision)
        for key_hash in changed:
            if key_hash in self._accounts:
                self._accounts[key_hash].stale = True
        for account in tuple(self._accounts.values()):
            await self._tend(account, self._clock())

    async def _tend(self, account: Account, now: int) -> None:
        idle_ms = now - account.used_ms
        if account.pending is not None:
            return
        if account.running:
            if now > account.lease_until_ms - RENEW_MS:
                await self._renew(account, account.ask())
        elif account.free and idle_ms > (ROOMY_IDLE_MS if account.terms.roomy else IDLE_MS):
            await self._renew(account, account.ask(give_back=True))
        elif idle_ms > FORGET_MS and not account.lock.locked():
            self._accounts.pop(account.key_hash, None)
