"""The common event of a stream as the decoder reads it in one step: a piece of text, of reasoning, or of one call's arguments.

As in `plain_event`, the types refuse whatever they do not name, and such an event takes the full way. A test shows that both ways give the
same events.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct


class BriefFunction(Struct, forbid_unknown_fields=True, gc=False):
    """Further arguments of a call that has begun."""

    arguments: str
    name: None = None


class BriefCall(Struct, forbid_unknown_fields=True, gc=False):
    """A piece of a call. One with an id may be another call, which the full way finds out."""

    index: int
    function: BriefFunction
    id: None = None
    type: Literal["function"] | None = None


class BriefDelta(Struct, forbid_unknown_fields=True, gc=False):
    """What was added."""

    role: Literal["assistant"] | None = None
    content: str | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None
    refusal: None = None
    tool_calls: Annotated[list[BriefCall], Meta(max_length=1)] | None = None

    @property
    def thought(self) -> str:
        """The reasoning, under either name."""
        return self.reasoning_content or self.reasoning or ""


class BriefPart(Struct, forbid_unknown_fields=True, gc=False):
    """The only choice of an event, which does not end it."""

    delta: BriefDelta
    finish_reason: None = None
    native_finish_reason: None = None
    stop_reason: None = None
    index: Literal[0] = 0
    logprobs: None = None


class BriefEvent(Struct, forbid_unknown_fields=True, gc=False):
    """One event without usage."""

    choices: tuple[BriefPart]
    id: str = ""
    object: str = ""
    created: float = 0
    model: str = ""
    provider: str = ""
    system_fingerprint: str | None = None
    service_tier: str | None = None
    obfuscation: str = ""
    usage: None = None


_read = msgspec.json.Decoder(BriefEvent).decode


def read(payload: bytes) -> BriefDelta | None:
    """What a common event adds; None for any other event."""
    try:
        return _read(payload).choices[0].delta
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
