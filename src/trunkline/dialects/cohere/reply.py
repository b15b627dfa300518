"""Cohere's answer as it stands on the wire: a whole one, or one event of a stream (Cohere API reference, "Chat")."""

from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from trunkline.dialects import loose

Wire = dict[str, object]


class Function(Struct):
    """What is called; `arguments` is JSON text, in pieces in a stream."""

    name: str | None = None
    arguments: str | None = None


class Call(Struct):
    """A call of a tool."""

    id: str | None = None
    function: Function | None = None


class Part(Struct):
    """A content block, or a piece of one."""

    type: str | None = None
    text: str | None = None
    thinking: str | None = None


class Message(Struct):
    """The message: content, calls and citations are lists in a whole answer, single ones in an event."""

    content: Sequence[Part] | Part | None = None
    tool_calls: Sequence[Call] | Call | None = None
    tool_plan: str | None = None
    citations: Sequence[Wire] | Wire | None = None


class Change(Struct):
    """What an event adds."""

    message: Message | None = None
    finish_reason: str | None = None
    usage: Wire | None = None
    error: str | None = None


class Event(Struct):
    """One event. `index` counts content and calls apart."""

    type: str | None = None
    id: str | None = None
    index: int = 0
    delta: Change | None = None
    logprobs: Wire | None = None


class Answer(Struct):
    """A whole answer."""

    message: Message
    id: str | None = None
    finish_reason: str | None = None
    usage: Wire | None = None
    logprobs: Sequence[Wire] | None = None


T = TypeVar("T")
EVENT: Final = msgspec.json.Decoder(Event)
ANSWER: Final = msgspec.json.Decoder(Answer)
DOCUMENT: Final = msgspec.json.Decoder(Wire)


def read(data: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """The value in a payload. Raises MalformedResponse."""
    return loose.read(data, decoder, "Cohere's")
