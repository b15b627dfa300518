"""The common answer, read and written without a detour: one choice with text and nothing else about it.

The types here refuse whatever they do not name, and such an answer takes the full way through `choice`. A test shows that both ways
write the same JSON.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

Nothing = Annotated[list[object], Meta(max_length=0)]


class PlainMessage(Struct, forbid_unknown_fields=True, gc=False):
    """Text, and fields that say that there is nothing else."""

    content: Annotated[str, Meta(min_length=1)]
    role: Literal["assistant"] = "assistant"
    refusal: None = None
    annotations: Nothing | UnsetType = UNSET


class PlainChoice(Struct, forbid_unknown_fields=True, gc=False):
    """The only choice. The two reasons mean the same upstream and here."""

    message: PlainMessage
    finish_reason: Literal["stop", "length"]
    index: Literal[0] = 0
    logprobs: UnsetType | None = UNSET


class PlainAnswer(Struct, forbid_unknown_fields=True):
    """An answer with usage and the fields that OpenAI documents for every answer."""

    choices: tuple[PlainChoice]
    usage: dict[str, object]
    id: str = ""
    object: str = ""
    created: int = 0
    model: str = ""
    system_fingerprint: str | None = None
    service_tier: str | None = None


class MessageOut(Struct, gc=False):
    """The message as the client gets it."""

    role: str
    content: str
    refusal: None
    reasoning: None
    annotations: list[object] | UnsetType


class ChoiceOut(Struct, gc=False):
    """The choice as the client gets it."""

    index: int
    finish_reason: str
    native_finish_reason: str
    message: MessageOut
    logprobs: UnsetType | None


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
    out = MessageOut(message.role, message.content, None, None, message.annotations)
    choices = (ChoiceOut(0, reason, reason, out, choice.logprobs),)
    return _encode(AnswerOut(*identity, answer.system_fingerprint, answer.service_tier or None, choices, Raw(usage)))
