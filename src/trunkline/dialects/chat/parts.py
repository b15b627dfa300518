"""Content parts of the chat wire and the blocks of the hub, both ways (contract 2.10).

Data URLs are taken apart, so that every dialect finds media as base64 text with a type, and put together again. The legacy `input_video` is
read as `video_url`.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from msgspec import Struct

from trunkline.dialects.hub.conversation import Audio, Block, File, Image, Refusal, Text, Ttl, Video
from trunkline.dialects.media import data_url, sniff_base64, split_data_url

Part = dict[str, object]
MEDIA: Final = (Image, Audio, Video, File)
_FETCHED = ("http://", "https://", "gs://")
_BINARY = "application/octet-stream"


class UrlIn(Struct):
    url: str
    detail: str | None = None


class FileIn(Struct):
    filename: str | None = None
    file_data: str | None = None
    file_id: str | None = None


class AudioIn(Struct):
    data: str
    format: str | None = None


class PartIn(Struct):
    """A part as sent; which field counts, `type` says. `messages` has checked it."""

    type: str
    text: str = ""
    refusal: str = ""
    image_url: UrlIn | str | None = None
    video_url: UrlIn | str | None = None
    file: FileIn | None = None
    input_audio: AudioIn | None = None
    cache_control: object = None
    prompt_cache_breakpoint: object = None


def blocks_of(parts: Iterable[PartIn]) -> list[Block]:
    """The blocks of content parts, in order. A part without its payload says nothing and is left out."""
    found = (_READERS[part.type](part, mark_of(part)) for part in parts if part.type in _READERS)
    return [block for block in found if block is not None]


def image_of(url: UrlIn | str, *, cache: Ttl | None = None) -> Image:
    """An image by its URL or data URL."""
    address, detail = (url, None) if isinstance(url, str) else (url.url, url.detail)
    inline = split_data_url(address)
    if inline is None:
        return Image(url=address, detail=detail, cache=cache)
    return Image(data=inline[1], media_type=inline[0], detail=detail, cache=cache)


def mark_of(part: PartIn) -> Ttl | None:
    """The end of a cached prefix: `cache_control`, or OpenAI's word for the same, `prompt_cache_breakpoint`."""
    return ttl_of(part.cache_control) or ("5m" if part.prompt_cache_breakpoint else None)


def ttl_of(control: object) -> Ttl | None:
    """How long a `cache_control` object caches; None when it is none. Five minutes is the default."""
    if not isinstance(control, dict) or control.get("type") != "ephemeral":
        return None
    return "1h" if control.get("ttl") == "1h" else "5m"


def cache_control(cache: Ttl) -> dict[str, str]:
    """The wire's `cache_control`."""
    return {"type": "ephemeral"} if cache == "5m" else {"type": "ephemeral", "ttl": cache}


def parts_of(blocks: Sequence[Block], *, marks: bool) -> list[Part]:
    """The content parts of text and media blocks; others have no place in content. `marks` = cache marks are sent."""
    parts = []
    for block in blocks:
        writer = _WRITERS.get(type(block))
        if writer is None:
            continue
        part = writer(block)
        cache = getattr(block, "cache", None)
        if marks and cache is not None:
            part["cache_control"] = cache_control(cache)
        parts.append(part)
    return parts


def _read_image(part: PartIn, cache: Ttl | None) -> Block | None:
    return None if part.image_url is None else image_of(part.image_url, cache=cache)


def _read_video(part: PartIn, cache: Ttl | None) -> Block | None:
    if part.video_url is None:
        return None
    address = part.video_url if isinstance(part.video_url, str) else part.video_url.url
    inline = split_data_url(address)
    return Video(url=address, cache=cache) if inline is None else Video(data=inline[1], media_type=inline[0], cache=cache)


def _read_audio(part: PartIn, cache: Ttl | None) -> Block | None:
    sound = part.input_audio
    return None if sound is None else Audio(data=sound.data, format=sound.format or "wav", cache=cache)


def _read_file(part: PartIn, cache: Ttl | None) -> Block | None:
    file = part.file
    if file is None:
        return None
    data = file.file_data
    if data is None:
        return File(filename=file.filename, file_id=file.file_id, cache=cache) if file.file_id else None
    if data.startswith(_FETCHED):
        return File(filename=file.filename, url=data, cache=cache)
    kind, text = split_data_url(data) or (sniff_base64(data) or _BINARY, data)
    return File(filename=file.filename, data=text, media_type=kind, cache=cache)


_READERS: Final[dict[str, Callable[[PartIn, Ttl | None], Block | None]]] = {
    "text": lambda part, cache: Text(text=part.text, cache=cache),
    "refusal": lambda part, _: Refusal(text=part.refusal),
    "image_url": _read_image,
    "video_url": _read_video,
    "input_video": _read_video,
    "input_audio": _read_audio,
    "file": _read_file,
}


def _address(block: Image | Video, fallback: str) -> str:
    if block.data is None:
        return block.url or ""
    return data_url(block.media_type or sniff_base64(block.data) or fallback, block.data)


def image_url(block: Image) -> Part:
    """The part of an image."""
    address: dict[str, object] = {"url": _address(block, "image/png")}
    if block.detail is not None:
        address["detail"] = block.detail
    return {"type": "image_url", "image_url": address}


def _write_file(block: File) -> Part:
    if block.text is not None:
        return {"type": "text", "text": block.text if block.filename is None else f"{block.filename}\n\n{block.text}"}
    if block.file_id is not None:
        return {"type": "file", "file": {"file_id": block.file_id}}
    if block.data is None:
        return {"type": "file", "file": {"filename": block.filename or "document", "file_data": block.url or ""}}
    kind = block.media_type or sniff_base64(block.data) or _BINARY
    name = block.filename or ("document.pdf" if kind == "application/pdf" else "document")
    return {"type": "file", "file": {"filename": name, "file_data": data_url(kind, block.data)}}


_WRITERS: Final[dict[type, Callable[[Any], Part]]] = {
    Text: lambda block: {"type": "text", "text": block.text},
    Image: image_url,
    Video: lambda block: {"type": "video_url", "video_url": {"url": _address(block, "video/mp4")}},
    Audio: lambda block: {"type": "input_audio", "input_audio": {"data": block.data, "format": block.format}},
    File: _write_file,
}
