"""Reasoning of other families in the one field that every client of Responses sends back, `encrypted_content`.

`format` and `signature` are OpenRouter's; clients with types of their own (Codex, OpenAI's agents) forget them, and then nobody knows whose
reasoning it was. So they go into `encrypted_content` too, with the data that may be there, under a mark: `openrouter.reasoning:` and base64
of a JSON object.
"""

import base64
import binascii
from typing import Final

import msgspec
from msgspec import Struct, structs

from trunkline.dialects.responses.items import ReasoningItem

OWN: Final = "openai-responses-v1"
"""The family of encrypted reasoning that does not name its own, and needs no seal."""

PREFIX: Final = "openrouter.reasoning:"
_UNKNOWN: Final = "unknown"


class Sealed(Struct, frozen=True, omit_defaults=True):
    """Whose reasoning it is, its signature and its data."""

    format: str
    signature: str | None = None
    data: str | None = None


def close(family: str, signature: str | None, data: str | None) -> str | None:
    """What `encrypted_content` is; None for nothing."""
    if family in (OWN, _UNKNOWN) or not (signature or data):
        return data
    return PREFIX + base64.b64encode(msgspec.json.encode(Sealed(family, signature, data))).decode()


def is_sealed(item: ReasoningItem) -> bool:
    """Whether an item bears the mark."""
    return (item.encrypted_content or "").startswith(PREFIX)


def opened(item: ReasoningItem) -> ReasoningItem:
    """The item as it was before it was sealed; of a damaged seal nothing is left."""
    if not is_sealed(item):
        return item
    given = (item.encrypted_content or "")[len(PREFIX) :]
    try:
        sealed = msgspec.json.decode(base64.b64decode(given, validate=True), type=Sealed)
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        sealed = Sealed(item.format or _UNKNOWN, item.signature)
    return structs.replace(item, format=sealed.format, signature=sealed.signature, encrypted_content=sealed.data)
