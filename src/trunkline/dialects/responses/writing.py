"""Output items while they are written: each says what its beginning, its pieces and its end are as events.

An event is its type with its fields; the encoder numbers and frames it. Streams and whole responses use the same items, so that they
can't differ: a whole one only drops the events.
"""

from typing import Protocol

import msgspec

from trunkline.dialects.hub.events import DeltaKind
from trunkline.dialects.responses import seal
from trunkline.dialects.responses.citations import from_chat

Fields = dict[str, object]
Said = list[tuple[str, Fields]]
"""Events: (type, fields)."""


UNNAMED = "rs_tmp_"
"""How an id begins that stands for none: read back, it is none again, since an upstream's ids of reasoning have a meaning."""


class Writing(Protocol):
    """One output item in the making. `item` is what it is so far."""

    @property
    def item(self) -> Fields: ...

    def open(self) -> Said:
        """The events with which it begins."""

    def add(self, kind: DeltaKind, text: str) -> Said:
        """The events of a further piece."""

    def close(self, status: str) -> Said:
        """The events with which it ends: `completed` or `incomplete`."""


class Message:
    """A message of one part: text or a refusal. Probabilities that come right after a piece of text are told with it."""

    def __init__(self, identifier: str, place: int, *, refusal: bool) -> None:
        self._key = "refusal" if refusal else "text"
        self._name = "response.refusal" if refusal else "response.output_text"
        self._where: Fields = {"item_id": identifier, "output_index": place, "content_index": 0}
        self._pieces: list[str] = []
        self._annotations: list[object] = []
        self._logprobs: list[object] = []
        self._latest: Fields = {}
        self._refusal = refusal
        self._head: Fields = {"id": identifier, "type": "message", "role": "assistant"}
        self._status = "in_progress"

    @property
    def item(self) -> Fields:
        return {**self._head, "status": self._status, "content": [self._part("".join(self._pieces))]}

    def open(self) -> Said:
        item = {**self._head, "status": self._status, "content": ()}
        return [
            ("response.output_item.added", {"output_index": self._where["output_index"], "item": item}),
            ("response.content_part.added", {**self._where, "part": self._part("")}),
        ]

    def add(self, kind: DeltaKind, text: str) -> Said:
        if kind == "annotation":
            return self._cite(text)
        if kind == "logprobs":
            entries = msgspec.json.decode(text, type=list[object])
            self._logprobs.extend(entries)
            self._latest["logprobs"] = entries
        if kind != "text" or not text:
            return []
        self._pieces.append(text)
        self._latest = {**self._where, "delta": text, **({} if self._refusal else {"logprobs": ()})}
        return [(f"{self._name}.delta", self._latest)]

    def close(self, status: str) -> Said:
        self._status = status
        text = "".join(self._pieces)
        more: Fields = {} if self._refusal else {"logprobs": self._logprobs}
        return [
            (f"{self._name}.done", {**self._where, self._key: text, **more}),
            ("response.content_part.done", {**self._where, "part": self._part(text)}),
            ("response.output_item.done", {"output_index": self._where["output_index"], "item": self.item}),
        ]

    def _part(self, text: str) -> Fields:
        if self._refusal:
            return {"type": "refusal", "refusal": text}
        done: Fields = {"annotations": list(self._annotations), "logprobs": list(self._logprobs)}
        return {"type": "output_text", "text": text, **done}

    def _cite(self, text: str) -> Said:
        annotation = from_chat(msgspec.json.decode(text))
        if annotation is None:
            return []
        self._annotations.append(annotation)
        number = len(self._annotations) - 1
        return [("response.output_text.annotation.added", {**self._where, "annotation": annotation, "annotation_index": number})]


