import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncConnection

from trunkline.accounts.keys_store import KeyRecord, add_key, change_key, changed_keys, find_key, list_keys
from trunkline.storage.engines import Storage

T = TypeVar("T")
KEY = KeyRecord(
    hash="a" * 64,
    name="first",
    label="sk-or-v1-aaa...aaaa",
    kind="inference",
    workspace_id="w",
    created_ms=1_000,
    spend_limit=5,
    limit_reset="weekly",
    include_byok_in_limit=True,
    expires_ms=9_000,
    creator_user_id="u",
)


def _write(storage: Storage, action: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    async def run() -> T:
        async with storage.writing(storage.control) as connection:
            return await action(connection)

    return asyncio.run(run())


def _key(number: int, **fields: object) -> KeyRecord:
    return replace(KEY, hash=f"{number:064x}", created_ms=number, **fields)


def test_a_key_comes_back_as_it_was_stored(storage: Storage) -> None:
    assert _write(storage, lambda connection: add_key(connection, KEY))
    assert _write(storage, lambda connection: find_key(connection, KEY.hash)) == replace(KEY, revision=1)
    assert _write(storage, lambda connection: find_key(connection, "b" * 64)) is None


def test_a_hash_is_stored_once(storage: Storage) -> None:
    _write(storage, lambda connection: add_key(connection, KEY))
    assert not _write(storage, lambda connection: add_key(connection, replace(KEY, name="second")))
    found = _write(storage, lambda connection: find_key(connection, KEY.hash))
    assert found is not None
    assert found.name == "first"


def test_every_change_takes_the_next_revision(storage: Storage) -> None:
    for number in (1, 2, 3):
        _write(storage, lambda connection, number=number: add_key(connection, _key(number)))
    assert _write(storage, lambda connection: change_key(connection, _key(1).hash, {"disabled": True}, 50))
    changed = _write(storage, lambda connection: changed_keys(connection, 2))
    assert [(record.hash, record.revision) for record in changed] == [(_key(3).hash, 3), (_key(1).hash, 4)]
    assert (changed[1].disabled, changed[1].updated_ms) == (True, 50)


def test_a_deleted_key_cannot_be_changed_and_is_not_listed_but_is_reported_as_changed(storage: Storage) -> None:
    _write(storage, lambda connection: add_key(connection, KEY))
    assert _write(storage, lambda connection: change_key(connection, KEY.hash, {"deleted_ms": 7}, 7))
    assert not _write(storage, lambda connection: change_key(connection, KEY.hash, {"name": "x"}, 8))
    assert _write(storage, lambda connection: list_keys(connection, workspace_id=None, include_disabled=True, offset=0, count=9)) == []
    assert [record.deleted_ms for record in _write(storage, lambda connection: changed_keys(connection, 1))] == [7]


def test_the_list_is_newest_first_filtered_and_paged(storage: Storage) -> None:
    keys = [_key(1), _key(2, disabled=True), _key(3, workspace_id="other"), _key(4), _key(5)]
    for key in keys:
        _write(storage, lambda connection, key=key: add_key(connection, key))

    def listed(workspace_id: str | None, *, include_disabled: bool = False, offset: int = 0, count: int = 10) -> list[int]:
        found = _write(
            storage,
            lambda connection: list_keys(
                connection, workspace_id=workspace_id, include_disabled=include_disabled, offset=offset, count=count
            ),
        )
        return [record.created_ms for record in found]

    assert listed("w") == [5, 4, 1]
    assert listed(None, include_disabled=True) == [5, 4, 3, 2, 1]
    assert listed("w", offset=1, count=1) == [4]
