"""Answers in bounded memory."""

import asyncio

from trunkline.plugins.caching.store import Answers, AnswersInMemory, Kept
from trunkline.protocol.generation import GenerationRecord

RECORD = GenerationRecord(
    id=b"i" * 16,
    created_ms=1,
    key_hash="k",
    workspace_id="w",
    model="m",
    endpoint_id="e",
    provider_name="P",
    api_type="completions",
    cost=5,
)


def kept(body: bytes = b"body") -> Kept:
    return Kept(body, RECORD, 1000.0, 300)


def test_what_is_put_is_found_until_it_is_dropped() -> None:
    async def scene(store: Answers) -> None:
        assert await store.get(b"a") is None
        await store.put(b"a", kept())
        assert await store.get(b"a") == kept()
        await store.drop(b"a")
        assert await store.get(b"a") is None

    asyncio.run(scene(AnswersInMemory()))


def test_a_large_answer_is_not_kept_and_old_ones_make_room() -> None:
    async def scene() -> None:
        store = AnswersInMemory(bytes_limit=10_000, largest=5_000)
        await store.put(b"large", kept(b"x" * 5_000))
        assert await store.get(b"large") is None
        for name in (b"a", b"b", b"c"):
            await store.put(name, kept(b"x" * 2_000))
        assert await store.get(b"a") is None
        assert await store.get(b"c") is not None

    asyncio.run(scene())


def test_age_is_whole_seconds_and_never_negative() -> None:
    assert [kept().age(now) for now in (1000.0, 1000.9, 1012.0, 900.0)] == [0, 0, 12, 0]
