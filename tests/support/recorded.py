"""What a recorded answer says, read by hand from the vendors' documents: it shares nothing with the decoders that it checks.

One reader for each upstream dialect; each takes the documents of an answer, of which a whole one has a single one.
"""

import binascii
import json
import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from cassettes import Recording
from msgspec import Struct, field

Document = dict[str, Any]


class Said(Struct, kw_only=True):
    """An answer without its wire. `calls`: names with decoded arguments (the text itself where it is no JSON); `finish`: stop, length,
    tool_calls or content_filter; `tokens`: input and output in full, of which `cached`, `written` and `reasoning` are parts; `pictures`:
    how many images."""

    text: str = ""
    refusal: str = ""
    thought: str = ""
    calls: list[tuple[str, object]] = field(default_factory=list)
    finish: str | None = None
    input: int = 0
    output: int = 0
    cached: int = 0
    written: int = 0
    reasoning: int = 0
    pictures: int = 0


def read(recording: Recording) -> Said:
    """What a recorded answer says."""
    said = Said()
    READERS[recording.dialect](said, list(documents(recording)))
    if said.finish is None and recording.streamed and recording.data.endswith(b"data: [DONE]\n\n"):
        said.finish = "stop"
    if said.calls and said.finish == "stop":
        said.finish = "tool_calls"
    return said


def documents(recording: Recording) -> Iterator[Document]:
    """The JSON documents of an answer: its body, or the payloads of its events."""
    if recording.dialect == "converse" and recording.streamed:
        yield from frames(recording.data)
    elif recording.streamed:
        for line in recording.body.splitlines():
            if line.startswith("data:") and line[5:].strip() != "[DONE]":
                yield json.loads(line[5:])
    else:
        yield recording.body


def frames(data: bytes) -> Iterator[Document]:
    """The messages of an Amazon event stream: total length, length of the headers, CRC of both, headers, payload, CRC of all."""
    while data:
        total, headers, check = struct.unpack_from(">III", data)
        assert binascii.crc32(data[:8]) == check
        assert binascii.crc32(data[: total - 4]) == struct.unpack_from(">I", data, total - 4)[0]
        payload = json.loads(data[12 + headers : total - 4])
        yield {_event_type(data[12 : 12 + headers]): payload}
        data = data[total:]


def _event_type(headers: bytes) -> str:
    """The value of `:event-type`; all headers of these streams are strings (type 7)."""
    while headers:
        name_end = 1 + headers[0]
        size = struct.unpack_from(">H", headers, name_end + 1)[0]
        start = name_end + 3
        if headers[1:name_end] == b":event-type":
            return headers[start : start + size].decode()
        headers = headers[start + size :]
    raise AssertionError("a frame without an event type")


def arguments(text: str) -> object:
    """The arguments of a call as a value."""
    try:
        return json.loads(text or "{}")
    except ValueError:
        return text


# --- chat ---


def _chat(said: Said, given: list[Document]) -> None:
    called: dict[int, list[str]] = {}
    for document in given:
        usage = document.get("usage") or (document.get("x_groq") or {}).get("usage")
        if usage:
            _chat_usage(said, usage)
        for choice in document.get("choices") or ():
            _chat_message(said, choice.get("message") or choice.get("delta") or {}, called)
            reason = choice.get("finish_reason")
            said.finish = said.finish if reason is None else CHAT_FINISHES[reason]
    said.calls = [(name, arguments(text)) for name, text in called.values()]


CHAT_FINISHES: Final = {
    "": "stop",
    "stop": "stop",
    "eos": "stop",
    "length": "length",
    "model_length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
}


def _chat_message(said: Said, message: Document, called: dict[int, list[str]]) -> None:
    content = message.get("content") or ""
    for part in [{"type": "text", "text": content}] if isinstance(content, str) else content:
        if part["type"] == "thinking":
            said.thought += "".join(text["text"] for text in part["thinking"])
        elif part["type"] == "text":
            said.text += part["text"]
    said.refusal += message.get("refusal") or ""
    details = "".join(item.get("text") or item.get("summary") or "" for item in message.get("reasoning_details") or ())
    said.thought += message.get("reasoning") or message.get("reasoning_content") or details
    said.pictures += len(message.get("images") or ())
    for number, call in enumerate(message.get("tool_calls") or ()):
        function = call.get("function") or call.get("custom")
        known = called.setdefault(call.get("index", number) if "index" in call else number, ["", ""])
        known[0] += function.get("name") or ""
        known[1] += function.get("arguments") or function.get("input") or ""


