"""Single blocks of Converse: text that is not blank, and media as bytes (Bedrock API reference, `ContentBlock`). It loads no web address;
objects in S3 go by their address."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from trunkline.dialects.hub.conversation import Audio, Block, File, Image, Refusal, Text, Video
from trunkline.dialects.media import sniff_base64, split_data_url
from trunkline.errors import ApiError

Wire = dict[str, object]

_IMAGES: Final[Mapping[str, str]] = {
    **{"image/png": "png", "image/jpeg": "jpeg", "image/jpg": "jpeg", "image/gif": "gif", "image/webp": "webp"},
}
_DOCUMENTS: Final[Mapping[str, str]] = {
    **{"application/pdf": "pdf", "text/csv": "csv", "text/html": "html", "text/markdown": "md", "text/plain": "txt"},
    **{"application/msword": "doc", "application/vnd.ms-excel": "xls", "application/json": "txt"},
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
}
_VIDEOS: Final[Mapping[str, str]] = {
    **{"video/mp4": "mp4", "video/quicktime": "mov", "video/x-matroska": "mkv", "video/webm": "webm", "video/x-flv": "flv"},
    **{"video/mpeg": "mpeg", "video/mpg": "mpg", "video/x-ms-wmv": "wmv", "video/wmv": "wmv", "video/3gpp": "three_gp"},
}
_SOUNDS: Final[Mapping[str, str]] = {
    **{"wav": "wav", "mp3": "mp3", "flac": "flac", "ogg": "ogg", "aac": "aac", "m4a": "m4a", "opus": "opus", "webm": "webm"},
    **{"pcm16": "pcm", "pcm": "pcm", "mp4": "mp4", "mpeg": "mpeg"},
}
_EXTENSIONS: Final = frozenset(("pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"))
_KINDS: Final = (("image", _IMAGES), ("video", _VIDEOS), ("document", _DOCUMENTS))
_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9 \-()\[\]]+")
_BLANKS: Final = re.compile(r"\s+")
_NAME_LIMIT: Final = 180


def must_be_fetched(url: str) -> bool:
    """Whether an address is one whose bytes a gateway must send instead: Bedrock loads nothing from the web."""
    return url[:6].lower().startswith(("http:", "https:"))


def block_of(block: Block) -> Wire | None:
    """The block of text or media; None for blank text, and for blocks of other kinds. Raises ApiError for media that cannot be sent."""
    write = _WRITERS.get(type(block))
    return None if write is None else write(block)


def text_block(text: str) -> Wire | None:
    """A block of text; blank text is refused upstream."""
    return {"text": text} if text.strip() else None


def document_name(filename: str | None) -> str:
    """A file's name without its ending, in the letters that Bedrock allows."""
    stem = (filename or "").rpartition("/")[2]
    stem = stem.rpartition(".")[0] or stem
    return _BLANKS.sub(" ", _NOT_IN_NAMES.sub("-", stem)).strip()[:_NAME_LIMIT] or "Document"


def _image(block: Image) -> Wire | None:
    return _media(block.url, block.data, block.media_type, "image")


def _video(block: Video) -> Wire | None:
    return _media(block.url, block.data, block.media_type or "video/mp4", "video")


def _audio(block: Audio) -> Wire | None:
    kind = _SOUNDS.get(block.format.lower())
    if kind is None:
        raise ApiError("invalid_request", f"messages: This model takes no audio of the format {block.format[:40]!r}")
    return {"audio": {"format": kind, "source": {"bytes": block.data}}}


def _file(block: File) -> Wire | None:
    if block.text is not None:
        data = base64.b64encode(block.text.encode("utf-8", "replace")).decode()
        return _document("txt", {"bytes": data}, block.filename) if block.text.strip() else None
    if block.url is None and block.data is None:
        raise ApiError(
            "invalid_request", f"messages: the file {(block.file_id or '')[:80]!r} is not known to this provider; send its content"
        )
    extension = (block.filename or "").rpartition(".")[2].lower()
    media_type = block.media_type
    if media_type not in _IMAGES and media_type not in _VIDEOS and extension in _EXTENSIONS:
        media_type = next((kind for kind, word in _DOCUMENTS.items() if word == extension), media_type)
    return _media(block.url, block.data, media_type, "document", block.filename)


def _media(url: str | None, data: str | None, media_type: str | None, expected: str, filename: str | None = None) -> Wire | None:
    """Bytes, or an object in S3. What the first bytes of a picture or a PDF say counts more than the declared type."""
    if data is None and url is not None:
        split = split_data_url(url)
        if split is None:
            return _stored(url, media_type, expected, filename)
        media_type, data = split[0] if media_type in (None, "video/mp4") else media_type, split[1]
    if not data:
        return None
    if not _is_base64(data[:64]):
        raise ApiError("invalid_request", f"messages: the data of the {expected} is not base64")
    found = sniff_base64(data)
    if found is not None and any(found in table for _, table in _KINDS):
        media_type = found
    return _typed(media_type or "", {"bytes": data}, expected, filename)


def _stored(url: str, media_type: str | None, expected: str, filename: str | None) -> Wire:
    if not url.startswith("s3://"):
        raise ApiError("invalid_request", f"messages: This model cannot fetch the {expected} {url[:80]!r}")
    extension = url.partition("?")[0].rpartition(".")[2].lower()
    guessed = next((kind for _, table in _KINDS for kind, word in table.items() if word == extension), "")
    return _typed(media_type if media_type and expected != "video" else guessed, {"s3Location": {"uri": url}}, expected, filename or url)


def _typed(media_type: str, source: Wire, expected: str, filename: str | None) -> Wire:
    for key, table in _KINDS:
        word = table.get(media_type)
        if word is not None:
            return _document(word, source, filename) if key == "document" else {key: {"format": word, "source": source}}
    if media_type.startswith("text/"):
        return _document("txt", source, filename)
    raise ApiError("invalid_request", f"messages: This model takes no {expected} of type {media_type[:60] or 'unknown'}")


def _document(word: str, source: Wire, filename: str | None) -> Wire:
    return {"document": {"format": word, "name": document_name(filename), "source": source}}


def _is_base64(start: str) -> bool:
    try:
        base64.b64decode(start[: len(start) // 4 * 4], validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


_WRITERS: Final[Mapping[type, Callable[[Any], Wire | None]]] = {
    Text: lambda block: text_block(block.text),
    Refusal: lambda block: text_block(block.text),
    Image: _image,
    Audio: _audio,
    Video: _video,
    File: _file,
}
