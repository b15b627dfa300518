"""The content blocks of an answer as a Messages client gets them; `sequence` writes the same blocks as events."""

import msgspec
from msgspec import Raw

from trunkline.dialects.hub.answer import Answer, AnswerBlock
from trunkline.dialects.hub.events import Media, OpaqueEvent
from trunkline.dialects.messages import citations, seal
from trunkline.dialects.messages.arguments import free_text, object_of

DIALECT = "messages"
Block = dict[str, object]


def blocks(answer: Answer, *, hides_thinking: bool = False) -> list[object]:
    """The `content` of a whole answer. Blocks that say nothing are left out. `hides_thinking`: the caller wants signatures only."""
    out: list[object] = []
    for block in answer.blocks:
        if block.kind == "tool_call":
            out.append(call(block.id or "", block.name, _input(block)))
        elif block.kind == "reasoning":
            out.extend(_reasoning(block, hides_thinking=hides_thinking))
        elif block.media is not None:
            out.append(media(block.media))
        elif block.opaque is not None:
            out.extend(opaque(block.opaque))
        elif block.joined("text"):
            out.append(_text(block))
    return out


def text(said: str, cited: list[Raw] | None = None) -> Block:
    """A `text` block."""
    return {"type": "text", "text": said, "citations": cited or None}


def call(identifier: str, name: str, arguments: Raw) -> Block:
    """A `tool_use` block."""
    return {"type": "tool_use", "id": identifier, "name": name, "input": arguments, "caller": {"type": "direct"}}


def thinking(thought: str, signature: str) -> Block:
    """A `thinking` block."""
    return {"type": "thinking", "thinking": thought, "signature": signature}


def redacted(data: str) -> Block:
    """A `redacted_thinking` block."""
    return {"type": "redacted_thinking", "data": data}


def closing(family: str, identifier: str | None, *, summary: bool, signature: str, data: str, hidden: str = "") -> tuple[str, str]:
    """What ends a piece of reasoning: the signature of its `thinking` block, and the data of a `redacted_thinking` block of its own. Those
    of other families are sealed, and so is text that the block does not show (`hidden`); the data then travels with the signature."""
    if family == seal.OWN and not hidden:
        return signature, data
    if not signature and not data and not hidden:
        return "", ""
    sealed = seal.Sealed(family, identifier, summary, signature or None, data or None, hidden or None)
    return seal.close(sealed), ""


def media(made: Media) -> Block:
    """A picture as an `image` block; sound as the text that was spoken."""
    if made.kind == "audio":
        return text(made.transcript or "[audio]")
    source = {"type": "url", "url": made.url} if made.url else {"type": "base64", "media_type": made.media_type, "data": made.data}
    return {"type": "image", "source": source}


def opaque(event: OpaqueEvent) -> list[Block]:
    """A block of this dialect that the hub does not know; nothing for one of another dialect."""
    if event.dialect != DIALECT:
        return []
    block = msgspec.json.decode(event.raw, type=dict[str, object])
    return [block]


def _input(block: AnswerBlock) -> Raw:
    arguments = block.joined("arguments")
    return free_text(arguments) if block.custom else object_of(arguments)


def _text(block: AnswerBlock) -> Block:
    cited = [found for one in block.parts.get("annotation", ()) if (found := citations.citation(one)) is not None]
    return text(block.joined("text"), cited)


def _reasoning(block: AnswerBlock, *, hides_thinking: bool) -> list[Block]:
    summary, signature, data = block.joined("summary"), block.joined("signature"), block.joined("data")
    said = summary + block.joined("text")
    thought, hidden = ("", said) if hides_thinking else (said, "")
    signature, data = closing(block.format, block.id, summary=bool(summary), signature=signature, data=data, hidden=hidden)
    out: list[Block] = []
    if block.format != seal.OWN and not thought and block.joined("data"):
        return [redacted(signature)]
    if thought or signature:
        out.append(thinking(thought, signature))
    if data:
        out.append(redacted(data))
    return out
