"""SQL of the ledger: append-only rows keyed by generation id, and the sums by key and day that limits and pages read."""

from collections.abc import Iterable, Sequence

from msgspec import Struct
from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from trunkline.accounts.windows import DAY_MS, FIRST_DAY, RESETS, window_at
from trunkline.storage.connection import DUPLICATES, Connection
from trunkline.storage.schema.control import api_keys, key_spend_day, ledger

_COLUMNS = ("id", "kind", "key_hash", "amount", "created_ms", "is_byok")
_INSERT_NEW = f"INSERT INTO ledger ({', '.join(_COLUMNS)}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING RETURNING id"  # noqa: S608
_ADD_SPENDING = """(key_hash, day) DO UPDATE SET
amount = key_spend_day.amount + excluded.amount, byok_amount = key_spend_day.byok_amount + excluded.byok_amount
"""
_LEASE = """
INSERT INTO leases (key_hash, worker_id, remaining, last, expires_ms)
SELECT hash, ?, -(CAST(? AS bigint) + CASE WHEN include_byok_in_limit THEN CAST(? AS bigint) ELSE 0 END), false, CAST(? AS bigint)
FROM api_keys WHERE hash = ? AND spend_limit IS NOT NULL
ON CONFLICT (key_hash, worker_id) DO UPDATE SET remaining = leases.remaining + excluded.remaining
"""
_USED = "UPDATE api_keys SET last_used_ms = ? WHERE hash = ? AND coalesce(last_used_ms, 0) < ?"
LEASE_MS = 60_000
"""How long a worker's lease counts after its last sign of life, in milliseconds."""
_SPLIT = 10**6


class LedgerEntry(Struct, frozen=True, gc=False):
    """One charge. `amount` is what the caller pays, or with `is_byok` what their own provider credential was charged; where it is 0,
    there is nothing to charge but a use of the key to note."""

    generation_id: bytes
    key_hash: str
    amount: int
    created_ms: int
    is_byok: bool = False


def settle_batch(connection: Connection, worker_id: str, entries: Sequence[LedgerEntry]) -> int:
    """Charges generations in one transaction and returns how many were new.

    A row that the ledger already holds changes nothing, so a replay is harmless. New rows are added to the day's spending of their key,
    and taken from what `worker_id` holds of the key's limit (the process that served them; a replay for a dead process passes the dead
    one's id). What a worker holds may go below zero: its memory knows of that overspending, and its next lease makes it good. Also notes
    when keys were used, which is all that an entry of nothing does. Raises what `connection` raises, after which nothing of the batch is
    stored.
    """
    used = sorted(_latest(entries).items())
    keys = [key_hash for key_hash, _ in used]
    charges = [entry for entry in entries if entry.amount]
    try:
        with connection.transaction():
            connection.lock_rows(api_keys, keys)
            connection.insert(ledger, _COLUMNS, [_row(entry) for entry in charges])
            _add_up(connection, worker_id, charges, used)
        return len(charges)
    except DUPLICATES:  # one of them may be there already
        with connection.transaction():
            connection.lock_rows(api_keys, keys)
            new = [entry for entry in charges if connection.execute(_INSERT_NEW, _row(entry)).fetchone()]
            _add_up(connection, worker_id, new, used)
        return len(new)


def _row(entry: LedgerEntry) -> tuple[object, ...]:
    return entry.generation_id, "usage", entry.key_hash, entry.amount, entry.created_ms, entry.is_byok


def _add_up(connection: Connection, worker_id: str, new: Sequence[LedgerEntry], used: Sequence[tuple[str, int]]) -> None:
    """Adds new rows to what is summed, spending and leases, and notes when keys were used."""
    sums, latest = _sums(new), _latest(new)
    spending = [(*place, own, byok) for place, (own, byok) in sums]
    connection.insert(key_spend_day, ("key_hash", "day", "amount", "byok_amount"), spending, _ADD_SPENDING)
    leases = [(worker_id, own, byok, latest[key_hash] + LEASE_MS, key_hash) for (key_hash, _), (own, byok) in sums]
    connection.executemany(_LEASE, leases)
    connection.executemany(_USED, [(used_ms, key_hash, used_ms) for key_hash, used_ms in used])


