"""Single blocks as parts: text, and media as bytes (`inlineData`) or by address (`fileData`)."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from trunkline.dialects.hub.conversation import Audio, Block, File, Image, Refusal, Text, Video
from trunkline.dialects.media import sniff_base64, split_data_url
from trunkline.errors import ApiError

Part = dict[str, object]

_YOUTUBE = re.compile(r"(?:(?:www|m|music)\.)?(?:youtube\.com|youtu\.be)")
_EXTENSIONS: Final[Mapping[str, str]] = {
    **{"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp", "gif": "image/gif", "heic": "image/heic"},
    **{"pdf": "application/pdf", "txt": "text/plain", "md": "text/plain", "csv": "text/csv", "html": "text/html", "json": "text/plain"},
    **{"mp4": "video/mp4", "mpeg": "video/mpeg", "mpg": "video/mpeg", "mov": "video/quicktime", "webm": "video/webm"},
    **{"mp3": "audio/mpeg", "wav": "audio/wav", "flac": "audio/flac", "ogg": "audio/ogg", "aac": "audio/aac", "m4a": "audio/m4a"},
}
_SOUNDS: Final[Mapping[str, str]] = {
    **{"wav": "audio/wav", "mp3": "audio/mpeg", "aiff": "audio/aiff", "aac": "audio/aac", "ogg": "audio/ogg", "flac": "audio/flac"},
    **{"m4a": "audio/m4a", "pcm16": "audio/pcm", "pcm24": "audio/pcm", "opus": "audio/opus", "webm": "audio/webm"},
}
_SAME: Final[Mapping[str, str]] = {"image/jpg": "image/jpeg", "audio/mp3": "audio/mpeg", "audio/x-wav": "audio/wav"}


def must_be_fetched(url: str) -> bool:
    """Whether an address is one that only some endpoints load themselves, so that a gateway should send its bytes instead. Addresses in
    Google's storage and YouTube videos are read by the upstream."""
    return url[:6].lower().startswith(("http:", "https:")) and not _is_youtube(url)


def part_of(block: Block) -> Part | None:
    """The part of a text or media block; None for text without a character, and for blocks that are no single part.

    Raises ApiError for a file that only another provider knows.
    """
    write = _WRITERS.get(type(block))
    return None if write is None else write(block)


def text_part(text: str) -> Part | None:
    """A part of text; an empty one is refused upstream."""
    return {"text": text} if text else None


def _image(block: Image) -> Part | None:
    return _media(block.url, block.data, block.media_type, "image/jpeg")


def _video(block: Video) -> Part | None:
    return _media(block.url, block.data, block.media_type, "video/mp4")


def _audio(block: Audio) -> Part | None:
    return _media(None, block.data, _SOUNDS.get(block.format.lower(), f"audio/{block.format.lower()}"), "audio/wav")


def _file(block: File) -> Part | None:
    if block.text is not None:
        return text_part(f"{block.filename}:\n{block.text}" if block.filename else block.text)
    if block.url is None and block.data is None and block.file_id is not None:
        if not block.file_id.startswith(("https://", "gs://", "files/")):
            raise ApiError("invalid_request", f"messages: the file {block.file_id[:80]!r} is not known to this provider; send its content")
        return {"fileData": {"mimeType": block.media_type or _named(block.filename or "") or "application/pdf", "fileUri": block.file_id}}
    named = _named(block.filename or "") or "application/pdf"
    return _media(block.url, block.data, block.media_type, named)


def _media(url: str | None, data: str | None, media_type: str | None, otherwise: str) -> Part | None:
    """Bytes where there are any, else an address. What the first bytes of a picture say counts more than its declared type."""
    if data is None and url is not None:
        split = split_data_url(url)
        if split is None:
            return {"fileData": {"mimeType": media_type or _guess(url, otherwise), "fileUri": url}}
        media_type, data = split
    if not data:
        return None
    declared = _SAME.get(media_type or "", media_type)
    if declared is None or declared.startswith("image/"):
        declared = sniff_base64(data) or declared
    return {"inlineData": {"mimeType": declared or otherwise, "data": data}}


def _guess(url: str, otherwise: str) -> str:
    return "video/mp4" if _is_youtube(url) else _named(url.partition("?")[0]) or otherwise


def _named(filename: str) -> str | None:
    return _EXTENSIONS.get(filename.rpartition(".")[2].lower())


def _is_youtube(url: str) -> bool:
    try:
        host = urlsplit(url).hostname
    except ValueError:  # no address at all, as `http://[::1`
        return False
    return _YOUTUBE.fullmatch(host or "") is not None


_WRITERS: Final[Mapping[type, Callable[[Any], Part | None]]] = {
    Text: lambda block: text_part(block.text),
    Refusal: lambda block: text_part(block.text),
    Image: _image,
    Audio: _audio,
    Video: _video,
    File: _file,
}
