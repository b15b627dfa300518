"""The common event of a stream, read and written without a detour: text, the role before it, the end after it, or usage alone.

As in `plain`, the types refuse whatever they do not name, and such an event takes the full way. A test shows that both ways write the
same events.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from trunkline.dialects.tiers import served


class PlainDelta(Struct, forbid_unknown_fields=True, gc=False):
    """Text or none. What is absent stays absent for the client."""

    role: Literal["assistant"] | UnsetType = UNSET
    content: str | UnsetType | None = UNSET
    refusal: UnsetType | None = UNSET


class PlainPart(Struct, forbid_unknown_fields=True, gc=False):
    """The only choice of an event. The two reasons mean the same upstream and here."""

    delta: PlainDelta
    finish_reason: Literal["stop", "length"] | None = None
    index: Literal[0] = 0
    logprobs: UnsetType | None = UNSET

    @property
    def text(self) -> str:
        """What the event adds to the answer."""
        return self.delta.content or ""


class PlainEvent(Struct, forbid_unknown_fields=True):
    """One event with the fields that OpenAI documents; `obfuscation` is padding and goes no further."""

    choices: Annotated[list[PlainPart], Meta(max_length=1)]
    usage: dict[str, object] | None = None
    id: str = ""
    object: Literal["chat.completion.chunk", ""] = ""
    created: int = 0
    model: str = ""
    system_fingerprint: str | UnsetType | None = UNSET
    service_tier: str | UnsetType | None = UNSET
    obfuscation: str = ""


class PartOut(Struct, gc=False):
    """The choice as the client gets it."""

    index: int
    delta: PlainDelta
    finish_reason: str | None
    native_finish_reason: str | None
    logprobs: UnsetType | None


class EventOut(Struct):
    """The event as the client gets it."""

    id: str
    object: str
    created: int
    model: str
    provider: str
    system_fingerprint: str | UnsetType | None
    service_tier: str | UnsetType | None
    choices: tuple[PartOut]


_read = msgspec.json.Decoder(PlainEvent).decode
_encode = msgspec.json.Encoder().encode


def read(payload: bytes) -> PlainEvent | None:
    """The event, when it is a plain one."""
    try:
        return _read(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def write(event: PlainEvent, part: PlainPart, identity: tuple[str, str, int, str, str]) -> bytes:
    """The client's event. `identity` is id, object, created, model and provider."""
    reason = part.finish_reason
    choices = (PartOut(0, part.delta, reason, reason, part.logprobs),)
    tier = UNSET if event.service_tier is UNSET else served(event.service_tier)
    return b"data: %b\n\n" % _encode(EventOut(*identity, event.system_fingerprint, tier, choices))
