"""`/key` and `/keys`: what a key may know of itself, and how a management key makes, changes and ends others (contract 1.3, 1.4)."""

import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime

from msgspec import UNSET, Struct, UnsetType

from trunkline.accounts.keys import DEFAULT_WORKSPACE_ID, KeyChanges, NewKey, now_ms
from trunkline.accounts.keys import Keys as StoredKeys
from trunkline.accounts.windows import RESETS, Reset
from trunkline.api import bodies, queries
from trunkline.api.call import Call, Reply, reply
from trunkline.api.credits import Totals
from trunkline.api.key_views import key_view, own_key_view
from trunkline.errors import StorageUnavailable
from trunkline.protocol.money import round_usd

_RESETS: Mapping[str, Reset] = {reset: reset for reset in RESETS}
_UTC_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]00:00)")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class CreateBody(Struct):
    """The body of `POST /keys`. Money in USD."""

    name: str
    limit: float | None = None
    limit_reset: str | None = None
    include_byok_in_limit: bool = False
    expires_at: str | None = None
    creator_user_id: str | None = None
    workspace_id: str | None = None


class UpdateBody(Struct):
    """The body of `PATCH /keys/{hash}`: what is absent stays as it is."""

    name: str | UnsetType = UNSET
    disabled: bool | UnsetType = UNSET
    limit: float | UnsetType | None = UNSET
    limit_reset: str | UnsetType | None = UNSET
    include_byok_in_limit: bool | UnsetType = UNSET


class Keys:
    """The tag API Keys, over the keys of the database. `changed` lets authentication see a change at once; `totals` tells whether
    the account was ever granted credit."""

    def __init__(self, keys: StoredKeys, changed: Callable[[], Awaitable[None]], totals: Totals) -> None:
        self._keys = keys
        self._changed = changed
        self._totals = totals

    async def read_own(self, call: Call) -> Reply:
        """The calling key itself, inference or management."""
        key = await self._keys.get(call.caller.key_hash)
        granted, _ = await self._totals()
        return reply({"data": own_key_view(key, has_credits=granted > 0, now_ms=now_ms())})

    async def list(self, call: Call) -> Reply:
        """The newest 100 keys of a workspace after `offset`."""
        workspace = queries.only(call.query, "workspace_id") or DEFAULT_WORKSPACE_ID
        disabled, offset = queries.flag(call.query, "include_disabled"), queries.offset(call.query)
        keys = await self._keys.newest(workspace_id=workspace, include_disabled=disabled, offset=offset)
        return reply({"data": [key_view(key) for key in keys]})

    async def create(self, call: Call) -> Reply:
        """201 with the new key; its secret is in this answer and nowhere else."""
        key, secret = await self._keys.create(_new_key(bodies.decode(call.body, CreateBody)))
        await self._announce()
        return reply({"data": key_view(key), "key": secret}, status=201)

    async def read(self, call: Call) -> Reply:
        """One key by its hash."""
        return reply({"data": key_view(await self._keys.get(call.path["hash"]))})

    async def update(self, call: Call) -> Reply:
        """The key after the changes of the body."""
        changes = _changes(bodies.decode(call.body, UpdateBody))
        key = await self._keys.update(call.path["hash"], changes)
        await self._announce()
        return reply({"data": key_view(key)})

    async def delete(self, call: Call) -> Reply:
        """Ends the key for good."""
        await self._keys.delete(call.path["hash"])
        await self._announce()
        return reply({"deleted": True})

    async def _announce(self) -> None:
        """The change is in the database. Should that be away by now, authentication finds the change by itself once it is back."""
        with suppress(StorageUnavailable):
            await self._changed()


def _new_key(body: CreateBody) -> NewKey:
    if body.creator_user_id == "":
        raise bodies.invalid("creator_user_id", "must not be empty")
    if body.workspace_id is not None and body.workspace_id.lower() != DEFAULT_WORKSPACE_ID:
        known = _UUID.fullmatch(body.workspace_id)
        raise bodies.invalid("workspace_id", "there is no such workspace" if known else "must be a UUID")
    return NewKey(
        name=body.name,
        limit=_pico(body.limit),
        limit_reset=_reset(body.limit_reset),
        include_byok_in_limit=body.include_byok_in_limit,
        expires_ms=None if body.expires_at is None else _unix_ms(body.expires_at),
        creator_user_id=body.creator_user_id,
        workspace_id=DEFAULT_WORKSPACE_ID,
    )


def _changes(body: UpdateBody) -> KeyChanges:
    return KeyChanges(
        name=body.name,
        disabled=body.disabled,
        limit=UNSET if body.limit is UNSET else _pico(body.limit),
        limit_reset=UNSET if body.limit_reset is UNSET else _reset(body.limit_reset),
        include_byok_in_limit=body.include_byok_in_limit,
    )


def _pico(limit: float | None) -> int | None:
    """Pico-dollars of a limit in USD; its range is `accounts.keys`' to judge."""
    return None if limit is None else round_usd(limit)


def _reset(text: str | None) -> Reset | None:
    if text is None:
        return None
    if text not in _RESETS:
        raise bodies.invalid("limit_reset", f"must be one of {', '.join(RESETS)}, or null")
    return _RESETS[text]


def _unix_ms(text: str) -> int:
    """Unix milliseconds of an ISO 8601 time in UTC; other offsets are refused (contract 1.3)."""
    if _UTC_TIME.fullmatch(text) is None:
        raise bodies.invalid("expires_at", "must be an ISO 8601 time in UTC, such as 2027-12-31T23:59:59Z")
    try:
        return int(datetime.fromisoformat(text.upper()).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise bodies.invalid("expires_at", "is no date and time that exists") from None
