"""SQL of leases: parts of a key's limit that one worker holds, so that most requests need no database.

At any moment `limit = spent + sum of live leases + what is free for all`. A worker's row holds what its requests reserve, what they were
charged but the ledger does not yet know, and what is free in its memory; charging moves money from the row to `spent` in one transaction
(`settle_batch`).
"""

from typing import Literal

from msgspec import Struct

from trunkline.accounts.ledger_store import LEASE_MS
from trunkline.accounts.windows import NO_END, RESETS, Reset, window_at
from trunkline.storage.connection import Connection
from trunkline.storage.schema.control import api_keys

_KEEP_EXPIRED_MS = 600_000

_BALANCE = """
SELECT k.spend_limit, k.limit_reset, k.include_byok_in_limit,
(SELECT coalesce(sum(s.amount + CASE WHEN k.include_byok_in_limit THEN s.byok_amount ELSE 0 END), 0) FROM key_spend_day s
 WHERE s.key_hash = k.hash AND s.day >=
 CASE k.limit_reset WHEN 'daily' THEN CAST(? AS integer) WHEN 'weekly' THEN CAST(? AS integer) WHEN 'monthly' THEN CAST(? AS integer)
 ELSE CAST(? AS integer) END),
(SELECT coalesce(sum(CASE WHEN l.remaining > 0 THEN l.remaining ELSE 0 END), 0) FROM leases l
 WHERE l.key_hash = k.hash AND l.worker_id <> ? AND l.expires_ms > ?),
EXISTS (SELECT 1 FROM leases l WHERE l.key_hash = k.hash AND l.worker_id <> ? AND l.expires_ms > ? AND l.last),
(SELECT l.remaining FROM leases l WHERE l.key_hash = k.hash AND l.worker_id = ?)
FROM api_keys k WHERE k.hash = ?
"""
"""A key's limit, what is spent of it in the window of its reset, what others hold, whether one of them runs on the last, what we hold."""
_WRITE = """
INSERT INTO leases (key_hash, worker_id, remaining, last, expires_ms) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (key_hash, worker_id) DO UPDATE SET remaining = excluded.remaining, last = excluded.last, expires_ms = excluded.expires_ms
"""
_DROP = "DELETE FROM leases WHERE key_hash = ? AND worker_id = ?"
_SWEEP = "DELETE FROM leases WHERE key_hash = ? AND expires_ms < ?"

Verdict = Literal["granted", "last", "refused", "unlimited"]


class Ask(Struct, frozen=True, gc=False):
    """What a worker knows and wants, in pico-dollars.

    `free` is what it has over (negative = it was charged more than it held), `held` what its running requests reserve. `estimate` is the
    request that waits (0 = none, or a free one), `may_be_last` tells that nothing of this key runs here, `running_last` that a request on
    a remainder still does, `give_back` that nothing is wanted any more, and `fresh` that this is the first question about the key: what its
    row says is of an earlier time.
    """

    free: int
    held: int
    estimate: int = 0
    may_be_last: bool = False
    running_last: bool = False
    give_back: bool = False
    fresh: bool = False


class Grant(Struct, frozen=True, gc=False):
    """The answer: `free` is what the worker now has over; `left` is the limit less what is spent or already charged here.

    It holds until `expires_ms`, and no longer than `window_end_ms`, when the limit resets. `limit` None = the key has none.
    """

    verdict: Verdict
    free: int = 0
    left: int = 0
    roomy: bool = False
    expires_ms: int = 0
    window_end_ms: int = NO_END
    limit: int | None = None
    reset: Reset | None = None
    include_byok: bool = False


