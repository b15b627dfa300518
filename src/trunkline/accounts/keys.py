"""The rules of API keys (contract 1.2, 1.3): minting, listing, changing, disabling, deleting.

The key itself is shown once, by `create`; afterwards only its SHA-256 is known. A deleted key stays in the database as refused.
"""

import re
import secrets
import time
from collections.abc import Callable

from msgspec import UNSET, Struct, UnsetType

from trunkline.accounts.keys_store import KeyRecord, add_key, change_key, find_key, list_keys
from trunkline.accounts.ledger_store import KeySpending, spending_of
from trunkline.accounts.windows import RESETS, Reset
from trunkline.errors import ApiError
from trunkline.protocol.identity import key_hash, key_label
from trunkline.protocol.money import PICO_PER_USD
from trunkline.protocol.principal import KeyKind
from trunkline.storage.engines import Storage

DEFAULT_WORKSPACE_ID = "0190a5c0-7e57-7000-8000-000000000001"
PAGE = 100
MAX_LIMIT = 9_000_000 * PICO_PER_USD
"""The largest limit, 9 million USD: pico-dollars are stored in 64 bits."""
_MAX_NAME = 255
_HASH = re.compile(r"[0-9a-f]{64}")


def now_ms() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000


def mint_key() -> str:
    """A fresh secret of OpenRouter's form."""
    return f"sk-or-v1-{secrets.token_hex(32)}"


class NewKey(Struct, frozen=True, kw_only=True):
    """What `POST /keys` sends. `limit` is in pico-dollars, None = unlimited; `expires_ms` in Unix milliseconds."""

    name: str
    kind: KeyKind = "inference"
    limit: int | None = None
    limit_reset: Reset | None = None
    include_byok_in_limit: bool = False
    expires_ms: int | None = None
    creator_user_id: str | None = None
    workspace_id: str | None = None


class KeyChanges(Struct, frozen=True, kw_only=True):
    """What `PATCH /keys/{hash}` sends: only the fields that are set change; None removes a limit or its reset."""

    name: str | UnsetType = UNSET
    disabled: bool | UnsetType = UNSET
    limit: int | UnsetType | None = UNSET
    limit_reset: Reset | UnsetType | None = UNSET
    include_byok_in_limit: bool | UnsetType = UNSET


class ApiKey(Struct, frozen=True):
    """A key with what it has spent."""

    record: KeyRecord
    spending: KeySpending
    limit_remaining: int | None


_COLUMN_OF_FIELD = {"limit": "spend_limit"}


def _check_name(name: str) -> None:
    if not name.strip() or len(name) > _MAX_NAME:
        raise ApiError("invalid_request", f"name must have 1 to {_MAX_NAME} characters")


def _check_limit(limit: int | None) -> None:
    if limit is not None and not 0 <= limit <= MAX_LIMIT:
        raise ApiError("invalid_request", f"limit must be between 0 and {MAX_LIMIT // PICO_PER_USD} USD")


def _check_reset(reset: str | None) -> None:
    if reset is not None and reset not in RESETS:
        raise ApiError("invalid_request", f"limit_reset must be one of {', '.join(RESETS)}, or null")


_CHECKS: dict[str, Callable[..., None]] = {"name": _check_name, "limit": _check_limit, "limit_reset": _check_reset}


def _with_spending(record: KeyRecord, spending: KeySpending) -> ApiKey:
    if record.spend_limit is None:
        return ApiKey(record, spending, None)
    window = record.limit_reset or "total"
    spent = getattr(spending.own, window) + (getattr(spending.byok, window) if record.include_byok_in_limit else 0)
    return ApiKey(record, spending, max(0, record.spend_limit - spent))


class Keys:
    """The keys of one database. `clock` gives Unix milliseconds. Every method raises StorageUnavailable when the database does not
    answer."""

    def __init__(self, storage: Storage, *, clock: Callable[[], int] = now_ms) -> None:
        self._storage = storage
        self._clock = clock

    async def create(self, new: NewKey, *, secret: str | None = None) -> tuple[ApiKey, str]:
        """Stores a new key and returns it with its secret, which cannot be read again. `secret` is for keys that must be exactly known.

        Raises ApiError `invalid_request` for a field out of range or a secret that exists.
        """
        self._check(new)
        now = self._clock()
        if new.expires_ms is not None and new.expires_ms <= now:
            raise ApiError("invalid_request", "expires_at must be in the future")
        secret = secret or mint_key()
        record = KeyRecord(
            hash=key_hash(secret),
            name=new.name,
            label=key_label(secret),
            kind=new.kind,
            workspace_id=new.workspace_id or DEFAULT_WORKSPACE_ID,
            created_ms=now,
            spend_limit=new.limit,
            limit_reset=new.limit_reset,
            include_byok_in_limit=new.include_byok_in_limit,
            expires_ms=new.expires_ms,
            creator_user_id=new.creator_user_id,
        )
        async with self._storage.writing(self._storage.control) as connection:
            if not await add_key(connection, record):
                raise ApiError("invalid_request", "this key exists already")
        return _with_spending(record, KeySpending()), secret

    def _check(self, fields: NewKey | KeyChanges) -> None:
        for name, check in _CHECKS.items():
            value = getattr(fields, name)
            if value is not UNSET:
                check(value)

    async def newest(
        self, *, workspace_id: str | None = DEFAULT_WORKSPACE_ID, include_disabled: bool = False, offset: int = 0
    ) -> list[ApiKey]:
        """The newest 100 keys after `offset`, without deleted ones. `workspace_id` None = of all workspaces."""
        async with self._storage.reading(self._storage.control) as connection:
            records = await list_keys(connection, workspace_id=workspace_id, include_disabled=include_disabled, offset=offset, count=PAGE)
            spending = await spending_of(connection, [record.hash for record in records], self._clock())
        return [_with_spending(record, spending.get(record.hash, KeySpending())) for record in records]

    async def get(self, wanted: str) -> ApiKey:
        """The key with this hash. Raises ApiError `not_found` when there is none or it was deleted."""
        async with self._storage.reading(self._storage.control) as connection:
            record = await find_key(connection, wanted) if _HASH.fullmatch(wanted) else None
            if record is None or record.deleted_ms is not None:
                raise ApiError("not_found", "API key not found")
            spending = await spending_of(connection, [wanted], self._clock())
        return _with_spending(record, spending.get(wanted, KeySpending()))

    async def update(self, wanted: str, changes: KeyChanges) -> ApiKey:
        """Changes the fields that are set. Raises ApiError `invalid_request` or `not_found`."""
        self._check(changes)
        values = {_COLUMN_OF_FIELD.get(name, name): getattr(changes, name) for name in KeyChanges.__struct_fields__}
        await self._change(wanted, {name: value for name, value in values.items() if value is not UNSET})
        return await self.get(wanted)

    async def delete(self, wanted: str) -> None:
        """Ends a key for good; what it spent stays in the ledger. Raises ApiError `not_found`."""
        await self._change(wanted, {"deleted_ms": self._clock()})

    async def _change(self, wanted: str, values: dict[str, object]) -> None:
        async with self._storage.writing(self._storage.control) as connection:
            if not await change_key(connection, wanted, values, self._clock()):
                raise ApiError("not_found", "API key not found")
