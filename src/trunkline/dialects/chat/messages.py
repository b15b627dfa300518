"""The shape of `messages` (contract 2.1, 2.2, 2.10): checked while it is decoded, and counted for the token estimate.

Only what must be known is decoded; unknown fields pass.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from trunkline.errors import ApiError

Role = Literal["system", "developer", "user", "assistant", "tool"]


class TextPart(Struct, tag_field="type", tag="text", gc=False):
    text: str


class RefusalPart(Struct, tag_field="type", tag="refusal", gc=False):
    refusal: str


class MediaUrl(Struct, gc=False):
    url: str


class ImagePart(Struct, tag_field="type", tag="image_url", gc=False):
    image_url: MediaUrl | str


class VideoPart(Struct, tag_field="type", tag="video_url", gc=False):
    video_url: MediaUrl | str


class LegacyVideoPart(Struct, tag_field="type", tag="input_video", gc=False):
    """The older name of `video_url`; its payload is not looked at."""


class FileData(Struct, gc=False):
    filename: str | None = None
    file_data: str | None = None
    file_id: str | None = None


class FilePart(Struct, tag_field="type", tag="file", gc=False):
    file: FileData


class AudioData(Struct, gc=False):
    data: str
    format: str | None = None


class AudioPart(Struct, tag_field="type", tag="input_audio", gc=False):
    input_audio: AudioData


Part = TextPart | RefusalPart | ImagePart | VideoPart | LegacyVideoPart | FilePart | AudioPart

MODALITIES: dict[type, str] = {
    ImagePart: "image",
    VideoPart: "video",
    LegacyVideoPart: "video",
    FilePart: "file",
    AudioPart: "audio",
}


class CalledFunction(Struct, gc=False):
    name: str
    arguments: str | dict[str, object] | None = None


class PastCall(Struct, gc=False):
    function: CalledFunction | None = None
    id: str | None = None


class Message(Struct, gc=False):
    """One message. `content` may be null or absent only for an assistant."""

    role: Role
    content: str | list[Part] | UnsetType | None = UNSET
    name: str | None = None
    tool_calls: list[PastCall] | None = None
    tool_call_id: str | None = None
    reasoning: Raw | UnsetType = UNSET
    reasoning_content: Raw | UnsetType = UNSET
    reasoning_details: Raw | UnsetType = UNSET


Messages = Annotated[list[Message], Meta(min_length=1)]


class Survey(Struct, frozen=True, gc=False):
    """What was seen: bytes of text (UTF-8; media not counted), the modalities beside text, and the traits that endpoints may differ about.

    `traits` holds the roles of the messages, `reasoning` when one carries reasoning, and `calls` when one carries tool calls.
    """

    text_bytes: int
    modalities: frozenset[str] = frozenset()
    traits: frozenset[str] = frozenset()


def survey(messages: Sequence[Message]) -> Survey:
    """Count text and collect modalities and traits. Raises ApiError for content that its role does not allow."""
    total = 0
    modalities: set[str] = set()
    traits: set[str] = set()
    for index, message in enumerate(messages):
        content = message.content
        traits.add(message.role)
        if isinstance(content, str):
            total += len(content) if content.isascii() else len(content.encode())
        elif isinstance(content, list):
            total += _survey_parts(content, modalities)
        elif message.role != "assistant":
            raise ApiError("invalid_request", f"messages[{index}].content: Expected text or an array of parts for the role {message.role}")
        if message.role == "assistant":
            total += _survey_answer(message, traits)
    return Survey(total, frozenset(modalities), frozenset(traits))


def _survey_answer(message: Message, traits: set[str]) -> int:
    if not (message.reasoning is message.reasoning_content is message.reasoning_details is UNSET):
        traits.add("reasoning")
    if not message.tool_calls:
        return 0
    traits.add("calls")
    return _call_bytes(message.tool_calls)


def _survey_parts(parts: Sequence[Part], modalities: set[str]) -> int:
    total = 0
    for part in parts:
        if isinstance(part, TextPart):
            total += len(part.text) if part.text.isascii() else len(part.text.encode())
        elif (modality := MODALITIES.get(type(part))) is not None:
            modalities.add(modality)
    return total


def _call_bytes(calls: Sequence[PastCall]) -> int:
    total = 0
    for call in calls:
        if call.function is not None:
            arguments = call.function.arguments
            total += len(call.function.name) + len(arguments if isinstance(arguments, str) else str(arguments or ""))
    return total
