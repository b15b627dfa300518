"""Reasoning of other families in the fields that Messages has for its own: `signature` and `redacted_thinking.data` carry it, marked, so
that it comes back whole and never reaches Anthropic as if it were theirs (adapters 2.4, class 2).

The mark is OpenRouter's: `openrouter.reasoning:` and base64 of a JSON object.
"""

import base64
import binascii
from typing import Literal

import msgspec
from msgspec import Struct

from trunkline.dialects.hub.conversation import Reasoning

OWN = "anthropic-claude-v1"
"""The `format` of reasoning that Anthropic's models sign (contract 2.7)."""

PREFIX = "openrouter.reasoning:"


class Sealed(Struct, frozen=True, omit_defaults=True):
    """What a block of thinking cannot say: whose reasoning it is, its id, whether its text is a summary, its signature and data; and the
    text that the caller does not want to see, which belongs to the signature and has to come back with it."""

    format: str = "unknown"
    id: str | None = None
    summary: bool = False
    signature: str | None = None
    data: str | None = None
    text: str | None = None


def close(sealed: Sealed) -> str:
    """The text for `signature` or `data`."""
    return PREFIX + base64.b64encode(msgspec.json.encode(sealed)).decode()


def open_seal(text: str) -> Sealed | None:
    """What `close` was given; None when the text bears no mark or is damaged."""
    if not text.startswith(PREFIX):
        return None
    try:
        return msgspec.json.decode(base64.b64decode(text[len(PREFIX) :], validate=True), type=Sealed)
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        return None


def thinking(text: str, signature: str) -> list[Reasoning]:
    """The reasoning of one `thinking` block: text, and the data that came with it."""
    sealed = open_seal(signature)
    if sealed is None:
        foreign = signature.startswith(PREFIX) or not signature
        return [Reasoning(text=text, signature=None if foreign else signature, format="unknown" if foreign else OWN)]
    return _opened(sealed, text or sealed.text or "")


def redacted(data: str) -> list[Reasoning]:
    """The reasoning of one `redacted_thinking` block; none when its mark is damaged."""
    if not data.startswith(PREFIX):
        return [Reasoning(kind="encrypted", data=data, format=OWN)]
    sealed = open_seal(data)
    return [] if sealed is None or sealed.data is None else _opened(sealed, sealed.text or "")


def _opened(sealed: Sealed, text: str) -> list[Reasoning]:
    kind: Literal["text", "summary"] = "summary" if sealed.summary else "text"
    items = []
    if text or sealed.signature is not None:
        items.append(Reasoning(kind=kind, text=text, signature=sealed.signature, format=sealed.format, id=sealed.id))
    if sealed.data is not None:
        items.append(Reasoning(kind="encrypted", data=sealed.data, format=sealed.format, id=sealed.id))
    return items
