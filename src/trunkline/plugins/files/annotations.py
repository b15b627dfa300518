"""Files that were read, as annotations of an answer, and back from the history (contract 2.10).

`{type: "file", file: {hash, name, content}}`: `hash` is the SHA-256 of the file in hex, `content` the parts that took the file's place in
the request. A client that sends an annotation back with the same file spares the reading.
"""

import base64
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct, structs

from trunkline.dialects.hub.conversation import Block, Conversation, Image, Text, Turn
from trunkline.dialects.media import data_url, split_data_url
from trunkline.plugins.pdf.parser import Parsed

_PNG: Final = "image/png"


class ReadFile(Struct, frozen=True):
    """One file that was read. `parts` take its place in the request."""

    hash: str
    name: str
    parts: tuple[Text | Image, ...]

    @property
    def text_bytes(self) -> int:
        """Bytes of text that the parts add to a prompt."""
        return sum(len(part.text.encode()) for part in self.parts if isinstance(part, Text))


class _UrlIn(Struct):
    url: str


class _PartIn(Struct):
    type: str
    text: str = ""
    image_url: _UrlIn | None = None


class _FileIn(Struct):
    hash: str
    name: str = ""
    content: list[_PartIn] = []


class _AnnotationIn(Struct):
    type: str
    file: _FileIn | None = None


_ANNOTATION: Final = msgspec.json.Decoder(_AnnotationIn)


def parts_of(parsed: Parsed, name: str) -> tuple[Text | Image, ...]:
    """The parts that stand for a file: its text page by page between `<file>` marks, and pictures of pages without text after it."""
    shown = name.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    total = len(parsed.pages)
    body = "\n\n".join(f"--- Page {number} of {total} ---\n{text}" for number, text in enumerate(parsed.pages, 1))
    pictures = [Image(data=base64.b64encode(one.png).decode("ascii"), media_type=_PNG) for one in parsed.pictures]
    return (Text(text=f'<file name="{shown}">'), Text(text=body), *pictures, Text(text="</file>"))


def annotation(file: ReadFile) -> dict[str, object]:
    """The annotation of a file."""
    return {"type": "file", "file": {"hash": file.hash, "name": file.name, "content": [_part(part) for part in file.parts]}}


def replayed(conversation: Conversation) -> dict[str, ReadFile]:
    """The files that the history's annotations tell of, by hash. What is no such annotation, or has no content, is passed over."""
    found = (_read(raw) for turn in conversation.turns for block in _texts(turn) for raw in block.annotations)
    return {file.hash: file for file in found if file is not None and file.parts}


def without_files(turn: Turn) -> Turn:
    """A turn whose annotations of files are gone: no upstream knows them, and they are long."""
    if not any(_is_file(raw) for block in _texts(turn) for raw in block.annotations):
        return turn
    return structs.replace(turn, blocks=tuple([_stripped(block) for block in turn.blocks]))


def _stripped(block: Block) -> Block:
    if not isinstance(block, Text) or not block.annotations:
        return block
    return structs.replace(block, annotations=tuple([raw for raw in block.annotations if not _is_file(raw)]))


def _texts(turn: Turn) -> Iterator[Text]:
    return (block for block in turn.blocks if isinstance(block, Text))


def _is_file(raw: Raw) -> bool:
    return _decoded(raw) is not None


def _decoded(raw: Raw) -> _FileIn | None:
    try:
        found = _ANNOTATION.decode(raw)
    except msgspec.MsgspecError:
        return None
    return found.file if found.type == "file" else None


def _read(raw: Raw) -> ReadFile | None:
    file = _decoded(raw)
    if file is None:
        return None
    parts = [part for one in file.content if (part := _part_in(one)) is not None]
    return ReadFile(file.hash, file.name, tuple(parts))


def _part_in(part: _PartIn) -> Text | Image | None:
    if part.type == "text":
        return Text(text=part.text)
    inline = split_data_url(part.image_url.url) if part.type == "image_url" and part.image_url is not None else None
    return None if inline is None else Image(data=inline[1], media_type=inline[0])


def _part(part: Text | Image) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    return {"type": "image_url", "image_url": {"url": data_url(part.media_type or _PNG, part.data or "")}}
