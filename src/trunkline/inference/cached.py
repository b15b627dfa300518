"""Answers that were kept, and answers that are to be kept (contract 4.5). Only requests whose headers speak of it come here."""

import time
from collections.abc import Callable, Sequence
from typing import Final

from trunkline.inference.call import Call, Exchange
from trunkline.inference.reply import Header, Reply
from trunkline.inference.skins import CHAT, MESSAGES, RESPONSES, Skin
from trunkline.metering.recorder import Recorder
from trunkline.plugins.caching import replay
from trunkline.plugins.caching.keys import cache_key
from trunkline.plugins.caching.store import LARGEST_ANSWER, Answers, Kept
from trunkline.plugins.caching.wishes import CacheWish, wish
from trunkline.protocol.generation import GenerationRecord
from trunkline.protocol.identity import generation_text
from trunkline.protocol.principal import Principal
from trunkline.protocol.request import InboundRequest

STATUS: Final = b"x-openrouter-cache-status"
_OPERATIONS: Final = ((CHAT, "chat"), (RESPONSES, "responses"), (MESSAGES, "messages"))


class Keeping:
    """A reply that is listened to while it goes out, so that it can be kept (`inference.reply.Reply`).

    An answer is kept before its last byte goes out: whoever has read it finds it.
    """

    def __init__(self, reply: Reply, key: bytes, seconds: int, store: Answers, clock: Callable[[], float]) -> None:
        self._reply = reply
        self._key = key
        self._seconds = seconds
        self._store = store
        self._clock = clock
        self._exchange: Exchange | None = None
        self._pieces: list[bytes] = []
        self._size = 0

    @property
    def started(self) -> bool:
        return self._reply.started

    @started.setter
    def started(self, value: bool) -> None:
        self._reply.started = value

    @property
    def sent_at(self) -> float:
        return self._reply.sent_at

    @sent_at.setter
    def sent_at(self, value: float) -> None:
        self._reply.sent_at = value

    @property
    def blocked_since(self) -> float:
        return self._reply.blocked_since

    @blocked_since.setter
    def blocked_since(self, value: float) -> None:
        self._reply.blocked_since = value

    async def whole(self, status: int, body: bytes, headers: Sequence[Header] = ()) -> None:
        """Send a complete answer."""
        self._hear(body)
        await self._keep()
        await self._reply.whole(status, body, [*headers, *self._miss()])

    async def write(self, data: bytes, *, last: bool = False) -> None:
        """Send a piece of a stream."""
        if not self._reply.started:
            self._reply.extend(self._miss())
        self._hear(data)
        if last:
            await self._keep()
        await self._reply.write(data, last=last)

    def push(self, data: bytes) -> bool:
        """Send a further piece of a stream, if that can be done now."""
        sent = self._reply.push(data)
        if sent:
            self._hear(data)
        return sent

    def become(self, media_type: str) -> None:
        """Another type of stream."""
        self._reply.become(media_type)

    def extend(self, headers: Sequence[Header]) -> None:
        """More headers."""
        self._reply.extend(headers)

    def on_leaving(self, callback: Callable[[], None] | None) -> None:
        """Whom to tell when the client leaves."""
        self._reply.on_leaving(callback)

    def listening(self, exchange: Exchange) -> "Keeping":
        """This reply, for the answer to an exchange."""
        self._exchange = exchange
        return self

    async def _keep(self) -> None:
        """Keep what goes out, if it is a whole answer that went well."""
        record = None if self._exchange is None else self._exchange.record
        if record is None or not _good(record) or self._size > LARGEST_ANSWER:
            return
        body = b"".join(self._pieces)
        if record.streamed:
            body = replay.without_comments(body)
        await self._store.put(self._key, Kept(body, record, self._clock(), self._seconds))

    def _hear(self, data: bytes) -> None:
        self._size += len(data)
        if self._size <= LARGEST_ANSWER:
            self._pieces.append(data)

    def _miss(self) -> list[Header]:
        return [(STATUS, b"MISS"), (b"x-openrouter-cache-ttl", b"%d" % self._seconds)]


class Cache:
    """Looks for kept answers, and listens to those that are to be kept. `clock` gives Unix seconds."""

    def __init__(self, store: Answers, recorder: Recorder, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._recorder = recorder
        self._clock = clock

    async def answer(self, call: Call, principal: Principal, request: InboundRequest, reply: Reply) -> Keeping | bool:
        """True when a kept answer was sent; a reply to use instead when the answer is to be kept; False when nothing is wanted."""
        wanted, operation = wish(call.headers), operation_of(call.skin)
        if wanted is None or operation is None:
            return False
        key = cache_key(
            call.body,
            key_hash=principal.key_hash,
            operation=operation,
            models=request.models,
            stream=request.stream,
            region=request.region,
        )
        kept = await self._found(key, wanted)
        if kept is None:
            return Keeping(reply, key, wanted.seconds, self._store, self._clock)
        await self._send(call, request, kept, reply)
        return True

    async def _found(self, key: bytes, wanted: CacheWish) -> Kept | None:
        if wanted.clear:
            await self._store.drop(key)
            return None
        kept = await self._store.get(key)
        return None if kept is None or kept.age(self._clock()) >= kept.seconds else kept

    async def _send(self, call: Call, request: InboundRequest, kept: Kept, reply: Reply) -> None:
        source = generation_text(kept.record.id)
        age = kept.age(self._clock())
        headers = [
            (STATUS, b"HIT"),
            (b"x-openrouter-cache-age", b"%d" % age),
            (b"x-openrouter-cache-ttl", b"%d" % (kept.seconds - age)),
            (b"x-openrouter-cache-source-id", source.encode()),
        ]
        made = replay.streamed if request.stream else replay.whole
        body = made(kept.body, source=source, id=call.id_text, created=call.created_ms // 1000)
        self._recorder.record(replayed_record(kept.record, call, request, source))
        if request.stream:
            reply.extend(headers)
            await reply.write(body, last=True)
        else:
            await reply.whole(200, body, headers)


def operation_of(skin: Skin) -> str | None:
    """The name of an operation whose answers can be kept; None for others."""
    if skin.api_type == "embeddings":
        return skin.api_type
    return next((name for one, name in _OPERATIONS if one is skin), None)


def replayed_record(record: GenerationRecord, call: Call, request: InboundRequest, source: str) -> GenerationRecord:
    """The record of a generation that is a kept one: nothing was used, nothing is charged, and no provider was asked."""
    return GenerationRecord(
        id=call.id,
        created_ms=call.created_ms,
        key_hash=record.key_hash,
        workspace_id=record.workspace_id,
        model=record.model,
        endpoint_id=record.endpoint_id,
        provider_name=record.provider_name,
        api_type=record.api_type,
        cost=0,
        streamed=record.streamed,
        finish_reason=record.finish_reason,
        native_finish_reason=record.native_finish_reason,
        service_tier=record.service_tier,
        usage_source="cache",
        app_referer=call.header(b"http-referer"),
        app_title=call.header(b"x-openrouter-title") or call.header(b"x-title"),
        origin=call.header(b"origin"),
        user_agent=call.header(b"user-agent"),
        external_user=request.user,
        session_id=request.session_id or call.header(b"x-session-id"),
        data_region=request.region or None,
        response_cache_source_id=source,
    )


def _good(record: GenerationRecord) -> bool:
    return record.status == 200 and record.error_type is None and not record.cancelled and record.finish_reason not in (None, "error")
