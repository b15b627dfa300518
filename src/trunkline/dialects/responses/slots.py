"""The output items of an answer while they are read: which block each part is, and how much of it has been told."""

import hashlib
import re
from collections.abc import Callable, Hashable, Mapping

import msgspec
from msgspec import Raw

from trunkline.dialects.hub.events import BlockKind, BlockStart, BlockStop, Delta, DeltaKind, Event, Media, OpaqueEvent
from trunkline.dialects.names import Names
from trunkline.dialects.responses.citations import to_chat
from trunkline.dialects.responses.verdict import CALLS

Document = dict[str, object]

_RESTARTING = re.compile(r"call_\d{1,4}")
"""Call ids that some servers count anew in each response: they would meet again in the next turn's history."""


class Block:
    """One block of the answer: its number, and what of it was told so far by kind."""

    def __init__(self, index: int, kind: BlockKind) -> None:
        self.index = index
        self.kind = kind
        self.told: dict[DeltaKind, list[str]] = {}
        self.annotations = 0
        self.parts = 0
        self.stopped = False


class Slots:
    """Turns the events about items and their parts into blocks. `family` is the format of the upstream's reasoning."""

    def __init__(self, family: str, names: Names, *, seed: str) -> None:
        self.called = False
        self._family = family
        self._names = names
        self._seed = seed
        self._blocks: dict[Hashable, Block] = {}
        self._finished: set[Hashable] = set()
        self._places: dict[str, Hashable] = {}
        self._count = 0
        self.handlers: Mapping[str, Callable[[Document], list[Event]]] = {
            "response.output_item.added": self._added,
            "response.output_item.done": self._done,
            "response.content_part.done": self._part_done,
            "response.output_text.delta": self._text("text"),
            "response.output_text.done": self._text_done("text", "text"),
            "response.output_text.annotation.added": self._annotation,
            "response.refusal.delta": self._text("refusal"),
            "response.refusal.done": self._text_done("refusal", "refusal"),
            "response.reasoning_text.delta": self._thought("text"),
            "response.reasoning.delta": self._thought("text"),
            "response.reasoning_summary_part.added": self._summary_part,
            "response.reasoning_summary_text.delta": self._thought("summary"),
            "response.function_call_arguments.delta": self._arguments,
            "response.function_call_arguments.done": self._arguments_done("arguments"),
            "response.custom_tool_call_input.delta": self._arguments,
            "response.custom_tool_call_input.done": self._arguments_done("input"),
        }

    def complete(self, output: object) -> list[Event]:
        """What the final response tells beyond what was known, then the stop of every open block."""
        events: list[Event] = []
        for index, item in enumerate(output if isinstance(output, list) else ()):
            if isinstance(item, dict):
                events.extend(self._finish(self._places.get(_string(item.get("id")), index), item))
        for block in self._blocks.values():
            events.extend(_stop(block))
        return events

    def _added(self, event: Document) -> list[Event]:
        item = event.get("item")
        if not isinstance(item, dict):
            return []
        place = self._note(event, item)
        if item.get("type") == "reasoning":
            return self._open(place, "reasoning", item=item)[1]
        return self._call(place, item) if _string(item.get("type")) in CALLS else []

    def _done(self, event: Document) -> list[Event]:
        item = event.get("item")
        return self._finish(self._note(event, item), item) if isinstance(item, dict) else []

    def _note(self, event: Document, item: Document) -> Hashable:
        """The place of an item. The final response may list items at other places, so the place of each id is kept."""
        identifier = _string(item.get("id"))
        place = _place(event) if isinstance(event.get("output_index"), int) or not identifier else identifier
        if identifier:
            self._places[identifier] = place
        return place

    def _finish(self, place: Hashable, item: Document) -> list[Event]:
        if place in self._finished:
            return []
        self._finished.add(place)
        kind = _string(item.get("type"))
        if kind == "message":
            return self._message(place, item)
        if kind == "reasoning":
            return self._reasoning(place, item)
        if kind in CALLS:
            return self._call(place, item, ended=True)
        if kind == "image_generation_call" and isinstance(item.get("result"), str):
            return [_picture(item)]
        return [OpaqueEvent("responses", Raw(msgspec.json.encode(item)))] if kind else []

    def _message(self, place: Hashable, item: Document) -> list[Event]:
        events: list[Event] = []
        content = item.get("content")
        for index, part in enumerate(content if isinstance(content, list) else ()):
            if isinstance(part, dict):
                events.extend(self._part((place, index), part))
        return events

    def _part_done(self, event: Document) -> list[Event]:
        part = event.get("part")
        return self._part(_part_place(event), part) if isinstance(part, dict) else []

    def _part(self, place: Hashable, part: Document) -> list[Event]:
        """A whole part of a message."""
        kind = part.get("type")
        if kind == "refusal":
            return self._fill(place, "refusal", _string(part.get("refusal")))
        if kind != "output_text":
            return []
        return self._fill(place, "text", _string(part.get("text")), part)

    def _fill(self, place: Hashable, kind: BlockKind, text: str, part: Document | None = None) -> list[Event]:
        """The rest of a text of which the beginning may be known, what goes with it, and its end."""
        known = self._blocks.get(place)
        if (known is None and not text) or (known is not None and known.stopped):
            return []
        block, events = self._open(place, kind)
        events.extend(_rest(block, "text", text))
        if part is not None:
            listed = part.get("annotations")
            events.extend(self._cite(block, one) for one in (listed[block.annotations :] if isinstance(listed, list) else ()))
            if "logprobs" not in block.told:
                events.extend(_logprobs(block, part.get("logprobs")))
        return [*events, *_stop(block)]

    def _reasoning(self, place: Hashable, item: Document) -> list[Event]:
        block, events = self._open(place, "reasoning", item=item)
        events.extend(_rest(block, "summary", "\n\n".join(_texts(item.get("summary")))))
        events.extend(_rest(block, "text", "".join(_texts(item.get("content")))))
        events.extend(_rest(block, "signature", _string(item.get("signature"))))
        events.extend(_rest(block, "data", _string(item.get("encrypted_content"))))
        return [*events, *_stop(block)]

    def _call(self, place: Hashable, item: Document, *, ended: bool = False) -> list[Event]:
        name = _string(item.get("name"))
        if place not in self._blocks and not name:
            return []
        custom = item.get("type") == "custom_tool_call"
        block, events = self._open(place, "tool_call", item=item, custom=custom)
        events.extend(_rest(block, "arguments", _string(item.get("input" if custom else "arguments"))))
        return [*events, *_stop(block)] if ended else events

    def _text(self, kind: BlockKind) -> Callable[[Document], list[Event]]:
        def read(event: Document) -> list[Event]:
            text = _string(event.get("delta"))
            if not text:
                return []
            block, events = self._open(_part_place(event), kind)
            if block.stopped:
                return events
            events.append(_tell(block, "text", text))
            return [*events, *_logprobs(block, event.get("logprobs"))]

        return read

    def _text_done(self, kind: BlockKind, key: str) -> Callable[[Document], list[Event]]:
        def read(event: Document) -> list[Event]:
            block = self._blocks.get(_part_place(event))
            text = _string(event.get(key))
            if block is None and not text:
                return []
            block, events = self._open(_part_place(event), kind)
            return events if block.stopped else [*events, *_rest(block, "text", text)]

        return read

    def _annotation(self, event: Document) -> list[Event]:
        block, events = self._open(_part_place(event), "text")
        return events if block.stopped else [*events, self._cite(block, event.get("annotation"))]

    def _cite(self, block: Block, annotation: object) -> Event:
        block.annotations += 1
        return Delta(block.index, "annotation", msgspec.json.encode(to_chat(annotation)).decode())

    def _thought(self, kind: DeltaKind) -> Callable[[Document], list[Event]]:
        def read(event: Document) -> list[Event]:
            text = _string(event.get("delta"))
            block, events = self._open(_place(event), "reasoning", item={"id": event.get("item_id")})
            return [*events, _tell(block, kind, text)] if text and not block.stopped else events

        return read

    def _summary_part(self, event: Document) -> list[Event]:
        """A further part of the summary: a paragraph of its own."""
        block, events = self._open(_place(event), "reasoning", item={"id": event.get("item_id")})
        block.parts += 1
        return [*events, _tell(block, "summary", "\n\n")] if block.parts > 1 and not block.stopped else events

    def _arguments(self, event: Document) -> list[Event]:
        block = self._blocks.get(_place(event))
        text = _string(event.get("delta"))
        return [_tell(block, "arguments", text)] if block is not None and text and not block.stopped else []

    def _arguments_done(self, key: str) -> Callable[[Document], list[Event]]:
        def read(event: Document) -> list[Event]:
            block = self._blocks.get(_place(event))
            return [] if block is None or block.stopped else _rest(block, "arguments", _string(event.get(key)))

        return read

    def _open(self, place: Hashable, kind: BlockKind, *, item: Document | None = None, custom: bool = False) -> tuple[Block, list[Event]]:
        block = self._blocks.get(place)
        if block is not None:
            return block, []
        block = Block(self._count, kind)
        self._blocks[place] = block
        self._count += 1
        item = item or {}
        if kind == "tool_call":
            self.called = True
            name = self._names.original(_string(item.get("name")))
            return block, [BlockStart(block.index, kind, self._call_id(block.index, item), name, custom=custom)]
        if kind == "reasoning":
            identifier = item.get("id")
            identifier = identifier if isinstance(identifier, str) and identifier else None
            family = item.get("format")
            return block, [BlockStart(block.index, kind, identifier, format=family if isinstance(family, str) else self._family)]
        return block, [BlockStart(block.index, kind)]

    def _call_id(self, index: int, item: Document) -> str:
        given = _string(item.get("call_id")) or _string(item.get("id"))
        if given and not _RESTARTING.fullmatch(given):
            return given
        return f"call_{hashlib.sha256(f'{self._seed}:{index}'.encode()).hexdigest()[:24]}"


