"""Converse's answer as it stands on the wire: a whole one (`ConverseResponse`), or one event of a stream (`ConverseStreamOutput`)."""

from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec
from msgspec import Raw, Struct

from trunkline.dialects import loose

ABSENT: Final = Raw()
"""A raw field that did not come."""

Wire = dict[str, object]


class Thought(Struct):
    """`reasoningText` of a whole answer."""

    text: str | None = None
    signature: str | None = None


class Reasoning(Struct):
    """Reasoning: an object in a whole answer, pieces in a stream; `redactedContent` is base64."""

    reasoningText: Thought | None = None  # noqa: N815 - the wire's name
    text: str | None = None
    signature: str | None = None
    redactedContent: str | None = None  # noqa: N815


class Call(Struct):
    """A call. `input` is an object in a whole answer, a piece of its JSON in a stream; `type` marks a tool of the upstream's own."""

    toolUseId: str | None = None  # noqa: N815
    name: str | None = None
    input: Raw = ABSENT
    type: str | None = None


class Words(Struct):
    """Text inside citations."""

    text: str | None = None


class Cited(Struct):
    """Text with its sources."""

    content: Sequence[Words] | None = None
    citations: Sequence[Wire] | None = None


class PictureSource(Struct):
    """Bytes in base64."""

    bytes: str | None = None


class Picture(Struct):
    """An image the model made."""

    format: str | None = None
    source: PictureSource | None = None


class Block(Struct):
    """A content block, its start, or a piece of it. Results of the upstream's own tools are kept raw."""

    text: str | None = None
    toolUse: Call | None = None  # noqa: N815
    reasoningContent: Reasoning | None = None  # noqa: N815
    citationsContent: Cited | None = None  # noqa: N815
    citation: Wire | None = None
    image: Picture | None = None
    toolResult: Raw = ABSENT  # noqa: N815


class BlockEvent(Struct):
    """Start, piece or end of the block with this index."""

    contentBlockIndex: int = 0  # noqa: N815
    start: Block | None = None
    delta: Block | None = None


class Stop(Struct):
    """The end of the message."""

    stopReason: str | None = None  # noqa: N815
    additionalModelResponseFields: object = None  # noqa: N815


class Tier(Struct):
    """The tier that served."""

    type: str | None = None


class Account(Struct):
    """What comes after the message: usage."""

    usage: Wire | None = None
    serviceTier: Tier | None = None  # noqa: N815


class Frame(Struct):
    """One event of a stream; of all fields one is set, and none for what is not known here."""

    messageStart: Wire | None = None  # noqa: N815
    contentBlockStart: BlockEvent | None = None  # noqa: N815
    contentBlockDelta: BlockEvent | None = None  # noqa: N815
    contentBlockStop: BlockEvent | None = None  # noqa: N815
    messageStop: Stop | None = None  # noqa: N815
    metadata: Account | None = None


class Message(Struct):
    """The message of a whole answer."""

    content: Sequence[Block] | None = None


class Output(Struct):
    """Where the message stands."""

    message: Message | None = None


class Answer(Struct):
    """A whole answer."""

    output: Output
    stopReason: str | None = None  # noqa: N815
    usage: Wire | None = None
    serviceTier: Tier | None = None  # noqa: N815
    additionalModelResponseFields: object = None  # noqa: N815


T = TypeVar("T")
FRAME: Final = msgspec.json.Decoder(Frame)
ANSWER: Final = msgspec.json.Decoder(Answer)
DOCUMENT: Final = msgspec.json.Decoder(Wire)


def read(data: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """The value in a payload. Raises MalformedResponse."""
    return loose.read(data, decoder, "Converse")
