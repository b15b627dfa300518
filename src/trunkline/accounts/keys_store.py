"""SQL of API keys. Every change of a key takes the next `revision`, so that others find changes by one index read."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from sqlalchemy import RowMapping, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from trunkline.accounts.windows import Reset
from trunkline.protocol.principal import KeyKind
from trunkline.storage.schema.control import api_keys


class KeyRecord(Struct, frozen=True, kw_only=True):
    """A key as stored; the key itself is not. `spend_limit` None = unlimited; a deleted key stays as a row, so that it stays known and
    refused."""

    hash: str
    name: str
    label: str
    kind: KeyKind
    workspace_id: str
    created_ms: int
    disabled: bool = False
    deleted_ms: int | None = None
    spend_limit: int | None = None
    limit_reset: Reset | None = None
    include_byok_in_limit: bool = False
    updated_ms: int | None = None
    expires_ms: int | None = None
    creator_user_id: str | None = None
    last_used_ms: int | None = None
    revision: int = 0


_NEXT_REVISION = select(func.coalesce(func.max(api_keys.c.revision), 0) + 1).scalar_subquery()


def _record(row: RowMapping) -> KeyRecord:
    return KeyRecord(**row)


async def add_key(connection: AsyncConnection, record: KeyRecord) -> bool:
    """Stores a new key, in a write transaction. False when its hash exists already, deleted or not; nothing is changed then."""
    if await find_key(connection, record.hash) is not None:
        return False
    values: dict[str, Any] = {name: getattr(record, name) for name in KeyRecord.__struct_fields__}
    values["revision"] = _NEXT_REVISION
    await connection.execute(api_keys.insert().values(values))
    return True


async def find_key(connection: AsyncConnection, key_hash: str) -> KeyRecord | None:
    """The key with this hash, deleted or not."""
    row = (await connection.execute(select(api_keys).where(api_keys.c.hash == key_hash))).mappings().one_or_none()
    return None if row is None else _record(row)


async def list_keys(
    connection: AsyncConnection, *, workspace_id: str | None, include_disabled: bool, offset: int, count: int
) -> list[KeyRecord]:
    """Keys that are not deleted, newest first. `workspace_id` None = of all workspaces."""
    query = select(api_keys).where(api_keys.c.deleted_ms.is_(None))
    if workspace_id is not None:
        query = query.where(api_keys.c.workspace_id == workspace_id)
    if not include_disabled:
        query = query.where(api_keys.c.disabled.is_(False))
    query = query.order_by(api_keys.c.created_ms.desc(), api_keys.c.revision.desc()).limit(count).offset(offset)
    return [_record(row) for row in (await connection.execute(query)).mappings()]


async def change_key(connection: AsyncConnection, key_hash: str, values: Mapping[str, object], now_ms: int) -> bool:
    """Sets columns of a key that is not deleted. False when there is none."""
    change = update(api_keys).where(api_keys.c.hash == key_hash, api_keys.c.deleted_ms.is_(None))
    result = await connection.execute(change.values({**values, "updated_ms": now_ms, "revision": _NEXT_REVISION}))
    return bool(result.rowcount)


async def changed_keys(connection: AsyncConnection, after: int) -> list[KeyRecord]:
    """All keys changed after revision `after`, deleted ones too, in order of revision; `after=0` reads all."""
    query = select(api_keys).where(api_keys.c.revision > after).order_by(api_keys.c.revision)
    return [_record(row) for row in (await connection.execute(query)).mappings()]