def _chat_usage(said: Said, usage: Document) -> None:
    before, after = usage.get("prompt_tokens_details") or {}, usage.get("completion_tokens_details") or {}
    said.input, said.output = usage["prompt_tokens"], usage.get("completion_tokens") or 0
    said.cached = before.get("cached_tokens") or usage.get("num_cached_tokens") or 0
    said.written = before.get("cache_write_tokens") or 0
    said.reasoning = after.get("reasoning_tokens") or usage.get("reasoning_tokens") or 0


# --- responses ---


def _responses(said: Said, given: list[Document]) -> None:
    response = given[-1].get("response") or given[-1]
    for item in response["output"]:
        kind = item["type"]
        if kind == "message":
            said.text += "".join(part["text"] for part in item["content"] if part["type"] == "output_text")
            said.refusal += "".join(part["refusal"] for part in item["content"] if part["type"] == "refusal")
        elif kind == "reasoning":
            said.thought += "\n\n".join(part["text"] for part in [*(item.get("content") or ()), *(item.get("summary") or ())])
        elif kind in ("function_call", "custom_tool_call"):
            said.calls.append((item["name"], arguments(item.get("arguments", item.get("input")))))
        elif kind == "image_generation_call":
            said.pictures += 1
    why = (response.get("incomplete_details") or {}).get("reason")
    said.finish = {"max_output_tokens": "length", "content_filter": "content_filter"}.get(why or "", "stop")
    usage = response["usage"]
    before, after = usage.get("input_tokens_details") or {}, usage.get("output_tokens_details") or {}
    said.input, said.output = usage["input_tokens"], usage["output_tokens"]
    said.cached, said.written = before.get("cached_tokens") or 0, before.get("cache_write_tokens") or 0
    said.reasoning = after.get("reasoning_tokens") or 0


# --- messages ---

STOPS: Final = {
    **{"end_turn": "stop", "stop_sequence": "stop", "pause_turn": "stop", "compaction": "stop"},
    **{"max_tokens": "length", "model_context_window_exceeded": "length", "tool_use": "tool_calls", "refusal": "content_filter"},
}


def _messages(said: Said, given: list[Document]) -> None:
    message = given[0] if given[0].get("type") == "message" else message_of(given)
    for block in message["content"]:
        if block["type"] == "text":
            said.text += block["text"]
        elif block["type"] == "thinking":
            said.thought += block["thinking"]
        elif block["type"] == "tool_use":
            said.calls.append((block["name"], block["input"]))
    said.finish = STOPS[message["stop_reason"]]
    messages_usage(said, message["usage"])


def messages_usage(said: Said, usage: Document) -> None:
    """Tokens in Anthropic's words: the totals leave out what the cache read and wrote, and what a compaction took."""
    rounds = [one for one in usage.get("iterations") or () if one["type"] in ("message", "compaction")]
    if not any(one["type"] == "compaction" for one in rounds):
        rounds = [usage]
    said.cached = sum(one.get("cache_read_input_tokens") or 0 for one in rounds)
    said.written = sum(one.get("cache_creation_input_tokens") or 0 for one in rounds)
    said.input = sum(one["input_tokens"] for one in rounds) + said.cached + said.written
    said.output = sum(one["output_tokens"] for one in rounds)
    said.reasoning = (usage.get("output_tokens_details") or {}).get("thinking_tokens") or 0


def message_of(events: list[Document]) -> Document:
    """The message that a stream of Anthropic's makes."""
    message: Document = {}
    partial = ""
    for event in events:
        delta = event.get("delta") or {}
        if event["type"] == "message_start":
            message = {**event["message"], "content": []}
        elif event["type"] == "content_block_start":
            message["content"].append(dict(event["content_block"]))
            partial = ""
        elif event["type"] == "content_block_delta":
            partial += delta.get("partial_json", "")
            _grow(message["content"][-1], delta)
        elif event["type"] == "content_block_stop" and partial:
            message["content"][-1]["input"] = json.loads(partial)
        elif event["type"] == "message_delta":
            counts = {key: value for key, value in event["usage"].items() if value is not None}
            message = {**message, **delta, "usage": {**message["usage"], **counts}}
    return message


