"""Which plugins a request asks for, and with which options (contract 4.1).

`transforms: ["middle-out"]` is the older word for context compression, and an empty list turns that off.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec
from msgspec import Raw, Struct

from trunkline.errors import ApiError
from trunkline.protocol.request import InboundRequest

PdfEngine = Literal["native", "cloudflare-ai", "pdf-text", "mistral-ocr"]


class PdfOptions(Struct, frozen=True):
    """`pdf` of the file parser; no engine = choose."""

    engine: PdfEngine | None = None


class FileParserOptions(Struct, frozen=True):
    """Options of `file-parser`."""

    enabled: bool | None = None
    pdf: PdfOptions | None = None


class HealingOptions(Struct, frozen=True):
    """Options of `response-healing`."""

    enabled: bool | None = None


class CompressionOptions(Struct, frozen=True):
    """Options of `context-compression`."""

    enabled: bool | None = None
    engine: Literal["middle-out"] | None = None


class Switch(Struct, frozen=True):
    """A plugin whose options are read elsewhere."""

    enabled: bool | None = None


class Wanted(Struct, frozen=True):
    """The plugins of a request: None = not named. A named one can be switched off (`enabled` False)."""

    file_parser: FileParserOptions | None = None
    healing: HealingOptions | None = None
    compression: CompressionOptions | None = None


class _Entry(Struct):
    id: str


_STAGES: Final[Mapping[str, tuple[str, Any]]] = {
    "file-parser": ("file_parser", msgspec.json.Decoder(FileParserOptions)),
    "response-healing": ("healing", msgspec.json.Decoder(HealingOptions)),
    "context-compression": ("compression", msgspec.json.Decoder(CompressionOptions)),
}
"""The plugins that are stages: the field of Wanted, and the decoder of the options."""
_ELSEWHERE: Final = frozenset(("auto-router", "auto-beta-router", "pareto-router", "moderation"))
"""Routers read their own options; moderation has none, and an instance without a moderator has nothing to do."""
_ABSENT: Final = frozenset(("web", "web-fetch", "fusion"))
"""Plugins of the contract that this server does not have: to ignore them would be to answer something else than was asked."""
_ENTRIES: Final = msgspec.json.Decoder(list[Raw] | None)
_ID: Final = msgspec.json.Decoder(_Entry)
_SWITCH: Final = msgspec.json.Decoder(Switch)
_TRANSFORMS: Final = msgspec.json.Decoder(list[str] | None)
NOTHING: Final = Wanted()


def asks(request: InboundRequest) -> bool:
    """Whether a request may need a stage: the one check that every request pays for."""
    fields = request.fields
    return "plugins" in fields or "file" in request.modalities or "transforms" in fields


def wanted(request: InboundRequest) -> Wanted:
    """The plugins a request names; of two entries with one id the later counts.

    Raises ApiError("invalid_request") for an unknown id, wrong options, or a plugin that this server does not have.
    """
    found: dict[str, Any] = {}
    transforms = _decoded(_TRANSFORMS, request.fields.get("transforms"), "transforms")
    if transforms is not None:
        found["compression"] = CompressionOptions(enabled="middle-out" in transforms)
    for place, raw in enumerate(_decoded(_ENTRIES, request.fields.get("plugins"), "plugins") or ()):
        where = f"plugins[{place}]"
        name = _decoded(_ID, raw, where).id
        if name in _STAGES:
            field, decoder = _STAGES[name]
            found[field] = _decoded(decoder, raw, where)
        elif name in _ABSENT:
            if _decoded(_SWITCH, raw, where).enabled is not False:
                raise ApiError("invalid_request", f"{where}.id: This server has no plugin {name!r}; leave it out")
        elif name not in _ELSEWHERE:
            raise ApiError("invalid_request", f"{where}.id: There is no plugin {name[:64]!r}")
    return Wanted(**found) if found else NOTHING


def _decoded(decoder: Any, raw: Raw | None, where: str) -> Any:
    if raw is None:
        return None
    try:
        return decoder.decode(raw)
    except msgspec.MsgspecError as error:
        raise ApiError("invalid_request", f"{where}: {error}") from None
