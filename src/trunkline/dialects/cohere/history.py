"""The turns of a conversation as Cohere's `messages` and `documents` (Cohere API reference, `ChatMessageV2`).

The results of all calls of an answer follow it at once, one message for each; what is called and never answered is answered here, and what
answers no call becomes text. Files are documents of the whole request.
"""

import base64
import binascii
from typing import Final

import msgspec
from msgspec import Struct, field

from trunkline.dialects.cohere import PLAN
from trunkline.dialects.hub.conversation import Audio, Block, File, Image, Reasoning, Refusal, Text, ToolCall, ToolResult, Turn, Video
from trunkline.dialects.media import data_url, sniff_base64, split_data_url
from trunkline.errors import ApiError

Wire = dict[str, object]

UNANSWERED: Final = "The call was not answered."
FREE_TEXT: Final = "input"
"""The one argument of a function that stands in for a tool of free text."""


class _Slot(Struct):
    """The place of one call's result."""

    identifier: str
    message: Wire | None = None


class _Exchange(Struct):
    """A message, and the results of its calls, which stand right after it."""

    message: Wire
    slots: list[_Slot] = field(default_factory=list)


class History:
    """Takes turns in order. `thoughts`: whether reasoning in the history is sent back."""

    def __init__(self, *, thoughts: bool) -> None:
        self.documents: list[Wire] = []
        self._thoughts = thoughts
        self._exchanges: list[_Exchange] = []
        self._open: dict[str, list[_Slot]] = {}

    def add(self, turn: Turn) -> None:
        """Take the next turn. Raises ApiError for media that Cohere cannot take."""
        if turn.role == "assistant":
            self._answer(turn)
        elif turn.role == "system":
            text = "\n\n".join(block.text for block in turn.blocks if isinstance(block, Text | Refusal) and block.text.strip())
            if text:
                self._exchanges.append(_Exchange({"role": "system", "content": text}))
        else:
            self._input(turn)

    def messages(self) -> list[Wire]:
        """All messages, in order."""
        out: list[Wire] = []
        for exchange in self._exchanges:
            out.append(exchange.message)
            out.extend(slot.message or _result(slot.identifier, UNANSWERED) for slot in exchange.slots)
        return out

    def _answer(self, turn: Turn) -> None:
        content: list[Wire] = []
        calls: list[Wire] = []
        plan = ""
        exchange = _Exchange({"role": "assistant"})
        for block in turn.blocks:
            if isinstance(block, Reasoning) and block.id == PLAN:
                plan += block.text
            elif isinstance(block, Reasoning):
                content.extend([{"type": "thinking", "thinking": block.text}] if self._thoughts and block.text else [])
            elif isinstance(block, Text | Refusal) and block.text:
                content.append({"type": "text", "text": block.text})
            elif isinstance(block, ToolCall):
                calls.append(_call(block))
                slot = _Slot(block.id)
                exchange.slots.append(slot)
                self._open.setdefault(block.id, []).append(slot)
        if content:
            exchange.message["content"] = content
        if calls:
            exchange.message.update({"tool_calls": calls, **({"tool_plan": plan} if plan else {})})
        if content or calls:
            self._exchanges.append(exchange)

    def _input(self, turn: Turn) -> None:
        parts: list[Wire] = []
        for block in turn.blocks:
            if isinstance(block, ToolResult):
                parts.extend(self._answered(block))
            else:
                parts.extend(self._parts(block))
        if parts:
            only = parts[0].get("text") if len(parts) == 1 else None
            self._exchanges.append(_Exchange({"role": "user", "content": parts if only is None else only}))

    def _answered(self, block: ToolResult) -> list[Wire]:
        """Puts a result into its place; the parts that cannot stand there, and those of a result that has none."""
        text = "\n".join(one.text for one in block.blocks if isinstance(one, Text | Refusal))
        rest = [part for one in block.blocks if not isinstance(one, Text | Refusal) for part in self._parts(one)]
        slots = self._open.get(block.id, [])
        slot = next((one for one in slots if one.message is None), None)
        if slot is None:
            told = f"Result of {block.name or 'a tool'}: {text}"
            return [] if slots else [{"type": "text", "text": told}, *rest]
        slot.message = _result(slot.identifier, f"Error: {text}" if block.is_error else text)
        return [{"type": "text", "text": f"Result of {block.name or 'the tool'}:"}, *rest] if rest else []

    def _parts(self, block: Block) -> list[Wire]:
        if isinstance(block, Text | Refusal):
            return [{"type": "text", "text": block.text}] if block.text.strip() else []
        if isinstance(block, Image):
            return [_image(block)]
        if isinstance(block, File):
            return self._document(block)
        if isinstance(block, Audio | Video):
            kind = "audio" if isinstance(block, Audio) else "video"
            raise ApiError("invalid_request", f"messages: This model takes no {kind}")
        return []

    def _document(self, block: File) -> list[Wire]:
        """A file of text is a document, one with a picture an image."""
        media_type, data = block.media_type, block.data
        split = split_data_url(block.url) if block.url is not None else None
        if split is not None:
            media_type, data = split
        if data is not None and (sniff_base64(data) or media_type or "").startswith("image/"):
            return [_image(Image(data=data, media_type=media_type))]
        text = block.text if block.text is not None else _decoded(data, media_type, block.filename)
        title = block.filename or f"Document {len(self.documents) + 1}"
        self.documents.append({"id": f"doc_{len(self.documents)}", "data": {"title": title, "text": text}})
        return []


def _image(block: Image) -> Wire:
    url = block.url or data_url(block.media_type or sniff_base64(block.data or "") or "image/png", block.data or "")
    if not url.startswith(("https://", "http://", "data:")):
        raise ApiError("invalid_request", f"messages: This model cannot fetch the image {url[:80]!r}")
    image: Wire = {"url": url}
    if block.detail in ("auto", "low", "high"):
        image["detail"] = block.detail
    return {"type": "image_url", "image_url": image}


def _decoded(data: str | None, media_type: str | None, filename: str | None) -> str:
    """The text of a file. Raises ApiError for one that is no text, or that is not here."""
    kind = media_type or "text/plain"
    if data is None:
        raise ApiError("invalid_request", f"messages: the file {(filename or '')[:80]!r} is not known to this provider; send its content")
    if not kind.startswith("text/") and kind not in ("application/json", "application/xml"):
        raise ApiError("invalid_request", f"messages: This model takes no file of type {kind[:60]}")
    try:
        return base64.b64decode(data, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        raise ApiError("invalid_request", "messages: A file is not valid base64") from None


def _call(block: ToolCall) -> Wire:
    arguments = block.arguments if block.kind == "function" else msgspec.json.encode({FREE_TEXT: block.arguments}).decode()
    return {"id": block.id, "type": "function", "function": {"name": block.name, "arguments": arguments or "{}"}}


def _result(identifier: str, text: str) -> Wire:
    return {"role": "tool", "tool_call_id": identifier, "content": text}
