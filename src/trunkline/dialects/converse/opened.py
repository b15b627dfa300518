"""Blocks of a stream that have begun and not ended, and what is said at their end."""

from collections.abc import Callable
from typing import Final

import msgspec
from msgspec import Raw

from trunkline.dialects import loose
from trunkline.dialects.converse import DIALECT
from trunkline.dialects.converse.reply import Call
from trunkline.dialects.converse.tools import text_of
from trunkline.dialects.hub.events import Delta, Event, OpaqueEvent

SERVED: Final = "server_tool_use"
"""`type` of a call that the upstream makes itself: it goes to clients of this dialect only, with its result."""


class Open:
    """The block that an index of the stream stands for: `kind` as the hub has it, or what is kept until its end."""

    __slots__ = ("call", "index", "kind", "pieces")

    def __init__(self, index: int, kind: str, call: Call | None = None) -> None:
        self.index = index
        self.kind = kind
        self.call = call
        self.pieces: list[str] = []


def ending(opened: Open) -> list[Event]:
    """What is left to say of a block that ends."""
    end = _ENDS.get(opened.kind)
    return [] if end is None else end(opened)


def is_said(raw: Raw) -> bool:
    """Whether a raw field came at all."""
    return bytes(raw) not in (b"", b"null")


def _ended_call(opened: Open) -> list[Event]:
    """A call without a piece has an empty object."""
    return [] if opened.pieces else [Delta(opened.index, "arguments", "{}")]


def _ended_custom(opened: Open) -> list[Event]:
    return [Delta(opened.index, "arguments", text_of("".join(opened.pieces)))]


def _ended_served(opened: Open) -> list[Event]:
    given = "".join(opened.pieces) or "{}"
    call = opened.call or Call()
    raw = {"toolUseId": call.toolUseId, "name": call.name, "input": _value(given), "type": call.type}
    return [OpaqueEvent(DIALECT, Raw(msgspec.json.encode({"toolUse": raw})))]


def _ended_result(opened: Open) -> list[Event]:
    """The result of a tool of the upstream's own: what its start said, with the pieces as its content."""
    first, *more = [_value(piece) for piece in opened.pieces]
    content = [part for piece in more if isinstance(piece, list) for part in piece]
    raw = {"toolResult": {**(first if isinstance(first, dict) else {}), "content": content}}
    return [OpaqueEvent(DIALECT, Raw(msgspec.json.encode(raw)))]


def _value(text: str) -> object:
    try:
        return loose.decode(text.encode("utf-8", "replace"))
    except ValueError:
        return {}


_ENDS: Final[dict[str, Callable[[Open], list[Event]]]] = {
    "tool_call": _ended_call,
    "custom": _ended_custom,
    "served": _ended_served,
    "result": _ended_result,
}
