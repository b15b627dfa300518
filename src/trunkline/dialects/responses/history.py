"""Turns of a conversation as input items of an upstream.

Reasoning goes back only to its own family, whole: its id and its encrypted data exactly as they came (adapters 2.4, classes 1 and 2).
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

import msgspec
from msgspec.structs import replace

from trunkline.dialects.hub.conversation import (
    Audio,
    Block,
    Conversation,
    File,
    Image,
    Opaque,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
    Turn,
    Video,
)
from trunkline.dialects.media import data_url
from trunkline.dialects.names import Names, fit
from trunkline.dialects.responses.citations import from_chat

Object = dict[str, object]

_DIALECT = "responses"
_ID_LETTERS = r"\x21-\x7e"
_ID_LIMIT = 64


class History:
    """Writes turns as items. `formats` are the families whose reasoning goes back; `breakpoints` says whether cache marks do;
    `system_role` is the role of system turns that are not the developer's."""

    def __init__(self, conversation: Conversation, names: Names, *, formats: tuple[str, ...], breakpoints: bool, system_role: str) -> None:
        self._names = names
        self._formats = formats
        self._breakpoints = breakpoints
        self._system_role = system_role
        self._turns = conversation.turns
        self._custom = {
            block.id for turn in conversation.turns for block in turn.blocks if isinstance(block, ToolCall) and block.kind == "custom"
        }

    def items(self) -> list[object]:
        """All items, in the caller's order."""
        kept: list[object] = []
        for item in reversed([item for turn in self._turns for item in self._turn(turn)]):
            if not _is_left_alone(item, kept[-1] if kept else None):
                kept.append(item)
        return kept[::-1]

    def _turn(self, turn: Turn) -> Iterator[object]:
        for kind, group in groupby(turn.blocks, _kind):
            blocks = tuple(group)
            if kind is Opaque:
                yield from (block.raw for block in blocks if isinstance(block, Opaque) and block.dialect == _DIALECT)
            elif kind is Reasoning:
                yield from self._reasoning(blocks)
            elif kind is ToolCall:
                yield from (self._call(block) for block in blocks if isinstance(block, ToolCall))
            elif kind is ToolResult:
                yield from (self._result(block) for block in blocks if isinstance(block, ToolResult))
            elif turn.role == "assistant":
                yield from self._said(blocks, turn.phase)
            else:
                yield from self._message(turn, blocks)

    def _message(self, turn: Turn, blocks: tuple[Block, ...]) -> Iterator[object]:
        role = "user"
        if turn.role == "system":
            role = "developer" if turn.developer else self._system_role
        parts = [part for part in map(self._part, blocks) if part is not None]
        if turn.name:
            parts = _named(turn.name, parts)
        if parts:
            yield {"type": "message", "role": role, "content": _plain(parts)}

    def _said(self, blocks: tuple[Block, ...], phase: str | None) -> Iterator[object]:
        """What the assistant said; pictures, which this dialect takes from users only, follow as a user's."""
        content = [part for part in map(_output_part, blocks) if part is not None]
        if content:
            yield {"type": "message", "role": "assistant", "content": content, **({} if phase is None else {"phase": phase})}
        shown = [part for part in map(self._part, blocks) if part is not None and part["type"] != "input_text"]
        if shown:
            yield {"type": "message", "role": "user", "content": shown}

    def _reasoning(self, blocks: tuple[Block, ...]) -> Iterator[object]:
        group: list[Reasoning] = []
        for block in blocks:
            if not isinstance(block, Reasoning) or block.format not in self._formats:
                continue
            if group and _begins_anew(block, group):
                yield from _reasoning_items(group)
                group = []
            group.append(block)
        yield from _reasoning_items(group)

    def _call(self, call: ToolCall) -> Object:
        head: Object = {"call_id": call_id(call.id), "name": self._names.wire(call.name)}
        if call.kind == "custom":
            return {"type": "custom_tool_call", **head, "input": call.arguments}
        return {"type": "function_call", **head, "arguments": call.arguments or "{}"}

    def _result(self, result: ToolResult) -> Object:
        kind = "custom_tool_call_output" if result.id in self._custom else "function_call_output"
        parts = [part for part in map(self._part, result.blocks) if part is not None]
        return {"type": kind, "call_id": call_id(result.id), "output": _plain(parts) if parts else "Error" if result.is_error else ""}

    def _part(self, block: Block) -> Object | None:
        part = _input_part(block)
        if part is not None and self._breakpoints and getattr(block, "cache", None) is not None:
            part["prompt_cache_breakpoint"] = {"mode": "explicit"}
        return part


