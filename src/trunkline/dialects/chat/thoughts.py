"""Reasoning in the history: the wire's `reasoning`, its alias `reasoning_content`, and `reasoning_details`, as blocks and back
(contract 2.7).

Signatures and encrypted data keep their bytes and their order. Items of a kind that the hub does not know stay as they came.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal, TypeGuard

import msgspec
from msgspec import Raw

from trunkline.dialects.hub.conversation import Block, Opaque, Reasoning

GEMINI: Final = "google-gemini-v1"
_LIST = msgspec.json.Decoder(list[Raw])
_Kind = Literal["text", "summary", "encrypted"]
_KINDS: Final[dict[str, tuple[_Kind, str]]] = {
    "reasoning.text": ("text", "text"),
    "reasoning.summary": ("summary", "summary"),
    "reasoning.encrypted": ("encrypted", "data"),
}
"""Types of detail items: the hub's kind, and the key that carries it."""


def thoughts_of(details: Raw, texts: Sequence[object]) -> list[Block]:
    """The blocks of a message's reasoning: of its details, else of the first of `texts` that says something."""
    items = _LIST.decode(details) if bytes(details)[:1] == b"[" else []
    blocks = [block for block in map(_block, items) if block is not None]
    if blocks:
        return blocks
    text = next((text for text in texts if isinstance(text, str) and text), None)
    return [] if text is None else [Reasoning(text=text)]


def _block(item: Raw) -> Block | None:
    read = msgspec.json.decode(item)
    if not isinstance(read, dict):
        return None
    name = read.get("type")
    known = _KINDS.get(name) if isinstance(name, str) else None
    if known is None:
        return Opaque(dialect="chat", raw=Raw(bytes(item)))
    kind, key = known
    return Reasoning(
        kind=kind,
        text="" if kind == "encrypted" else _text(read, key) or "",
        data=_text(read, key) if kind == "encrypted" else None,
        signature=_text(read, "signature"),
        format=_text(read, "format") or "unknown",
        id=_text(read, "id"),
        index=read["index"] if isinstance(read.get("index"), int) else None,
    )


def _text(item: dict[str, object], key: str) -> str | None:
    value = item.get(key)
    return value if isinstance(value, str) else None


def reasoning_fields(blocks: Sequence[Block], formats: Sequence[str]) -> dict[str, object]:
    """`reasoning` and `reasoning_details` of a message. With `formats`, signatures and encrypted data of other families are left out."""
    kept = [block for block in blocks if _fits(block, formats)]
    text = "".join(block.text for block in kept if isinstance(block, Reasoning))
    fields: dict[str, object] = {"reasoning": text} if text else {}
    if any(isinstance(block, Opaque) or block != Reasoning(text=block.text) for block in kept):
        fields["reasoning_details"] = [block.raw if isinstance(block, Opaque) else _item(block) for block in kept]
    return fields


def _fits(block: Block, formats: Sequence[str]) -> TypeGuard[Reasoning | Opaque]:
    if isinstance(block, Opaque):
        return block.dialect == "chat"
    if not isinstance(block, Reasoning):
        return False
    bound = block.signature is not None or block.data is not None
    return not (bound and formats and block.format not in formats)


def _item(block: Reasoning) -> dict[str, object]:
    key, value = ("data", block.data or "") if block.kind == "encrypted" else (block.kind, block.text)
    more = {"signature": block.signature, "id": block.id, "format": block.format, "index": block.index}
    return {"type": f"reasoning.{block.kind}", key: value, **{name: one for name, one in more.items() if one is not None}}


def call_signature(item: Mapping[str, object]) -> str | None:
    """The thought signature beside a tool call, where Gemini's chat servers put it."""
    extra = item.get("extra_content")
    google = extra.get("google") if isinstance(extra, dict) else None
    signature = google.get("thought_signature") if isinstance(google, dict) else None
    return signature if isinstance(signature, str) and signature else None


def signed_call(call: Mapping[str, object], identifier: str, blocks: Sequence[Block]) -> Mapping[str, object]:
    """A call with its thought signature again, where one of the turn's blocks holds it."""
    held = (block.data for block in blocks if isinstance(block, Reasoning) and (block.format, block.id) == (GEMINI, identifier))
    signature = next(held, None)
    return call if signature is None else {**call, "extra_content": {"google": {"thought_signature": signature}}}
