"""Recorded streams as the whole answers they make, put together from the vendors' documents alone: what the same upstream would have said
without streaming."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from cassettes import Recording
from recorded import Document, arguments, documents, message_of


def folded(recording: Recording) -> Document:
    """The whole answer that a recorded stream makes."""
    return FOLDS[recording.dialect](list(documents(recording)))


def _chat(chunks: list[Document]) -> Document:
    message: Document = {"role": "assistant"}
    choice: Document = {"index": 0, "message": message, "finish_reason": None}
    body: Document = {"id": chunks[0]["id"], "object": "chat.completion", "choices": [choice]}
    calls: dict[int, Document] = {}
    for chunk in chunks:
        body |= {key: chunk[key] for key in ("usage", "x_groq", "service_tier") if chunk.get(key)}
        for piece in chunk.get("choices") or ():
            delta = piece.get("delta") or {}
            for place, call in enumerate(delta.get("tool_calls") or ()):
                _join_call(calls.setdefault(call.get("index", place), {"type": "function"}), call)
            _join(message, {key: value for key, value in delta.items() if key not in ("tool_calls", "role")})
            choice |= {key: piece[key] for key in ("finish_reason", "native_finish_reason") if piece.get(key)}
            if piece.get("logprobs"):
                choice["logprobs"] = choice.get("logprobs") or {"content": []}
                choice["logprobs"]["content"] += piece["logprobs"]["content"] or []
    if calls:
        message["tool_calls"] = list(calls.values())
    return body


def _join(whole: Document, piece: Document) -> None:
    for key, value in piece.items():
        if key == "content" and value and isinstance(whole.get(key), str | list) and type(whole[key]) is not type(value):
            whole[key] = [*_parts(whole[key]), *_parts(value)]
        elif isinstance(value, str | list) and key in whole and isinstance(whole[key], type(value)):
            whole[key] += value
        elif value:
            whole[key] = value


def _parts(content: Any) -> list[Document]:
    """Content as parts: Mistral's streams change from one form to the other."""
    return content if isinstance(content, list) else [{"type": "text", "text": content}] if content else []


def _join_call(call: Document, piece: Document) -> None:
    call["id"] = call.get("id") or piece.get("id")
    function = call.setdefault("function", {"name": "", "arguments": ""})
    for key, value in (piece.get("function") or {}).items():
        function[key] = function.get(key, "") + (value or "")


def _responses(events: list[Document]) -> Document:
    return events[-1]["response"]  # type: ignore[no-any-return]


def _gemini(chunks: list[Document]) -> Document:
    candidates = [chunk["candidates"][0] for chunk in chunks if chunk.get("candidates")]
    parts = [part for one in candidates for part in (one.get("content") or {}).get("parts") or ()]
    merged: Document = {}
    for chunk in chunks:
        merged |= chunk
    last: Document = {}
    for one in candidates:
        last |= one
    return {**merged, "candidates": [{**last, "content": {"role": "model", "parts": parts}}]}


def _converse(events: list[Document]) -> Document:
    blocks: dict[int, Document] = {}
    body: Document = {}
    for document in events:
        ((kind, event),) = document.items()
        if kind == "contentBlockStart":
            blocks[event["contentBlockIndex"]] = {key: dict(value) for key, value in event["start"].items()}
        elif kind == "contentBlockDelta":
            _join_block(blocks.setdefault(event["contentBlockIndex"], {}), event["delta"])
        elif kind in ("messageStop", "metadata"):
            body |= event
    content = [_finished(blocks[index]) for index in sorted(blocks)]
    return {**body, "output": {"message": {"role": "assistant", "content": content}}}


def _join_block(block: Document, delta: Document) -> None:
    for key, value in delta.items():
        if key == "text":
            block["text"] = block.get("text", "") + value
        elif key == "citation":
            block.setdefault("citations", []).append(value)
        elif key == "toolResult":
            block["toolResult"] = {**block.get("toolResult", {}), "content": [*block.get("toolResult", {}).get("content", []), *value]}
        else:
            _join(block.setdefault(key, {}), value)


def _finished(block: Document) -> Document:
    if "citations" in block:
        return {"citationsContent": {"content": [{"text": block.get("text", "")}], "citations": block["citations"]}}
    if "toolUse" in block:
        return {"toolUse": {**block["toolUse"], "input": arguments(block["toolUse"].get("input", ""))}}
    if "reasoningContent" in block and "redactedContent" not in block["reasoningContent"]:
        return {"reasoningContent": {"reasoningText": block["reasoningContent"]}}
    return block


FOLDS: Final[Mapping[str, Callable[[list[Document]], Any]]] = {
    "chat": _chat,
    "responses": _responses,
    "messages": message_of,
    "gemini": _gemini,
    "converse": _converse,
}
