"""One running block of an upstream's answer, from `content_block_start` to `content_block_stop`: its events for the hub."""

from collections.abc import Callable, Mapping

import msgspec
from msgspec import Raw, Struct

from trunkline.dialects.hub.events import BlockStart, BlockStop, Delta, DeltaKind, Event, OpaqueEvent
from trunkline.dialects.messages import citations, seal
from trunkline.dialects.messages.arguments import text_of
from trunkline.dialects.messages.content import DIALECT
from trunkline.dialects.names import Names

Wire = Mapping[str, object]

_INPUTS = frozenset(("server_tool_use", "mcp_tool_use"))
"""Blocks of the upstream's own tools whose input arrives in pieces."""
_encode = msgspec.json.Encoder().encode


class Terms(Struct, frozen=True):
    """What a decoder knows of the request: the caller's tool names, those that take free text, the tool that stands for a structured
    answer."""

    names: Names
    custom: frozenset[str] = frozenset()
    answer_tool: str = ""
    seed: str = ""


class Opened:
    """A block with its own number at the hub. `called`: it is a tool call of the caller's."""

    def __init__(self, index: int, block: Wire, terms: Terms, mint: Callable[[], str]) -> None:
        self.index = index
        self.called = False
        self.emulated = False
        self._block = block
        self._type = text(block.get("type"))
        self._custom = False
        self._arguments: list[str] = []
        self._given: object = None
        self._terms = terms
        self._mint = mint

    def begin(self) -> list[Event]:
        """The events of `content_block_start`, with what it already holds."""
        block = self._block
        if self._type == "text":
            return [BlockStart(self.index, "text"), *self._delta("text", block.get("text")), *self._cited(block.get("citations"))]
        if self._type == "thinking":
            start = BlockStart(self.index, "reasoning", format=seal.OWN)
            return [start, *self._delta("text", block.get("thinking")), *self._delta("signature", block.get("signature"))]
        if self._type == "redacted_thinking":
            return [BlockStart(self.index, "reasoning", format=seal.OWN), *self._delta("data", block.get("data"))]
        if self._type == "tool_use":
            return self._begin_call()
        return []

    def take(self, delta: Wire) -> list[Event]:
        """The events of one `content_block_delta`."""
        kind = text(delta.get("type"))
        if kind == "text_delta":
            return self._delta("text", delta.get("text"))
        if kind == "thinking_delta":
            return self._delta("text", delta.get("thinking"))
        if kind == "signature_delta":
            return self._delta("signature", delta.get("signature"))
        if kind == "citations_delta":
            return self._cited([delta.get("citation")])
        if kind == "input_json_delta":
            return self._take_arguments(text(delta.get("partial_json")))
        if kind == "compaction_delta":
            self._block = {**self._block, **{key: value for key, value in delta.items() if key != "type"}}
        return []

    def end(self) -> list[Event]:
        """The events of `content_block_stop`."""
        if self._type in ("text", "thinking", "redacted_thinking"):
            return [BlockStop(self.index)]
        if self._type == "tool_use":
            return self._end_call()
        block = self._block
        if self._type in _INPUTS and self._arguments:
            block = {**block, "input": _parsed("".join(self._arguments))}
        return [OpaqueEvent(DIALECT, Raw(_encode(block)))]

    def _begin_call(self) -> list[Event]:
        block = self._block
        name = self._terms.names.original(text(block.get("name")))
        self._given = block.get("input") or None
        if name and name == self._terms.answer_tool:
            self.emulated = True
            return [BlockStart(self.index, "text")]
        self.called = True
        self._custom = name in self._terms.custom
        return [BlockStart(self.index, "tool_call", text(block.get("id")) or self._mint(), name, custom=self._custom)]

    def _take_arguments(self, piece: str) -> list[Event]:
        if not piece:
            return []
        self._given = None
        if self._type == "tool_use" and not self._custom:
            return self._delta("text" if self.emulated else "arguments", piece)
        self._arguments.append(piece)
        return []

    def _end_call(self) -> list[Event]:
        """A call whose input came with its start, or never."""
        rest = "" if self._given is None else _encode(self._given).decode()
        if self._custom:
            return [*self._delta("arguments", text_of("".join(self._arguments) or rest)), BlockStop(self.index)]
        return [*self._delta("text" if self.emulated else "arguments", rest), BlockStop(self.index)]

    def _cited(self, found: object) -> list[Event]:
        made = [citations.annotation(one) for one in found] if isinstance(found, list) else []
        return [Delta(self.index, "annotation", one) for one in made if one is not None]

    def _delta(self, kind: DeltaKind, value: object) -> list[Event]:
        return [Delta(self.index, kind, value)] if isinstance(value, str) and value else []


def text(value: object) -> str:
    """The string, "" for anything else."""
    return value if isinstance(value, str) else ""


def _parsed(arguments: str) -> object:
    try:
        return msgspec.json.decode(arguments)
    except (msgspec.DecodeError, RecursionError):
        return {"INVALID_JSON": arguments}
