"""Kept answers: who gets one, and what is kept. The whole way is tested in tests/integration/plugins/test_caching.py."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import msgspec
import pytest
from pipelines import answer, stream, words
from staged_bench import PluginBench

from trunkline.inference.cached import Cache, Keeping, operation_of, replayed_record
from trunkline.inference.call import Call, Exchange, Mint
from trunkline.inference.operations import EMBEDDINGS, RERANK
from trunkline.inference.reply import Header
from trunkline.inference.skins import CHAT, CURSOR, MESSAGES, RESPONSES, TEXT
from trunkline.plugins.caching.store import LARGEST_ANSWER, AnswersInMemory, Kept
from trunkline.protocol.generation import GenerationRecord
from trunkline.protocol.identity import generation_text

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
    finish_reason="stop",
    input_tokens=7,
    latency_ms=3,
)
ON = {"X-OpenRouter-Cache": "true"}
BODY = {"model": "a/m", "messages": [{"role": "user", "content": "hi"}]}


class Written:
    """A reply that notes what is done to it."""

    def __init__(self) -> None:
        self.started = False
        self.sent_at = 0.0
        self.blocked_since = 0.0
        self.done: list[Any] = []

    async def whole(self, status: int, body: bytes, headers: Sequence[Header] = ()) -> None:
        self.done.append((status, body, list(headers)))

    async def write(self, data: bytes, *, last: bool = False) -> None:
        self.started = True
        self.done.append((data, last))

    def push(self, data: bytes) -> bool:
        self.done.append((data, False))
        return self.started

    def become(self, media_type: str) -> None:
        self.done.append(media_type)

    def extend(self, headers: Sequence[Header]) -> None:
        self.done.append(list(headers))

    def on_leaving(self, callback: Any) -> None:
        self.done.append(callback)


class Seen:
    """Stands for an exchange: only its record counts."""

    def __init__(self, record: GenerationRecord | None) -> None:
        self.record = record


MISS = [(b"x-openrouter-cache-status", b"MISS"), (b"x-openrouter-cache-ttl", b"60")]


def keeping(record: GenerationRecord | None = RECORD) -> tuple[Keeping, Written, AnswersInMemory]:
    reply, store = Written(), AnswersInMemory()
    kept = Keeping(reply, b"key", 60, store, lambda: 1000.0).listening(cast(Exchange, Seen(record)))
    return kept, reply, store


@pytest.mark.parametrize(
    ("skin", "name"),
    [
        (CHAT, "chat"),
        (RESPONSES, "responses"),
        (MESSAGES, "messages"),
        (EMBEDDINGS.skin, "embeddings"),
        (TEXT, None),
        (CURSOR, None),
        (RERANK.skin, None),
    ],
)
def test_which_operations_keep_answers(skin: Any, name: str | None) -> None:
    assert operation_of(skin) == name


def test_a_whole_answer_is_kept_before_it_goes_out() -> None:
    kept, reply, store = keeping()

    async def scene() -> None:
        await kept.whole(200, b"{}", [(b"a", b"b")])
        assert await store.get(b"key") == Kept(b"{}", RECORD, 1000.0, 60)

    asyncio.run(scene())
    assert reply.done == [(200, b"{}", [(b"a", b"b"), *MISS])]


def test_a_stream_is_kept_with_its_last_piece_and_without_comments() -> None:
    kept, reply, store = keeping(msgspec.structs.replace(RECORD, streamed=True))

    async def scene() -> None:
        await kept.write(b"data: 1\n\n")
        await kept.write(b": OPENROUTER PROCESSING\n\n")
        assert await store.get(b"key") is None
        await kept.write(b"data: 2\n\n", last=True)
        found = await store.get(b"key")
        assert found is not None and found.body == b"data: 1\n\ndata: 2\n\n"

    asyncio.run(scene())
    assert reply.done[0] == MISS
    assert [one[1] for one in reply.done[1:]] == [False, False, True]


def test_what_is_pushed_is_kept_too() -> None:
    kept, _, store = keeping(msgspec.structs.replace(RECORD, streamed=True))

    async def scene() -> None:
        assert not kept.push(b"data: 1\n\n")
        await kept.write(b"data: 1\n\n")
        assert kept.push(b"data: 2\n\n")
        await kept.write(b"data: 3\n\n", last=True)
        found = await store.get(b"key")
        assert found is not None and found.body == b"data: 1\n\ndata: 2\n\ndata: 3\n\n"

    asyncio.run(scene())


@pytest.mark.parametrize(
    "changes",
    [{"status": 500}, {"error_type": "server"}, {"cancelled": True}, {"finish_reason": "error"}, {"finish_reason": None}],
)
def test_only_what_went_well_is_kept(changes: dict[str, Any]) -> None:
    for record in (msgspec.structs.replace(RECORD, **changes), None):
        kept, _, store = keeping(record)
        asyncio.run(kept.whole(200, b"{}"))
        assert asyncio.run(store.get(b"key")) is None


def test_a_huge_answer_is_not_collected() -> None:
    kept, reply, store = keeping()
    asyncio.run(kept.whole(200, b"x" * (LARGEST_ANSWER + 1)))
    assert asyncio.run(store.get(b"key")) is None
    assert len(reply.done) == 1


def test_all_else_of_a_reply_goes_through() -> None:
    kept, reply, _ = keeping()
    kept.started, kept.sent_at, kept.blocked_since = True, 1.0, 2.0
    assert (reply.started, reply.sent_at, reply.blocked_since) == (True, 1.0, 2.0)
    assert (kept.started, kept.sent_at, kept.blocked_since) == (True, 1.0, 2.0)
    kept.become("audio/mpeg")
    kept.extend([(b"a", b"b")])
    kept.on_leaving(None)
    assert reply.done == ["audio/mpeg", [(b"a", b"b")], None]


def test_the_record_of_a_kept_answer_uses_nothing_and_has_the_callers_names() -> None:
    headers = {b"http-referer": b"https://app.test", b"x-title": b"App", b"x-session-id": b"s"}
    call = Call(headers, msgspec.json.encode({**BODY, "user": "u"}), Mint(), CHAT)
    record = replayed_record(RECORD, call, CHAT.parse(call.body), "gen-source")
    assert (record.id, record.created_ms, record.key_hash, record.model, record.provider_name) == (call.id, call.created_ms, "k", "m", "P")
    assert (record.cost, record.input_tokens, record.latency_ms, record.attempts) == (0, 0, None, ())
    assert (record.app_referer, record.app_title, record.session_id, record.external_user) == ("https://app.test", "App", "s", "u")
    assert record.response_cache_source_id == "gen-source"


def test_requests_that_are_not_to_be_kept_are_let_through() -> None:
    cache = Cache(AnswersInMemory(), cast(Any, None))
    call = Call({b"x-openrouter-cache": b"false"}, msgspec.json.encode(BODY), Mint(), CHAT)
    assert asyncio.run(cache.answer(call, cast(Any, None), CHAT.parse(call.body), Written())) is False


@pytest.mark.parametrize("streamed", [False, True])
def test_a_hit_is_a_kept_answer_under_a_new_name(streamed: bool) -> None:
    bench = PluginBench(stream(*words("x")) if streamed else answer("x"))
    bench.request({**BODY, "stream": streamed}, ON)
    hit = bench.request({**BODY, "stream": streamed}, ON)
    first, second = bench.ledgers.records
    assert hit.headers[b"x-openrouter-cache-source-id"].decode() == generation_text(first.id) == second.response_cache_source_id
    assert hit.ended