def _sums(entries: Iterable[LedgerEntry]) -> list[tuple[tuple[str, int], tuple[int, int]]]:
    """(own, byok) amounts by key and day, in order."""
    sums: dict[tuple[str, int], tuple[int, int]] = {}
    for entry in entries:
        place = (entry.key_hash, entry.created_ms // DAY_MS)
        own, byok = sums.get(place, (0, 0))
        sums[place] = (own, byok + entry.amount) if entry.is_byok else (own + entry.amount, byok)
    return sorted(sums.items())


def _latest(entries: Iterable[LedgerEntry]) -> dict[str, int]:
    """When each key was used last, in milliseconds."""
    latest: dict[str, int] = {}
    for entry in entries:
        if entry.created_ms > latest.get(entry.key_hash, -1):
            latest[entry.key_hash] = entry.created_ms
    return latest


class Spending(Struct, frozen=True, gc=False):
    """What a key has spent: ever, and in the current UTC day, week and month."""

    total: int = 0
    daily: int = 0
    weekly: int = 0
    monthly: int = 0


class KeySpending(Struct, frozen=True):
    """`own` is charged by Trunkline, `byok` was charged by providers to the caller's own credential."""

    own: Spending = Spending()
    byok: Spending = Spending()


def _exact_sum(column: ColumnElement[int], first_day: int) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """Two sums that together are one: pico-dollars of a large site overflow 64 bits at 9.2 million dollars."""
    counted = case((key_spend_day.c.day >= first_day, column), else_=0)
    return func.coalesce(func.sum(counted // _SPLIT), 0), func.coalesce(func.sum(counted % _SPLIT), 0)


def _joined(values: Sequence[int]) -> tuple[int, ...]:
    return tuple(int(high) * _SPLIT + int(low) for high, low in zip(values[::2], values[1::2], strict=True))


async def spending_of(connection: AsyncConnection, hashes: Sequence[str], now_ms: int) -> dict[str, KeySpending]:
    """The spending of the keys; one that never spent is absent."""
    first_days = (FIRST_DAY, *(window_at(reset, now_ms).first_day for reset in RESETS))
    columns = [
        part for column in (key_spend_day.c.amount, key_spend_day.c.byok_amount) for day in first_days for part in _exact_sum(column, day)
    ]
    query = select(key_spend_day.c.key_hash, *columns).where(key_spend_day.c.key_hash.in_(hashes)).group_by(key_spend_day.c.key_hash)
    spending = {}
    for key_hash, *values in await connection.execute(query):
        amounts = _joined(values)
        spending[key_hash] = KeySpending(Spending(*amounts[:4]), Spending(*amounts[4:]))
    return spending


async def grant(connection: AsyncConnection, grant_id: bytes, amount: int, created_ms: int, note: str) -> None:
    """Adds credits (pico-dollars). `grant_id` is the 16 bytes of a fresh UUIDv7."""
    values = {"id": grant_id, "kind": "grant", "amount": amount, "is_byok": False, "created_ms": created_ms, "note": note}
    await connection.execute(ledger.insert().values(values))


async def credits_totals(connection: AsyncConnection) -> tuple[int, int]:
    """(credits ever granted, credits ever used)."""
    granted = await connection.execute(select(ledger.c.amount).where(ledger.c.kind != "usage", ledger.c.kind == "grant"))
    total_credits = sum(granted.scalars())
    used = (await connection.execute(select(*_exact_sum(key_spend_day.c.amount, FIRST_DAY)))).one()
    return total_credits, _joined(used)[0]
