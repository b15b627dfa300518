"""The turns of a conversation as `contents` (adapters 1.4; Gemini API, "Function calling" and "Thought signatures").

Turns of one role are one content. The results of all calls of one content stand together right after it, one for each call, in the order
of the calls, whenever and however often they came. What answers no call becomes text, so that a trimmed history stays valid.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import Final

import msgspec
from msgspec import Raw

from trunkline.dialects import loose
from trunkline.dialects.gemini import DIALECT
from trunkline.dialects.gemini.parts import Part, part_of
from trunkline.dialects.gemini.tools import INPUT, ToolNames
from trunkline.dialects.hub.conversation import Block, Opaque, Reasoning, Refusal, Text, ToolCall, ToolResult, Turn

UNSIGNED: Final = "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I="
"""`skip_thought_signature_validator` in base64: stands for the signature of a call that another model made (Gemini API, "Thought
signatures"); without one, Gemini 3 refuses the first call of a step."""

NO_RESULT: Final = "No result was returned."


class _Slot:
    """The place of one call's result."""

    __slots__ = ("identifier", "media", "name", "part")

    def __init__(self, identifier: str, name: str) -> None:
        self.identifier = identifier
        self.name = name
        self.part: Part | None = None
        self.media: list[Part] = []


class _Content:
    """One content: parts, or the results of the content before it."""

    __slots__ = ("parts", "role", "slots")

    def __init__(self, role: str) -> None:
        self.role = role
        self.parts: list[object] = []
        self.slots: list[_Slot] = []


class Weaver:
    """Weaves one conversation. `formats`: the families whose reasoning the endpoint takes; `media_in_results`: whether media of a tool
    result stand inside it, else they follow the results as the user's."""

    def __init__(self, names: ToolNames, formats: Collection[str], *, media_in_results: bool) -> None:
        self._names = names
        self._formats = formats
        self._media_in_results = media_in_results
        self._contents: list[_Content] = []
        self._open: dict[str, _Slot] = {}

    def weave(self, turns: Iterable[Turn]) -> list[object]:
        """The contents of all turns that are no system's. Raises ApiError for media that cannot be sent."""
        for turn in turns:
            if turn.role == "assistant":
                self._model(turn)
            elif turn.role != "system":
                self._user(turn)
        if self._contents and not any(slot.part for slot in self._contents[-1].slots) and not self._contents[-1].parts:
            self._contents.pop()
        return [{"role": role, "parts": parts} for role, parts in self._rendered() if parts]

    def _model(self, turn: Turn) -> None:
        content = self._model_content()
        calls = {block.id for block in turn.blocks if isinstance(block, ToolCall)}
        signatures = {block.id: block.data for block in turn.blocks if isinstance(block, Reasoning) and self._is_signature(block)}
        pending: str | None = None
        for block in _named(turn):
            if isinstance(block, Reasoning) and block.kind == "encrypted":
                if self._is_signature(block) and block.id not in calls:
                    content.parts.extend(_alone(pending))
                    pending = block.data
            elif isinstance(block, ToolCall):
                own = signatures.get(block.id)
                content.parts.extend(_alone(pending if own else None))
                self._call(content, block, own or pending)
                pending = None
            else:
                part = self._model_part(block)
                if isinstance(part, dict) and pending is not None and "thought" not in part:
                    part = {**part, "thoughtSignature": pending}
                    pending = None
                content.parts.extend([] if part is None else [part])
        content.parts.extend(_alone(pending))

    def _is_signature(self, block: Reasoning) -> bool:
        return block.kind == "encrypted" and bool(block.data) and block.format in self._formats

    def _model_content(self) -> _Content:
        """The content that a model's turn belongs to: the last one where it is the model's own, even when results were expected since."""
        last = self._contents[-1] if self._contents else None
        if last is not None and last.slots and not last.parts and not any(slot.part for slot in last.slots):
            return self._contents[-2]
        if last is None or last.role != "model":
            last = _Content("model")
            self._contents.append(last)
        return last

    def _call(self, content: _Content, call: ToolCall, signature: str | None) -> None:
        arguments: object = {INPUT: call.arguments} if call.kind == "custom" else _arguments(call.arguments)
        part: Part = {"functionCall": {"id": call.id, "name": self._names.wire(call.name), "args": arguments}}
        first = not any(isinstance(other, dict) and "functionCall" in other for other in content.parts)
        if signature is not None or first:
            part["thoughtSignature"] = signature or UNSIGNED
        content.parts.append(part)
        if self._contents[-1] is content:
            self._contents.append(_Content("user"))
        slot = _Slot(call.id, self._names.wire(call.name))
        self._contents[-1].slots.append(slot)
        self._open[call.id] = slot

    def _model_part(self, block: Block) -> object:
        if isinstance(block, Reasoning):
            return self._thought(block)
        if isinstance(block, Opaque):
            return block.raw if block.dialect == DIALECT else None
        return part_of(block)

    def _thought(self, block: Reasoning) -> Part | None:
        if block.format not in self._formats or not (block.text or block.signature):
            return None
        part: Part = {"text": block.text, "thought": True}
        return {**part, "thoughtSignature": block.signature} if block.signature else part

    def _user(self, turn: Turn) -> None:
        rest: list[object] = []
        for block in _named(turn):
            if isinstance(block, ToolResult):
                rest.extend(self._answered(block))
            elif isinstance(block, Opaque):
                rest.extend([block.raw] if block.dialect == DIALECT else [])
            else:
                part = part_of(block)
                rest.extend([] if part is None else [part])
        if not rest:
            return
        last = self._contents[-1] if self._contents else None
        if last is None or last.role != "user" or last.slots:
            last = _Content("user")
            self._contents.append(last)
        last.parts.extend(rest)

    def _answered(self, result: ToolResult) -> list[Part]:
        """Puts a result into its place; the parts of one that has none."""
        slot = self._open.get(result.id)
        if slot is None:
            text, media = _split(result.blocks)
            told = f"Result of {result.name or 'a tool'}: {text}"
            return [{"text": told}, *media]
        if slot.part is None:
            text, media = _split(result.blocks)
            response: Part = {"id": slot.identifier, "name": slot.name, "response": {"error" if result.is_error else "output": text}}
            if media and self._media_in_results:
                response["parts"] = media
            else:
                slot.media = media
            slot.part = {"functionResponse": response}
        return []

    def _rendered(self) -> Iterator[tuple[str, list[object]]]:
        """All contents. Media that stand beside results are what the user shows next."""
        shown: list[object] = []
        for content in self._contents:
            if shown and (content.role != "user" or content.slots):
                yield "user", shown
                shown = []
            yield content.role, [slot.part or _missing(slot) for slot in content.slots] if content.slots else shown + content.parts
            shown = [part for slot in content.slots for part in slot.media]
        yield "user", shown


def _alone(signature: str | None) -> list[Part]:
    """A signature that no part follows stands at an empty one, as it came."""
    return [] if signature is None else [{"text": "", "thoughtSignature": signature}]


def _missing(slot: _Slot) -> Part:
    return {"functionResponse": {"id": slot.identifier, "name": slot.name, "response": {"error": NO_RESULT}}}


def _split(blocks: tuple[Block, ...]) -> tuple[str, list[Part]]:
    """The text of a result, as it is (JSON too: an object would lose its order, and a `$ref` in it would be followed), and its media."""
    texts = [block.text for block in blocks if isinstance(block, Text | Refusal)]
    media = [part_of(block) for block in blocks if not isinstance(block, Text | Refusal)]
    return "\n".join(texts), [part for part in media if part is not None]


def _named(turn: Turn) -> tuple[Block, ...]:
    """The blocks of a turn; the name of who speaks stands before the first text (contract 2.2)."""
    if turn.name is None or turn.role == "tool":
        return turn.blocks
    for place, block in enumerate(turn.blocks):
        if isinstance(block, Text) and block.text:
            return (*turn.blocks[:place], Text(text=f"{turn.name}: {block.text}"), *turn.blocks[place + 1 :])
    return turn.blocks


def _arguments(text: str) -> object:
    """The arguments with their bytes; what is no JSON object goes as text, since the upstream takes objects only."""
    data = text.encode("utf-8", "replace")
    try:
        return Raw(data) if isinstance(msgspec.json.decode(data), dict) else _wrapped(text)
    except loose.FAILURES:
        return _mended(data, text)


def _mended(data: bytes, text: str) -> object:
    """Arguments that only a loose parser reads."""
    try:
        value = loose.decode(data)
    except ValueError:
        value = None
    return value if isinstance(value, dict) else _wrapped(text)


def _wrapped(text: str) -> object:
    return {INPUT: text} if text.strip() not in ("", "null") else {}
