"""All PDFs of a conversation, read once each."""

import asyncio
import base64
import binascii
import hashlib
from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from trunkline.dialects.hub.conversation import Block, Conversation, File, ToolResult
from trunkline.dialects.media import sniff_base64
from trunkline.errors import ApiError
from trunkline.plugins.files.annotations import ReadFile, parts_of, replayed
from trunkline.plugins.files.engines import Engine
from trunkline.plugins.pdf.job import MAX_PICTURES, Unreadable
from trunkline.plugins.pdf.parser import Parsed
from trunkline.plugins.shelf import Shelf

MAX_FILES: Final = 32
"""PDFs of one request; the bound is ours."""
_PDF: Final = "application/pdf"
_REMEMBERED_BYTES: Final = 32 * 1024 * 1024
_NAMELESS: Final = "document.pdf"


class Reading(Struct, frozen=True):
    """The PDFs of a request that were read. `files` are keyed by the base64 text of the block that held them; `fresh` are those of which
    the client has no annotation yet."""

    files: Mapping[str, ReadFile]
    fresh: tuple[ReadFile, ...]
    engine: str


class FileReader:
    """Reads the PDFs of requests, and remembers lately read ones by their hash."""

    def __init__(self, *, remembered_bytes: int = _REMEMBERED_BYTES) -> None:
        self._shelf: Shelf[Parsed] = Shelf(bytes_limit=remembered_bytes, largest=remembered_bytes // 4)

    async def read(self, conversation: Conversation, engine: Engine, name: str) -> Reading:
        """Every PDF of a conversation that holds its bytes, by the engine of this name.

        Raises ApiError: `invalid_request` naming the file that cannot be read, `payload_too_large`, or `provider_overloaded` when too many
        files wait.
        """
        known = replayed(conversation)
        blocks = {block.data: block for block in pdfs(conversation) if block.data}
        if len(blocks) > MAX_FILES:
            raise ApiError("invalid_request", f"messages: More than {MAX_FILES} PDFs")
        files: dict[str, ReadFile] = {}
        fresh: list[ReadFile] = []
        pictures = MAX_PICTURES
        for data, block in blocks.items():
            called = block.filename or _NAMELESS
            pdf, digest = await asyncio.to_thread(_decoded, data, called)
            file = known.get(digest.hex())
            if file is None:
                parsed = await self._parsed(pdf, digest, engine, called)
                parsed = Parsed(parsed.pages, parsed.pictures[:pictures])
                pictures -= len(parsed.pictures)
                file = ReadFile(digest.hex(), called, parts_of(parsed, called))
                fresh.append(file)
            files[data] = file
        return Reading(files, tuple(fresh), name)

    async def _parsed(self, pdf: bytes, digest: bytes, engine: Engine, called: str) -> Parsed:
        found = self._shelf.get(digest)
        if found is None:
            try:
                found = await engine.parse(pdf, pictures=MAX_PICTURES)
            except Unreadable as error:
                raise _refusal(error, called) from None
            size = sum(map(len, found.pages)) + sum(len(one.png) for one in found.pictures)
            self._shelf.put(digest, found, size)
        return found


def pdfs(conversation: Conversation) -> Iterator[File]:
    """The PDFs of a conversation that hold their bytes, those in results of tools too."""
    for turn in conversation.turns:
        for block in turn.blocks:
            inner: tuple[Block, ...] = block.blocks if isinstance(block, ToolResult) else (block,)
            yield from [one for one in inner if isinstance(one, File) and is_pdf(one)]


def is_pdf(file: File) -> bool:
    """Whether a file holds a PDF, by what is said of it or by its first bytes."""
    return file.data is not None and (file.media_type == _PDF or sniff_base64(file.data) == _PDF)


def _decoded(data: str, called: str) -> tuple[bytes, bytes]:
    """The bytes of base64 text, and their SHA-256."""
    try:
        pdf = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise ApiError("invalid_request", f"messages: The data of the file {called[:100]!r} is not base64") from None
    return pdf, hashlib.sha256(pdf).digest()


def _refusal(error: Unreadable, called: str) -> ApiError:
    kind = {"busy": "provider_overloaded", "bytes": "payload_too_large"}.get(error.reason, "invalid_request")
    headers = [("retry-after", "5")] if error.reason == "busy" else []
    return ApiError(kind, f"The file {called[:100]!r} could not be read: {error}", headers=headers)
