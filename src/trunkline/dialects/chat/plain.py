"""The common answer, read and written without a detour: one choice with text and nothing else about it but what servers add to every
answer: empty fields, padding, timings.

The types here refuse whatever they do not name, and such an answer takes the full way through `choice`. A test shows that both ways
write the same JSON.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from trunkline.dialects.tiers import served

Nothing = Annotated[list[object], Meta(max_length=0)]


class PlainMessage(Struct, forbid_unknown_fields=True, gc=False):
    """Text, and fields that say that there is nothing else."""

    content: Annotated[str, Meta(min_length=1)]
    role: Literal["assistant"] = "assistant"
    refusal: None = None
    annotations: Nothing | UnsetType | None = UNSET
    tool_calls: Nothing | None = None
    reasoning_content: None = None
    audio: UnsetType | None = UNSET
    function_call: UnsetType | None = UNSET


class PlainChoice(Struct, forbid_unknown_fields=True, gc=False):
    """The only choice. The two reasons mean the same upstream and here."""

    message: PlainMessage
    finish_reason: Literal["stop", "length"]
    index: Literal[0] = 0
    logprobs: UnsetType | None = UNSET
    stop_reason: UnsetType | None = UNSET


class PlainAnswer(Struct, forbid_unknown_fields=True):
    """An answer with usage, the fields that OpenAI documents for every answer, and additions that pass as they are."""

    choices: tuple[PlainChoice]
    usage: dict[str, object]
    id: str = ""
    object: str = ""
    created: int = 0
    model: str = ""
    system_fingerprint: str | None = None
    service_tier: str | None = None
    obfuscation: Raw | UnsetType = UNSET
    timings: Raw | UnsetType = UNSET


class MessageOut(Struct, gc=False):
    """The message as the client gets it."""

    role: str
    content: str
    refusal: None
    reasoning: None
    annotations: list[object] | UnsetType | None
    audio: UnsetType | None
    function_call: UnsetType | None


class ChoiceOut(Struct, gc=False):
    """The choice as the client gets it."""

    index: int
    finish_reason: str
    native_finish_reason: str
    message: MessageOut
    logprobs: UnsetType | None
    stop_reason: UnsetType | None


class AnswerOut(Struct):
    """The answer as the client gets it, usage last."""

    id: str
    object: str
    created: int
    model: str
    provider: str
    system_fingerprint: str | None
    service_tier: str | None
    choices: tuple[ChoiceOut]
    obfuscation: Raw | UnsetType
    timings: Raw | UnsetType
    usage: Raw


_READ = msgspec.json.Decoder(PlainAnswer)
_encode = msgspec.json.Encoder().encode


def read(body: bytes) -> PlainAnswer | None:
    """The answer, when it is a plain one."""
    try:
        answer = _READ.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return answer if answer.usage else None


def write(answer: PlainAnswer, identity: tuple[str, str, int, str, str], usage: bytes) -> bytes:
    """The client's body. `identity` is id, object, created, model and provider."""
    choice = answer.choices[0]
    message = choice.message
    reason = choice.finish_reason
    out = MessageOut(message.role, message.content, None, None, message.annotations, message.audio, message.function_call)
    choices = (ChoiceOut(0, reason, reason, out, choice.logprobs, choice.stop_reason),)
    tier = served(answer.service_tier)
    return _encode(AnswerOut(*identity, answer.system_fingerprint, tier, choices, answer.obfuscation, answer.timings, Raw(usage)))