def _share(available: int, estimate: int) -> int:
    """How much to take at once: about a hundred requests, but never more than an eighth of what is left, so that slices shrink with the
    balance; up to two thousand while that is a trifle of it, so that a busy key seldom asks."""
    return max(min(100 * estimate, available // 8), min(2000 * estimate, available // 256))


def _decide(ask: Ask, available: int, *, other_last: bool) -> tuple[Verdict, int]:
    """The verdict, and what shall be free at the worker afterwards (never negative)."""
    if ask.give_back:
        return "granted", 0
    if not ask.estimate:
        return "granted", max(0, min(ask.free, available))
    if available >= ask.estimate:
        return "granted", min(available, max(ask.estimate, _share(available, ask.estimate)))
    if available > 0 and ask.may_be_last and not other_last:
        return "last", available
    return "refused", 0


class _Balance(Struct, frozen=True, gc=False):
    """A key's limit as this worker sees it: `mine` is its own lease, `committed` the part of it that requests have used or reserved."""

    limit: int
    reset: Reset | None
    include_byok: bool
    window_end_ms: int
    spent: int
    others: int
    other_last: bool
    mine: int

    def committed(self, ask: Ask) -> int:
        return max(ask.held, self.mine - ask.free)

    def available(self, ask: Ask) -> int:
        """What could be free at this worker at most."""
        return self.limit - self.spent - self.others - self.committed(ask)

    def left(self, ask: Ask) -> int:
        """The limit less everything charged, in the ledger or not yet."""
        return self.limit - self.spent - (self.mine - ask.free - ask.held)


def _read_balance(connection: Connection, key_hash: str, worker_id: str, ask: Ask, now_ms: int) -> _Balance | None:
    """None when the key has no limit, or is none. What its own row holds is, without a row that counts, what its memory says."""
    first_days = [window_at(reset, now_ms).first_day for reset in (*RESETS, None)]
    row = connection.execute(_BALANCE, (*first_days, worker_id, now_ms, worker_id, now_ms, worker_id, key_hash)).fetchone()
    if row is None or row[0] is None:
        return None
    limit, reset, include_byok, spent, others, other_last, stored = row
    mine = max(0, ask.free) + ask.held if ask.fresh or stored is None else stored
    return _Balance(limit, reset, bool(include_byok), window_at(reset, now_ms).end_ms, int(spent), int(others), bool(other_last), mine)


def renew_lease(connection: Connection, key_hash: str, worker_id: str, ask: Ask, now_ms: int) -> Grant:
    """Takes, keeps or gives back a slice of the key's limit, in one transaction.

    The row changes by exactly as much as the worker's free money does, so that charges that reach it in between are neither lost nor
    counted twice. Raises what `connection` raises.
    """
    expires_ms = now_ms + LEASE_MS
    with connection.transaction():
        connection.lock_rows(api_keys, [key_hash])
        connection.execute(_SWEEP, (key_hash, now_ms - _KEEP_EXPIRED_MS))
        balance = _read_balance(connection, key_hash, worker_id, ask, now_ms)
        if balance is None:
            connection.execute(_DROP, (key_hash, worker_id))
            return Grant("unlimited", expires_ms=expires_ms)
        available = balance.available(ask)
        verdict, free = _decide(ask, available, other_last=balance.other_last)
        remaining = balance.mine - ask.free + free
        if remaining or ask.held:
            connection.execute(_WRITE, (key_hash, worker_id, remaining, verdict == "last" or ask.running_last, expires_ms))
        else:
            connection.execute(_DROP, (key_hash, worker_id))
    return Grant(
        verdict,
        free=free,
        left=balance.left(ask),
        roomy=available - free > 8 * max(free, ask.estimate),
        expires_ms=expires_ms,
        window_end_ms=balance.window_end_ms,
        limit=balance.limit,
        reset=balance.reset,
        include_byok=balance.include_byok,
    )


def changed_hashes(connection: Connection, after: int) -> tuple[int, tuple[str, ...]]:
    """The newest revision of any key, and the keys changed after revision `after`. Raises what `connection` raises."""
    rows = connection.execute("SELECT revision, hash FROM api_keys WHERE revision > ? ORDER BY revision", (after,)).fetchall()
    return (rows[-1][0] if rows else after), tuple(key_hash for _, key_hash in rows)


def newest_revision(connection: Connection) -> int:
    """The newest revision of any key. Raises what `connection` raises."""
    return int(connection.execute("SELECT coalesce(max(revision), 0) FROM api_keys").fetchone()[0])
