"""Content blocks of a Messages request: each is decoded on its own, since the set is open, checked for what its type needs, and counted.

`walk` gives (block, raw) in order; a block of a type that is not known passes as it is.
"""

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from trunkline.dialects.messages import seal
from trunkline.dialects.messages.fields import CacheControl, MessageWire
from trunkline.errors import ApiError


class SourceWire(Struct, gc=False):
    """Where an image or document comes from. `content` is text or blocks."""

    type: str
    url: str | None = None
    data: str | None = None
    media_type: str | None = None
    file_id: str | None = None
    content: Raw | UnsetType = UNSET


class BlockWire(Struct):
    """The fields of all known blocks. `source` is an object, or the address of a search result."""

    type: str
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    id: str | None = None
    name: str | None = None
    input: Raw | UnsetType = UNSET
    tool_use_id: str | None = None
    content: Raw | UnsetType = UNSET
    is_error: bool | None = None
    source: Raw | UnsetType = UNSET
    title: str | None = None
    cache_control: CacheControl | None = None
    citations: Raw | UnsetType = UNSET


NEEDED: Mapping[str, tuple[str, ...]] = {
    "text": ("text",),
    "thinking": ("thinking",),
    "redacted_thinking": ("data",),
    "tool_use": ("id", "name"),
    "tool_result": ("tool_use_id",),
    "image": ("source",),
    "document": ("source",),
}
"""What a block of a type cannot be without."""

_BLOCK = msgspec.json.Decoder(BlockWire)
_SOURCE = msgspec.json.Decoder(SourceWire)
_LIST: msgspec.json.Decoder[str | list[Raw]] = msgspec.json.Decoder(str | list[Raw])
_MODALITIES = {"image": "image", "document": "file"}
_WRITTEN = ("text", "content")
"""Kinds of document sources that are text in the request itself."""


class Survey(Struct):
    """What was seen: bytes of text (UTF-8; media not counted), the number of images, the modalities beside text, and the
    traits that endpoints differ about: the roles, and `foreign` when a piece of thinking is not Anthropic's."""

    text_bytes: int = 0
    images: int = 0
    modalities: set[str] = msgspec.field(default_factory=set)
    traits: set[str] = msgspec.field(default_factory=set)


def survey(messages: Sequence[MessageWire]) -> Survey:
    """Check every block, count text and collect modalities and traits. Raises ApiError("invalid_request") that names the block."""
    seen = Survey()
    for index, message in enumerate(messages):
        seen.traits.add(message.role)
        if isinstance(message.content, str):
            seen.text_bytes += size(message.content)
        else:
            _survey_list(message.content, f"messages[{index}].content", seen)
    return seen


def walk(content: str | Sequence[Raw], path: str = "content") -> Iterator[tuple[BlockWire, Raw]]:
    """The blocks of a content; a string is one text block."""
    if isinstance(content, str):
        yield BlockWire(type="text", text=content), Raw(b"")
        return
    for index, raw in enumerate(content):
        yield _decode(raw, f"{path}[{index}]"), raw


def content_of(raw: Raw | UnsetType, path: str = "content") -> str | list[Raw]:
    """The text or the raw blocks of a nested `content`; absent and null are no blocks."""
    if raw is UNSET or bytes(raw) == b"null":
        return []
    try:
        return _LIST.decode(raw)
    except msgspec.ValidationError:
        raise ApiError("invalid_request", f"{path}: Expected text or an array of blocks") from None


def source_of(block: BlockWire, path: str = "source") -> SourceWire:
    """The source of an image or document."""
    try:
        return _SOURCE.decode(block.source if block.source is not UNSET else b"null")
    except msgspec.ValidationError as error:
        raise ApiError("invalid_request", f"{path}: {str(error).replace('`', '')}") from None


def size(text: str) -> int:
    """Bytes in UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def is_foreign(block: BlockWire) -> bool:
    """Whether a block is thinking that Anthropic did not sign."""
    if block.type == "thinking":
        return not block.signature or block.signature.startswith(seal.PREFIX)
    return block.type == "redacted_thinking" and (block.data or "").startswith(seal.PREFIX)


def _decode(raw: Raw, path: str) -> BlockWire:
    try:
        block = _BLOCK.decode(raw)
    except msgspec.ValidationError as error:
        text, _, place = str(error).replace("`", "").partition(" - at $")
        raise ApiError("invalid_request", f"{path}{place}: {text}") from None
    for name in NEEDED.get(block.type, ()):
        if getattr(block, name) in (None, UNSET):
            raise ApiError("invalid_request", f"{path}.{name}: A block of type {block.type} needs it")
    return block


def _survey_list(content: Sequence[Raw], path: str, seen: Survey) -> None:
    for index, (block, raw) in enumerate(walk(content, path)):
        place = f"{path}[{index}]"
        if block.type in _MODALITIES:
            _survey_source(block, place, seen)
        elif block.type == "tool_result":
            nested = content_of(block.content, f"{place}.content")
            if isinstance(nested, str):
                seen.text_bytes += size(nested)
            else:
                _survey_list(nested, f"{place}.content", seen)
        elif block.type in ("text", "thinking"):
            seen.text_bytes += size(block.text or block.thinking or "")
        elif block.type != "redacted_thinking":
            seen.text_bytes += len(bytes(raw))
        if is_foreign(block):
            seen.traits.add("foreign")


def _survey_source(block: BlockWire, path: str, seen: Survey) -> None:
    source = source_of(block, f"{path}.source")
    if source.type in _WRITTEN:
        seen.text_bytes += size(source.data or "") + (0 if source.content is UNSET else len(bytes(source.content)))
    else:
        seen.modalities.add(_MODALITIES[block.type])
        seen.images += block.type == "image"
