"""A whole answer: the fold of its events. Streamed and unstreamed answers can't differ, since both are made from the same events."""

from collections.abc import Callable, Iterable
from typing import Any, Literal

from msgspec import Struct, field

from trunkline.dialects.hub.events import (
    BlockStart,
    BlockStop,
    Delta,
    DeltaKind,
    Event,
    Failure,
    Finish,
    Media,
    OpaqueEvent,
    Start,
    UsageSeen,
)
from trunkline.dialects.tiers import served
from trunkline.errors import UpstreamError


class AnswerBlock(Struct, kw_only=True):
    """One block of an answer. `parts` holds the deltas by kind; `joined` puts them together."""

    kind: Literal["text", "reasoning", "tool_call", "refusal", "media", "opaque"]
    id: str | None = None
    name: str = ""
    format: str = "unknown"
    custom: bool = False
    parts: dict[DeltaKind, list[str]] = field(default_factory=dict)
    media: Media | None = None
    opaque: OpaqueEvent | None = None

    def joined(self, kind: DeltaKind) -> str:
        """All deltas of a kind, put together; "" when there were none."""
        return "".join(self.parts.get(kind, ()))


class Answer(Struct, kw_only=True):
    """What was answered so far. `finish` is None until the upstream ended; `usage` is its last cumulative account."""

    blocks: list[AnswerBlock] = field(default_factory=list)
    id: str | None = None
    finish: Finish | None = None
    usage: dict[str, object] | None = None
    service_tier: str | None = None
    error: UpstreamError | None = None
    output_chars: int = 0
    by_index: dict[int, AnswerBlock] = field(default_factory=dict)

    @property
    def has_content(self) -> bool:
        """Whether anything was said, thought, called or shown."""
        return any(block.kind in ("tool_call", "media", "opaque") or any(block.parts.values()) for block in self.blocks)

    @property
    def has_words(self) -> bool:
        """Whether there is text, or a refusal, that a client can be shown."""
        return any(block.kind in ("text", "refusal") and block.joined("text") for block in self.blocks)

    @property
    def tool_calls(self) -> list[AnswerBlock]:
        """The calls, in order."""
        return [block for block in self.blocks if block.kind == "tool_call"]


CHARGED: frozenset[DeltaKind] = frozenset(("text", "arguments", "summary"))
"""Deltas that a model generated token by token; the others are credentials and citations."""


def take(answer: Answer, event: Event) -> None:
    """Add one event to an answer. Of several finishes, failures and starts the first counts."""
    _TAKERS[type(event)](answer, event)


def fold(events: Iterable[Event]) -> Answer:
    """The answer that all events make."""
    answer = Answer()
    for event in events:
        take(answer, event)
    return answer


def merged(known: dict[str, object] | None, snapshot: dict[str, object]) -> dict[str, object]:
    """Usage after a further cumulative snapshot (adapters 5.1): a later count replaces an earlier one field by field, is never added, and
    neither null nor 0 takes back what was counted."""
    result = dict(known or {})
    for key, value in snapshot.items():
        before = result.get(key)
        if isinstance(value, dict) and isinstance(before, dict):
            result[key] = merged(before, value)
        elif value or before is None:
            result[key] = value
    return result


def _delta(answer: Answer, event: Delta) -> None:
    block = answer.by_index.get(event.index)
    if block is not None:
        block.parts.setdefault(event.kind, []).append(event.text)
        answer.output_chars += len(event.text) if event.kind in CHARGED else 0


def _begin(answer: Answer, event: BlockStart) -> None:
    block = AnswerBlock(kind=event.kind, id=event.id, name=event.name, format=event.format, custom=event.custom)
    answer.by_index[event.index] = block
    answer.blocks.append(block)


def _usage(answer: Answer, event: UsageSeen) -> None:
    answer.usage = merged(answer.usage, event.raw)
    answer.service_tier = served(event.service_tier) or answer.service_tier


def _finish(answer: Answer, event: Finish) -> None:
    answer.finish = answer.finish or event


def _failure(answer: Answer, event: Failure) -> None:
    answer.error = answer.error or event.error


def _start(answer: Answer, event: Start) -> None:
    answer.id = answer.id or event.id


def _stop(answer: Answer, event: BlockStop) -> None:
    """Nothing is known by it that the end would not tell."""


def _media(answer: Answer, event: Media) -> None:
    answer.blocks.append(AnswerBlock(kind="media", media=event))


def _opaque(answer: Answer, event: OpaqueEvent) -> None:
    answer.blocks.append(AnswerBlock(kind="opaque", opaque=event))


_TAKERS: dict[type, Callable[[Answer, Any], None]] = {
    Delta: _delta,
    BlockStart: _begin,
    BlockStop: _stop,
    UsageSeen: _usage,
    Finish: _finish,
    Failure: _failure,
    Start: _start,
    Media: _media,
    OpaqueEvent: _opaque,
}
