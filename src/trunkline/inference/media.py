"""Pictures, documents and videos that a caller gave by URL, as bytes, for endpoints that load no URLs themselves (adapters 1.4)."""

import asyncio
import base64
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from msgspec import structs

from trunkline.dialects.hub.conversation import Block, Conversation, File, Image, ToolResult, Turn, Video
from trunkline.dialects.media import sniff, sniff_base64
from trunkline.errors import ApiError, ResponseTooLarge, UpstreamError
from trunkline.transport.downloads import Download, Downloads

MAX_FILES: Final = 32
MAX_FILE_BYTES: Final = 20 * 1024 * 1024
MAX_REQUEST_BYTES: Final = 60 * 1024 * 1024
"""Bounds of ours: files in a request, bytes of one, bytes of all."""

_AT_ONCE: Final = 4
_LOOKED_AT: Final = 64
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_FAMILIES: Final[Mapping[type, tuple[str, ...]]] = {
    Image: ("image/",),
    Video: ("video/",),
    File: ("application/", "text/", "image/"),
}
"""What the bytes behind a block may be."""

_Linked = Image | Video | File
LINKED: Final = (Image, Video, File)
"""The kinds of blocks that may have a URL."""


async def inlined(
    conversation: Conversation, wanted: Callable[[str], bool], downloads: Downloads, *, kinds: tuple[type, ...] = LINKED
) -> Conversation:
    """The conversation with the bytes of each file whose URL is `wanted`, among blocks of these kinds; each URL is loaded once.

    Raises ApiError: `image_download_failed` (`invalid_request` for what is no image) when a file cannot be had or its address may not be
    called, `unsupported_image_format` for bytes of another kind, `image_too_large` or `payload_too_large`.
    """
    linked = [block for block in _blocks(conversation) if isinstance(block, kinds) and block.url is not None and wanted(block.url)]
    if not linked:
        return conversation
    by_url = {str(block.url): block for block in linked}
    if len(by_url) > MAX_FILES:
        raise ApiError("invalid_request", f"messages: More than {MAX_FILES} files by URL")
    gate = asyncio.Semaphore(_AT_ONCE)
    files = dict(zip(by_url, await asyncio.gather(*[_load(block, gate, downloads) for block in by_url.values()]), strict=True))
    if sum(len(file.data) for file in files.values()) > MAX_REQUEST_BYTES:
        raise ApiError("payload_too_large", f"The files of the request are larger than {MAX_REQUEST_BYTES >> 20} MiB together")
    encoded = {url: (base64.b64encode(file.data).decode("ascii"), file.media_type) for url, file in files.items()}
    return structs.replace(conversation, turns=tuple([_with_files(turn, encoded) for turn in conversation.turns]))


def check_images(conversation: Conversation) -> None:
    """That what was given as an image in place is one, before an upstream gets it as bytes.

    Raises ApiError: `unsupported_image_format` for another type, named or told by the first bytes; `invalid_image` for what is no base64.
    """
    for block in _blocks(conversation):
        if not isinstance(block, Image) or block.data is None:
            continue
        start = block.data[:_LOOKED_AT]
        if not start or not _BASE64.fullmatch(start):
            raise ApiError("invalid_image", "messages: The data of an image is not base64")
        told = sniff_base64(start)
        kind = block.media_type or told or ""
        if not kind.startswith(_FAMILIES[Image]) or (told is not None and not told.startswith(_FAMILIES[Image])):
            raise ApiError("unsupported_image_format", f"messages: An image is {told or kind or 'of an unknown type'}")


def _blocks(conversation: Conversation) -> Iterator[_Linked]:
    for turn in conversation.turns:
        for block in turn.blocks:
            inner = block.blocks if isinstance(block, ToolResult) else (block,)
            yield from [one for one in inner if isinstance(one, _Linked)]


async def _load(block: _Linked, gate: asyncio.Semaphore, downloads: Downloads) -> Download:
    is_image = isinstance(block, Image)
    try:
        async with gate:
            file = await downloads.fetch(str(block.url), limit=MAX_FILE_BYTES)
    except ResponseTooLarge:
        raise ApiError(
            "image_too_large" if is_image else "payload_too_large", f"A file is larger than {MAX_FILE_BYTES >> 20} MiB: {_shown(block)}"
        ) from None
    except UpstreamError as error:
        raise ApiError(
            "image_download_failed" if is_image else "invalid_request", f"A file could not be loaded: {_shown(block)}: {error.message}"
        ) from None
    media_type = sniff(file.data) or file.media_type
    if not media_type.startswith(_FAMILIES[type(block)]) or media_type == "text/html":
        raise ApiError(
            "unsupported_image_format" if is_image else "invalid_request",
            f"A file is {media_type or 'of an unknown type'}: {_shown(block)}",
        )
    return Download(file.data, media_type)


def _shown(block: _Linked) -> str:
    """The URL as an error may show it: without what follows the path, which often is a signature."""
    return str(block.url).partition("?")[0][:200]


def _with_files(turn: Turn, files: Mapping[str, tuple[str, str]]) -> Turn:
    return structs.replace(turn, blocks=tuple([_with_file(block, files) for block in turn.blocks]))


def _with_file(block: Block, files: Mapping[str, tuple[str, str]]) -> Block:
    if isinstance(block, ToolResult):
        return structs.replace(block, blocks=tuple([_with_file(inner, files) for inner in block.blocks]))
    if isinstance(block, _Linked) and block.url in files:
        data, media_type = files[str(block.url)]
        return structs.replace(block, url=None, data=data, media_type=media_type)
    return block
