import asyncio
import sqlite3
from contextlib import closing

import pytest

from trunkline.accounts.keys import DEFAULT_WORKSPACE_ID, MAX_LIMIT, KeyChanges, Keys, NewKey, mint_key, now_ms
from trunkline.accounts.ledger_store import LedgerEntry, settle_batch
from trunkline.errors import ApiError
from trunkline.protocol.identity import is_api_key, key_hash
from trunkline.storage.engines import Storage
from trunkline.storage.layout import CONTROL


def test_minted_keys_have_the_form_and_differ() -> None:
    first, second = mint_key(), mint_key()
    assert is_api_key(first)
    assert first != second


def test_the_secret_is_returned_once_and_stored_nowhere(storage: Storage) -> None:
    created, secret = asyncio.run(Keys(storage).create(NewKey(name="app")))
    assert created.record.hash == key_hash(secret)
    assert created.record.workspace_id == DEFAULT_WORKSPACE_ID
    with closing(sqlite3.connect(CONTROL.file(storage.data_dir))) as connection:
        assert secret not in "\n".join(connection.iterdump())


def test_a_key_is_found_changed_and_deleted(storage: Storage) -> None:
    keys = Keys(storage)
    created, _ = asyncio.run(keys.create(NewKey(name="app", limit=10, limit_reset="daily")))
    changed = asyncio.run(keys.update(created.record.hash, KeyChanges(name="new", limit=None)))
    assert (changed.record.name, changed.record.spend_limit, changed.record.limit_reset) == ("new", None, "daily")
    assert changed.record.updated_ms is not None
    asyncio.run(keys.delete(created.record.hash))
    for action in (keys.get(created.record.hash), keys.delete(created.record.hash), keys.update(created.record.hash, KeyChanges(name="x"))):
        with pytest.raises(ApiError) as refused:
            asyncio.run(action)
        assert refused.value.status == 404


@pytest.mark.parametrize("wanted", ["", "x", "A" * 64, "a" * 63, "' OR 1=1 --"])
def test_what_is_no_hash_is_not_found(storage: Storage, wanted: str) -> None:
    with pytest.raises(ApiError) as refused:
        asyncio.run(Keys(storage).get(wanted))
    assert refused.value.status == 404


@pytest.mark.parametrize(
    ("new", "field"),
    [
        (NewKey(name=" "), "name"),
        (NewKey(name="x" * 300), "name"),
        (NewKey(name="a", limit=-1), "limit"),
        (NewKey(name="a", limit=MAX_LIMIT + 1), "limit"),
        (NewKey(name="a", limit_reset="hourly"), "limit_reset"),
        (NewKey(name="a", expires_ms=1), "expires_at"),
    ],
)
def test_a_field_out_of_range_is_named(storage: Storage, new: NewKey, field: str) -> None:
    with pytest.raises(ApiError, match=field) as refused:
        asyncio.run(Keys(storage).create(new))
    assert refused.value.status == 400


def test_an_exact_key_cannot_be_made_twice(storage: Storage) -> None:
    secret = mint_key()
    asyncio.run(Keys(storage).create(NewKey(name="a"), secret=secret))
    with pytest.raises(ApiError, match="exists already"):
        asyncio.run(Keys(storage).create(NewKey(name="b"), secret=secret))


def test_spending_and_what_is_left_of_the_limit(storage: Storage) -> None:
    keys = Keys(storage)
    created, _ = asyncio.run(keys.create(NewKey(name="a", limit=100, limit_reset="daily")))
    with closing(storage.connect_control()) as connection:
        for number, (amount, age_ms, is_byok) in enumerate([(30, 0, False), (50, 40 * 86_400_000, False), (20, 0, True)]):
            settle_batch(connection, "w", [LedgerEntry(bytes([number] * 16), created.record.hash, amount, now_ms() - age_ms, is_byok)])
    key = asyncio.run(keys.get(created.record.hash))
    assert (key.limit_remaining, key.spending.own.total, key.spending.own.daily, key.spending.byok.daily) == (70, 80, 30, 20)
    key = asyncio.run(keys.update(created.record.hash, KeyChanges(include_byok_in_limit=True)))
    assert key.limit_remaining == 50
    key = asyncio.run(keys.update(created.record.hash, KeyChanges(limit_reset=None, include_byok_in_limit=False)))
    assert key.limit_remaining == 20
    key = asyncio.run(keys.update(created.record.hash, KeyChanges(limit=10)))
    assert key.limit_remaining == 0
    assert asyncio.run(keys.newest())[0] == key


def test_the_list_is_of_one_workspace_and_leaves_disabled_keys_out(storage: Storage) -> None:
    keys = Keys(storage)
    created, _ = asyncio.run(keys.create(NewKey(name="a")))
    asyncio.run(keys.create(NewKey(name="b", workspace_id="other")))
    asyncio.run(keys.update(created.record.hash, KeyChanges(disabled=True)))
    assert asyncio.run(keys.newest()) == []
    assert [key.record.name for key in asyncio.run(keys.newest(include_disabled=True))] == ["a"]
    assert [key.record.name for key in asyncio.run(keys.newest(workspace_id=None))] == ["b"]