class Thought:
    """A reasoning item: a summary, a text, or both; a signature and encrypted data come with its end."""

    def __init__(self, identifier: str, place: int, *, family: str) -> None:
        self.identifier = identifier
        self._place = place
        self._family = family
        self._parts: dict[DeltaKind, list[str]] = {}
        self._status = "in_progress"

    @property
    def item(self) -> Fields:
        item: Fields = {"id": self.identifier, "type": "reasoning", "summary": [], "status": self._status, "format": self._family}
        for kind, (_, shape, _, _, key) in _SHOWN.items():
            if kind in self._parts:
                item[key] = [{"type": shape, "text": self._joined(kind)}]
        signature, data = (self._joined(kind) if kind in self._parts else None for kind in _KEPT)
        if signature is not None:
            item["signature"] = signature
        if (sealed := seal.close(self._family, signature, data)) is not None:
            item["encrypted_content"] = sealed
        return item

    def open(self) -> Said:
        return [("response.output_item.added", {"output_index": self._place, "item": self.item})]

    def add(self, kind: DeltaKind, text: str) -> Said:
        begins = kind not in self._parts
        if kind not in _SHOWN:
            self._parts.setdefault(kind, []).append(text)
            return []
        if not text:
            return []
        self._parts.setdefault(kind, []).append(text)
        part, shape, name, index, _ = _SHOWN[kind]
        said: Said = [(f"{part}.added", {**self._where(index), "part": {"type": shape, "text": ""}})] if begins else []
        return [*said, (f"{name}.delta", {**self._where(index), "delta": text})]

    def close(self, status: str) -> Said:
        self._status = status
        said: Said = []
        for kind, (part, shape, name, index, _) in _SHOWN.items():
            if kind in self._parts:
                text = self._joined(kind)
                said.append((f"{name}.done", {**self._where(index), "text": text}))
                said.append((f"{part}.done", {**self._where(index), "part": {"type": shape, "text": text}}))
        said.append(("response.output_item.done", {"output_index": self._place, "item": self.item}))
        return said

    def _joined(self, kind: DeltaKind) -> str:
        return "".join(self._parts[kind])

    def _where(self, index: str) -> Fields:
        return {"item_id": self.identifier, "output_index": self._place, index: 0}


_SHOWN: dict[DeltaKind, tuple[str, str, str, str, str]] = {
    "summary": (
        "response.reasoning_summary_part",
        "summary_text",
        "response.reasoning_summary_text",
        "summary_index",
        "summary",
    ),
    "text": ("response.content_part", "reasoning_text", "response.reasoning_text", "content_index", "content"),
}
"""For each kind of reasoning that is shown: the event of its part, the part's type, the event of its text, the index, the item's key."""

_KEPT: tuple[DeltaKind, DeltaKind] = ("signature", "data")


class Call:
    """A call of a function, or of a custom tool whose input is free text."""

    def __init__(self, identifier: str, place: int, *, call_id: str, name: str, custom: bool) -> None:
        self._where: Fields = {"item_id": identifier, "output_index": place}
        self._key = "input" if custom else "arguments"
        self._event = "response.custom_tool_call_input" if custom else "response.function_call_arguments"
        kind = "custom_tool_call" if custom else "function_call"
        self._head: Fields = {"id": identifier, "type": kind, "call_id": call_id, "name": name}
        self._custom = custom
        self._pieces: list[str] = []
        self._status = "in_progress"

    @property
    def item(self) -> Fields:
        return {**self._head, self._key: "".join(self._pieces), "status": self._status}

    def open(self) -> Said:
        return [("response.output_item.added", {"output_index": self._where["output_index"], "item": self.item})]

    def add(self, kind: DeltaKind, text: str) -> Said:
        if kind != "arguments" or not text:
            return []
        self._pieces.append(text)
        return [(f"{self._event}.delta", {**self._where, "delta": text})]

    def close(self, status: str) -> Said:
        """A function without arguments gets `{}`: an empty string is no JSON."""
        said = self.add("arguments", "{}") if not self._pieces and not self._custom and status == "completed" else []
        self._status = status
        named: Fields = {} if self._custom else {"name": self._head["name"]}
        return [
            *said,
            (f"{self._event}.done", {**self._where, **named, self._key: "".join(self._pieces)}),
            ("response.output_item.done", {"output_index": self._where["output_index"], "item": self.item}),
        ]