def _grow(block: Document, delta: Document) -> None:
    for key in ("text", "thinking", "signature"):
        if key in delta:
            block[key] = block.get(key, "") + delta[key]
    if "citation" in delta:
        block["citations"] = [*(block.get("citations") or ()), delta["citation"]]
    if "content" in delta:
        block["content"] = delta["content"]


# --- gemini ---

GEMINI_FINISHES: Final = {"STOP": "stop", "MAX_TOKENS": "length", "SAFETY": "content_filter", "UNEXPECTED_TOOL_CALL": None}


def _gemini(said: Said, given: list[Document]) -> None:
    for document in given:
        for candidate in document.get("candidates") or ():
            for part in (candidate.get("content") or {}).get("parts") or ():
                _gemini_part(said, part)
            if candidate.get("finishReason"):
                said.finish = GEMINI_FINISHES[candidate["finishReason"]]
        usage = document.get("usageMetadata") or {}
        said.reasoning = usage.get("thoughtsTokenCount", said.reasoning)
        said.input = usage.get("promptTokenCount", 0) + usage.get("toolUsePromptTokenCount", 0)
        said.output = usage.get("candidatesTokenCount", 0) + said.reasoning
        said.cached = usage.get("cachedContentTokenCount", said.cached)


def _gemini_part(said: Said, part: Document) -> None:
    if "functionCall" in part:
        said.calls.append((part["functionCall"]["name"], part["functionCall"].get("args") or {}))
    elif part.get("thought"):
        said.thought += part.get("text", "")
    else:
        said.text += part.get("text", "")
        said.pictures += "inlineData" in part


# --- converse ---

CONVERSE_STOPS: Final = {
    **STOPS,
    **{"guardrail_intervened": "content_filter", "content_filtered": "content_filter"},
    **{"malformed_tool_use": None, "malformed_model_output": None},
}


def _converse(said: Said, given: list[Document]) -> None:
    if "output" in given[0]:
        for block in given[0]["output"]["message"]["content"]:
            _converse_block(said, block)
        said.finish = CONVERSE_STOPS[given[0]["stopReason"]]
        _converse_usage(said, given[0]["usage"])
    else:
        _converse_stream(said, given)


def _converse_block(said: Said, block: Document) -> None:
    said.text += block.get("text", "")
    said.thought += ((block.get("reasoningContent") or {}).get("reasoningText") or {}).get("text", "")
    call = block.get("toolUse")
    if call and call.get("type") != "server_tool_use":
        said.calls.append((call["name"], call["input"]))


def _converse_stream(said: Said, given: list[Document]) -> None:
    partial: dict[int, list[str]] = {}
    for document in given:
        ((kind, event),) = document.items()
        if kind == "contentBlockStart" and "toolUse" in event["start"] and event["start"]["toolUse"].get("type") != "server_tool_use":
            partial[event["contentBlockIndex"]] = [event["start"]["toolUse"]["name"], ""]
        elif kind == "contentBlockDelta":
            delta = event["delta"]
            said.text += delta.get("text", "")
            said.thought += (delta.get("reasoningContent") or {}).get("text", "")
            if "toolUse" in delta and event["contentBlockIndex"] in partial:
                partial[event["contentBlockIndex"]][1] += delta["toolUse"]["input"]
        elif kind == "messageStop":
            said.finish = CONVERSE_STOPS[event["stopReason"]]
        elif kind == "metadata":
            _converse_usage(said, event["usage"])
    said.calls = [(name, arguments(text)) for name, text in partial.values()]


def _converse_usage(said: Said, usage: Document) -> None:
    said.cached, said.written = usage.get("cacheReadInputTokens") or 0, usage.get("cacheWriteInputTokens") or 0
    said.input, said.output = usage["inputTokens"] + said.cached + said.written, usage["outputTokens"]


READERS: Final[Mapping[str, Callable[[Said, list[Document]], None]]] = {
    "chat": _chat,
    "responses": _responses,
    "messages": _messages,
    "gemini": _gemini,
    "converse": _converse,
}