def _place(event: Document) -> Hashable:
    index = event.get("output_index")
    return index if isinstance(index, int) else _string(event.get("item_id"))


def _part_place(event: Document) -> Hashable:
    index = event.get("content_index")
    return (_place(event), index if isinstance(index, int) else 0)


def _tell(block: Block, kind: DeltaKind, text: str) -> Event:
    block.told.setdefault(kind, []).append(text)
    return Delta(block.index, kind, text)


def _rest(block: Block, kind: DeltaKind, text: str) -> list[Event]:
    """What a full text adds to what was told; nothing when the two don't agree, since what is told can't be taken back."""
    if block.stopped:
        return []
    told = "".join(block.told.get(kind, ()))
    return [_tell(block, kind, text[len(told) :])] if len(text) > len(told) and text.startswith(told) else []


def _stop(block: Block) -> list[Event]:
    if block.stopped:
        return []
    block.stopped = True
    return [BlockStop(block.index)]


def _logprobs(block: Block, entries: object) -> list[Event]:
    if not isinstance(entries, list) or not entries:
        return []
    return [_tell(block, "logprobs", msgspec.json.encode(entries).decode())]


def _texts(parts: object) -> list[str]:
    return [_string(part.get("text")) for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _picture(item: Document) -> Event:
    form = _string(item.get("output_format")) or "png"
    identifier = item.get("id")
    return Media("image", f"image/{form}", _string(item.get("result")), id=identifier if isinstance(identifier, str) else None)