def with_one_system(conversation: Conversation) -> Conversation:
    """The conversation with all its system turns in one, at the front."""
    system = [turn for turn in conversation.turns if turn.role == "system"]
    if not system or (len(system) == 1 and conversation.turns[0] is system[0]):
        return conversation
    texts = ["\n".join(block.text for block in turn.blocks if isinstance(block, Text)) for turn in system]
    first = Turn(role="system", blocks=(Text(text="\n\n".join(text for text in texts if text)),), developer=system[0].developer)
    return replace(conversation, turns=(first, *(turn for turn in conversation.turns if turn.role != "system")))


def call_id(identifier: str) -> str:
    """A call's id within the length that upstreams take."""
    return fit(identifier, allowed=_ID_LETTERS, limit=_ID_LIMIT)


def _kind(block: Block) -> type | None:
    return type(block) if isinstance(block, Opaque | Reasoning | ToolCall | ToolResult) else None


def _plain(parts: list[Object]) -> object:
    """One plain text as a string, which every server of this dialect takes."""
    return parts[0]["text"] if len(parts) == 1 and parts[0].keys() == {"type", "text"} else parts


def _named(name: str, parts: list[Object]) -> list[Object]:
    """This dialect has no names of speakers: the name goes before the text (contract 2.2)."""
    first = parts[0] if parts and parts[0]["type"] == "input_text" else None
    if first is None:
        return [{"type": "input_text", "text": f"{name}:"}, *parts]
    return [{**first, "text": f"{name}: {first['text']}"}, *parts[1:]]


def _begins_anew(block: Reasoning, group: list[Reasoning]) -> bool:
    """Whether a block is of another item than those before it: another id, or a second one with encrypted data."""
    sealed = any(one.kind == "encrypted" for one in group)
    return block.id != group[0].id or (sealed and (block.kind == "encrypted" or block.id is None))


def _reasoning_items(blocks: Sequence[Reasoning]) -> Iterator[Object]:
    """The item that blocks make. Without encrypted data a server that keeps nothing knows a summary not, so only plain text goes alone."""
    summary = [{"type": "summary_text", "text": block.text} for block in blocks if block.kind == "summary"]
    thoughts = [{"type": "reasoning_text", "text": block.text} for block in blocks if block.kind == "text"]
    data = next((block.data for block in blocks if block.kind == "encrypted"), None)
    if data is None and not thoughts:
        return
    identifier = blocks[0].id
    item: Object = {"type": "reasoning", **({} if identifier is None else {"id": identifier}), "summary": summary}
    if thoughts:
        item["content"] = thoughts
    if data is not None:
        item["encrypted_content"] = data
    yield item


_FOLLOWS = frozenset(("function_call", "custom_tool_call", "reasoning"))


def _is_left_alone(item: object, after: object) -> bool:
    """Whether an item is reasoning that nothing of the assistant follows: upstreams refuse it (`without its required following item`)."""
    if not isinstance(item, dict) or item.get("type") != "reasoning":
        return False
    if not isinstance(after, dict):
        return after is None
    return after.get("type") not in _FOLLOWS and after.get("role") != "assistant"


def _output_part(block: Block) -> Object | None:
    match block:
        case Text(text=text) if text:
            known = (from_chat(msgspec.json.decode(raw)) for raw in block.annotations)
            return {"type": "output_text", "text": text, "annotations": [one for one in known if one is not None]}
        case Refusal(text=text):
            return {"type": "refusal", "refusal": text}
        case _:
            return None


def _input_part(block: Block) -> Object | None:
    match block:
        case Text(text=text) if text:
            return {"type": "input_text", "text": text}
        case Refusal(text=text):
            return {"type": "input_text", "text": text}
        case Image():
            return _given(type="input_image", detail=block.detail or "auto", image_url=_url(block.url, block.data, block.media_type))
        case Audio(data=data, format=form):
            return {"type": "input_audio", "input_audio": {"data": data, "format": form}}
        case Video():
            return _given(type="input_video", video_url=_url(block.url, block.data, block.media_type))
        case File():
            return _file(block)
        case _:
            return None


def _file(block: File) -> Object:
    if block.text is not None and block.data is None and block.url is None:
        title = f"{block.filename}\n" if block.filename else ""
        return {"type": "input_text", "text": f"{title}{block.text}"}
    if block.file_id is not None and (block.media_type or "").startswith("image/"):
        return {"type": "input_image", "file_id": block.file_id, "detail": "auto"}
    if block.data is None:
        return _given(type="input_file", file_url=block.url, file_id=block.file_id)
    data = block.data if block.media_type is None else data_url(block.media_type, block.data)
    return {"type": "input_file", "filename": block.filename or "file", "file_data": data}


def _url(url: str | None, data: str | None, media_type: str | None) -> str | None:
    return url if data is None else data_url(media_type or "image/png", data)


def _given(**fields: object) -> Object:
    return {key: value for key, value in fields.items() if value is not None}
