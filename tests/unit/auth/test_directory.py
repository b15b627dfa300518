import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlite_threads import ended_threads

from trunkline.accounts.keys import KeyChanges, Keys, NewKey
from trunkline.accounts.keys_store import KeyRecord
from trunkline.auth import directory as directory_room
from trunkline.auth.directory import KeyDirectory, known_key
from trunkline.errors import StorageUnavailable
from trunkline.storage.engines import Storage

Outage = Callable[[], AbstractContextManager[None]]
RECORD = KeyRecord(hash="ab" * 32, name="n", label="l", kind="management", workspace_id="w", created_ms=1)


def test_a_record_becomes_a_principal() -> None:
    principal = known_key(replace(RECORD, spend_limit=0, expires_ms=1_500, creator_user_id="u")).principal
    assert (principal.key_hash, principal.kind, principal.limited, principal.expires_at) == (RECORD.hash, "management", True, 1.5)
    assert (principal.workspace_id, principal.creator_user_id) == ("w", "u")
    assert not known_key(RECORD).principal.limited


@pytest.mark.parametrize(
    ("record", "refusal"),
    [(RECORD, None), (replace(RECORD, disabled=True), "disabled"), (replace(RECORD, disabled=True, deleted_ms=5), "deleted")],
)
def test_a_key_that_is_off_says_why(record: KeyRecord, refusal: str | None) -> None:
    found = known_key(record).refusal
    assert found is None if refusal is None else refusal in str(found)


def test_all_keys_are_in_memory_after_the_start_and_changes_arrive(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory_room, "POLL_SECONDS", 0.01)
    changes = []

    async def scenario() -> None:
        keys = Keys(storage)
        first, _ = await keys.create(NewKey(name="first"))
        digest = bytes.fromhex(first.record.hash)
        directory = KeyDirectory(storage)
        directory.on_change(lambda: changes.append(1))
        await directory.start()
        known = directory.get(digest)
        assert known is not None
        assert known.refusal is None
        await keys.update(first.record.hash, KeyChanges(disabled=True))
        second, _ = await keys.create(NewKey(name="second"))
        async with asyncio.timeout(30):
            while directory.get(bytes.fromhex(second.record.hash)) is None:
                await asyncio.sleep(0.01)
        known = directory.get(digest)
        assert known is not None
        assert known.refusal is not None
        await directory.close()
        await storage.control.dispose()

    asyncio.run(scenario())
    assert len(changes) in (2, 3)


def test_a_refresh_without_changes_calls_nobody(storage: Storage) -> None:
    changes = []

    async def scenario() -> None:
        directory = KeyDirectory(storage)
        directory.on_change(lambda: changes.append(1))
        await directory.refresh()
        await directory.close()
        await storage.control.dispose()

    asyncio.run(scenario())
    assert changes == []


def test_a_slow_reading_never_undoes_a_newer_one(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    read_keys, first_has_read = directory_room.changed_keys, asyncio.Event()

    async def slow_at_first(connection: AsyncConnection, after: int) -> list[KeyRecord]:
        records = await read_keys(connection, after)
        if not first_has_read.is_set():
            first_has_read.set()
            await asyncio.sleep(0.05)
        return records

    async def scenario() -> None:
        keys, directory = Keys(storage), KeyDirectory(storage)
        created, _ = await keys.create(NewKey(name="new"))
        slow = asyncio.gather(directory.refresh())
        await first_has_read.wait()
        await keys.update(created.record.hash, KeyChanges(disabled=True))
        await directory.refresh()
        await slow
        known = directory.get(bytes.fromhex(created.record.hash))
        assert known is not None
        assert known.refusal is not None
        await storage.control.dispose()

    monkeypatch.setattr(directory_room, "changed_keys", slow_at_first)
    asyncio.run(scenario())


def test_a_key_created_a_moment_ago_is_found_by_asking(storage: Storage) -> None:
    async def scenario() -> None:
        directory = KeyDirectory(storage)
        created, _ = await Keys(storage).create(NewKey(name="new"))
        digest = bytes.fromhex(created.record.hash)
        assert directory.get(digest) is None
        assert await directory.look_up(digest) == directory.get(digest)
        assert await directory.look_up(b"\0" * 32) is None
        await storage.control.dispose()

    asyncio.run(scenario())


def test_what_is_known_stays_known_while_the_database_is_away(
    storage: Storage, outage: Outage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(directory_room, "POLL_SECONDS", 0.01)

    async def scenario() -> None:
        created, _ = await Keys(storage).create(NewKey(name="known"))
        directory = KeyDirectory(storage)
        await directory.start()
        async with directory._refreshing:  # a connection that is being read from would be lost, and its thread never end
            await storage.control.dispose()
        with outage():
            with pytest.raises(StorageUnavailable):
                await directory.look_up(b"\0" * 32)
            async with asyncio.timeout(30):
                while "stay in force" not in caplog.text:
                    await asyncio.sleep(0.01)
            assert directory.get(bytes.fromhex(created.record.hash)) is not None
        assert await directory.look_up(b"\0" * 32) is None
        await directory.close()
        await storage.control.dispose()

    async def whole() -> None:
        async with ended_threads():
            await scenario()

    asyncio.run(whole())
    assert caplog.text.count("stay in force") == 1
