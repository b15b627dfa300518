"""Which conversation a request continues, so that its next turn goes where the prompt cache is warm (contract 3.8)."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from msgspec import Raw, Struct

from trunkline.health.stickiness import Stickiness, Thread
from trunkline.inference.call import Call, Exchange
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.generation import CANCELLED
from trunkline.protocol.principal import Principal
from trunkline.protocol.request import InboundRequest
from trunkline.protocol.usage import Usage
from trunkline.routing.order import cache_saves

_SYSTEM: Final = frozenset(("system", "developer"))
_PLACES: Final[Mapping[str, tuple[str, str]]] = {
    "chat": ("", "messages"),
    "messages": ("system", "messages"),
    "responses": ("instructions", "input"),
}
"""By dialect: the key of a system text beside the messages ("" = none), and the key of the messages."""
_NOTHING: Final = Raw(b"")


class _Said(Struct, gc=False):
    role: str = ""
    content: Raw = _NOTHING


_READ: Final = msgspec.json.Decoder(list[_Said])
_NAME: Final = msgspec.json.Decoder(str | None)


def matters(request: InboundRequest, candidates: Sequence[Sequence[Endpoint]]) -> bool:
    """Whether it makes a difference where the conversation was: endpoints to choose from, of which one reads its cache for less, and no
    order of the caller's own."""
    if request.preferences.order:
        return False
    return any(len(endpoints) > 1 and any(map(cache_saves, endpoints)) for endpoints in candidates)


def stay(stickiness: Stickiness | None, exchange: Exchange, endpoint: Endpoint, usage: Usage) -> None:
    """Have the next turn of a conversation go where this one was answered, and not where it failed."""
    leave(stickiness, exchange)
    if stickiness is not None and exchange.thread is not None:
        cached = bool(usage.cache_read or usage.cache_write_5m or usage.cache_write_1h)
        stickiness.succeeded(exchange.thread.key, endpoint.id, named=exchange.thread.named, cached=cached)


def leave(stickiness: Stickiness | None, exchange: Exchange) -> None:
    """Have the next turn of a conversation go elsewhere than where this one failed."""
    if stickiness is None or exchange.thread is None:
        return
    for attempt in exchange.attempts:
        if attempt.error_type not in (None, CANCELLED):
            stickiness.failed(exchange.thread.key, attempt.endpoint_id)


def thread_of(call: Call, principal: Principal, request: InboundRequest) -> Thread:
    """The conversation: named by `session_id`, `x-session-id` or `prompt_cache_key`, else told by how it began."""
    name = session_of(call, request)
    told = name.encode(errors="replace") if name else _beginning(request)
    model = request.models[0] if request.models else ""
    identity = b"\0".join((principal.workspace_id.encode(), model.encode(), b"n" if name else b"b", told))
    return Thread(hashlib.blake2b(identity, digest_size=16).digest(), bool(name))


def session_of(call: Call, request: InboundRequest) -> str | None:
    """The name that the caller gave the conversation; None where it gave none."""
    return request.session_id or call.header(b"x-session-id") or _cache_key(request)


def _cache_key(request: InboundRequest) -> str | None:
    raw = request.fields.get("prompt_cache_key")
    return None if raw is None else _NAME.decode(raw)


def _beginning(request: InboundRequest) -> bytes:
    """The first system text and the first other message, as the caller wrote them."""
    beside, key = _PLACES.get(request.dialect, ("", "messages"))
    said = request.fields.get(key, _NOTHING)
    try:
        turns = _READ.decode(said)
    except msgspec.MsgspecError:
        return bytes(request.fields.get(beside, _NOTHING)) + b"\0" + bytes(said)
    system = next((bytes(turn.content) for turn in turns if turn.role in _SYSTEM), bytes(request.fields.get(beside, _NOTHING)))
    first = next((bytes(turn.content) for turn in turns if turn.role not in _SYSTEM), b"")
    return system + b"\0" + first
