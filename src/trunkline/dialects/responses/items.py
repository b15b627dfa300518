"""What `input` may hold (contract 5.1): items told apart by `type`, checked one by one, and counted for the token estimate.

Only what must be known is decoded; unknown fields pass, and an item of an unknown type is the upstream's business.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, Literal

import msgspec
from msgspec import Raw, Struct

from trunkline.errors import ApiError

Role = Literal["user", "assistant", "system", "developer"]


class TextPart(Struct, tag_field="type", tag="input_text", gc=False):
    text: str
    prompt_cache_breakpoint: dict[str, Raw] | None = None


class OutputTextPart(Struct, tag_field="type", tag="output_text", gc=False):
    text: str
    annotations: list[Raw] | None = None


class PlainPart(Struct, tag_field="type", tag="text", gc=False):
    """The chat dialect's text part, which some clients send."""

    text: str


class RefusalPart(Struct, tag_field="type", tag="refusal", gc=False):
    refusal: str


class ImagePart(Struct, tag_field="type", tag="input_image", gc=False):
    image_url: str | None = None
    file_id: str | None = None
    detail: str | None = None
    prompt_cache_breakpoint: dict[str, Raw] | None = None


class FilePart(Struct, tag_field="type", tag="input_file", gc=False):
    filename: str | None = None
    file_data: str | None = None
    file_url: str | None = None
    file_id: str | None = None
    prompt_cache_breakpoint: dict[str, Raw] | None = None


class AudioData(Struct, gc=False):
    data: str
    format: str


class AudioPart(Struct, tag_field="type", tag="input_audio", gc=False):
    input_audio: AudioData


class VideoPart(Struct, tag_field="type", tag="input_video", gc=False):
    video_url: str


Part = TextPart | OutputTextPart | PlainPart | RefusalPart | ImagePart | FilePart | AudioPart | VideoPart


class Message(Struct, gc=False):
    """A message, in the full form or the easy one (`role` and `content` only)."""

    role: Role
    content: str | list[Part] | None = None
    phase: str | None = None


class FunctionCall(Struct, gc=False):
    call_id: str
    name: str
    arguments: str = "{}"


class CustomCall(Struct, gc=False):
    call_id: str
    name: str
    input: str = ""


class CallOutput(Struct, gc=False):
    """What a tool gave back, of a function as of a custom tool."""

    call_id: str
    output: str | list[Part]


class ReasoningText(Struct, gc=False):
    text: str


class ReasoningItem(Struct, gc=False):
    """Reasoning of an earlier answer. `signature` and `format` are OpenRouter's, for models of other families."""

    id: str | None = None
    summary: list[ReasoningText] | None = None
    content: list[ReasoningText] | None = None
    encrypted_content: str | None = None
    signature: str | None = None
    format: str | None = None


class Foreign(Struct, gc=False):
    """An item that only this dialect knows."""

    raw: Raw


Item = Message | FunctionCall | CustomCall | CallOutput | ReasoningItem | Foreign


class _Head(Struct, gc=False):
    type: str | None = None
    role: str | None = None


class Survey(Struct, frozen=True, gc=False):
    """Facts about an input: bytes of its text, and its modalities beside text."""

    text_bytes: int = 0
    modalities: frozenset[str] = frozenset()


_MODALITIES: dict[type, str] = {ImagePart: "image", FilePart: "file", AudioPart: "audio", VideoPart: "video"}
_INPUT = msgspec.json.Decoder(str | list[Raw])
_HEAD = msgspec.json.Decoder(_Head)
_KINDS: dict[str, msgspec.json.Decoder[Any]] = {
    "message": msgspec.json.Decoder(Message),
    "function_call": msgspec.json.Decoder(FunctionCall),
    "custom_tool_call": msgspec.json.Decoder(CustomCall),
    "function_call_output": msgspec.json.Decoder(CallOutput),
    "custom_tool_call_output": msgspec.json.Decoder(CallOutput),
    "reasoning": msgspec.json.Decoder(ReasoningItem),
}
_PLACE = re.compile(r"(?s)(.*) - at `\$(.*)`")


def read_input(raw: Raw) -> str | list[Item]:
    """The text, or the items in order. Raises ApiError("invalid_request") that names the place."""
    try:
        return _read(raw)
    except UnicodeDecodeError as error:
        raise ApiError("invalid_request", f"input: Not UTF-8 ({error.reason})") from None


def _read(raw: Raw) -> str | list[Item]:
    try:
        value = _INPUT.decode(raw)
    except msgspec.ValidationError as error:
        raise _misplaced(error, "input") from None
    if isinstance(value, str):
        return value
    if not value:
        raise ApiError("invalid_request", "input: Expected at least one item")
    items: list[Item] = []
    try:
        for one in value:
            items.append(_item(one, len(items)))
    except msgspec.ValidationError as error:
        raise _misplaced(error, f"input[{len(items)}]") from None
    return items


def survey(items: Sequence[Item]) -> Survey:
    """Count what an input holds."""
    size = 0
    found: set[str] = set()
    for item in items:
        size += _SIZES[type(item)](item, found)
    return Survey(size, frozenset(found))


def _item(raw: Raw, index: int) -> Item:
    head = _HEAD.decode(raw)
    kind = head.type if head.type is not None else "message" if head.role is not None else None
    decoder = _KINDS.get(kind or "")
    if decoder is not None:
        item: Item = decoder.decode(raw)
        return item
    if kind is None:
        raise ApiError("invalid_request", f"input[{index}]: Expected an object with type or role")
    if kind == "item_reference":
        told = "Nothing is stored here, so an item can't be referred to; send the item itself"
        raise ApiError("invalid_request", f"input[{index}]: {told}")
    return Foreign(raw)


def _misplaced(error: msgspec.ValidationError, place: str) -> ApiError:
    match = _PLACE.fullmatch(str(error))
    where, what = (match[2], match[1]) if match else ("", str(error))
    return ApiError("invalid_request", f"{place}{where}: {what.replace('`', '')}")


def _content_size(content: str | list[Part] | None, found: set[str]) -> int:
    """Bytes of text; the modalities of other parts are added to `found`."""
    if isinstance(content, str):
        return _bytes(content)
    size = 0
    for part in content or ():
        modality = _MODALITIES.get(type(part))
        if modality is not None:
            found.add(modality)
        elif isinstance(part, RefusalPart):
            size += _bytes(part.refusal)
        elif isinstance(part, TextPart | OutputTextPart | PlainPart):
            size += _bytes(part.text)
    return size


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def _thought_size(item: ReasoningItem, found: set[str]) -> int:
    return sum(_bytes(one.text) for one in (*(item.summary or ()), *(item.content or ())))


_SIZES: dict[type, Callable[[Any, set[str]], int]] = {
    Message: lambda item, found: _content_size(item.content, found),
    FunctionCall: lambda item, found: _bytes(item.name) + _bytes(item.arguments),
    CustomCall: lambda item, found: _bytes(item.name) + _bytes(item.input),
    CallOutput: lambda item, found: _content_size(item.output, found),
    ReasoningItem: _thought_size,
    Foreign: lambda item, found: len(bytes(item.raw)),
}
