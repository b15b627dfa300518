"""The bytes of an answer: from a `Call` and the `Answer` a rule gives it to a `Reply` in the shape of OpenAI's Chat Completions.

Pure and deterministic: the same call with the same serial number gives the same bytes. Shapes: the vendor's API reference, "Chat
Completions" and "Streaming"; reasoning fields as DeepSeek, vLLM and OpenRouter name them (`reasoning_content`, `reasoning`).
"""

import re
from collections.abc import Iterator

import msgspec
from msgspec import Struct

from trunkline.mock.call import Call
from trunkline.mock.instance import instance
from trunkline.mock.reply import Part, PartKind, Reply, json_reply
from trunkline.mock.script import Answer, Pace, ToolCall

CREATED = 1_750_000_000
"""The `created` of every answer, in Unix seconds: fixed, so that answers can be compared."""

_WORD = re.compile(r"\S+\s*|\s+")


class Content(Struct, frozen=True, kw_only=True):
    """What is said, worked out from call and answer: texts in stream pieces, calls with their argument text."""

    text: tuple[str, ...]
    reasoning: tuple[str, ...]
    tool_calls: tuple[ToolCall, ...]
    finish_reason: str
    usage: dict[str, object]


def encode(value: object) -> bytes:
    """Compact JSON."""
    return msgspec.json.encode(value)


def event(value: object) -> bytes:
    """One SSE event with a JSON payload."""
    return b"data: " + encode(value) + b"\n\n"


def pieces(text: str, words: int) -> tuple[str, ...]:
    """The text in runs of `words` words, spaces kept: joined they are the text."""
    found = _WORD.findall(text)
    return tuple("".join(found[at : at + words]) for at in range(0, len(found), max(1, words)))


def _tool_calls(call: Call, answer: Answer) -> tuple[ToolCall, ...]:
    """The scripted calls, else one for a forced tool choice with arguments that fit its parameters."""
    if answer.tool_calls or not call.forced_tool:
        return answer.tool_calls
    parameters = dict(call.tools).get(call.forced_tool, {})
    made = instance(parameters)
    return (ToolCall(name=call.forced_tool, arguments=made if isinstance(made, dict) else {}),)


def _said(call: Call, answer: Answer) -> tuple[str, ...]:
    """The text in pieces: numbered words for `events`, the scripted text, a value for a response format, or the echo."""
    if answer.events:
        return tuple(f"w{number} " for number in range(answer.events))
    if answer.text is not None:
        return pieces(answer.text, answer.words)
    return pieces(call.text if call.schema is None else encode(instance(call.schema)).decode(), answer.words)


def _usage(call: Call, answer: Answer, spoken: int, thought: int) -> dict[str, object]:
    """The scripted usage, else counted words. Reasoning is part of the completion tokens, as OpenAI has it."""
    if answer.usage is not None:
        return answer.usage
    details = {"completion_tokens_details": {"reasoning_tokens": thought}} if thought else {}
    completion = spoken + thought
    return {"prompt_tokens": call.words, "completion_tokens": completion, "total_tokens": call.words + completion, **details}


def compose(call: Call, answer: Answer) -> Content:
    """Works out what is said. Text is cut at the caller's `max_tokens` words, with the finish reason `length`."""
    calls = _tool_calls(call, answer)
    text = () if calls and answer.text is None and not answer.events else _said(call, answer)
    limit = call.max_tokens if answer.text is None and not answer.events and call.schema is None else None
    cut = limit is not None and limit < len(text)
    text = text[:limit] if cut else text
    reasoning = pieces(answer.reasoning, answer.words)
    natural = "tool_calls" if calls else "length" if cut else "stop"
    spoken = len(text) + sum(len(_arguments(made).split()) + 1 for made in calls)
    return Content(
        text=text,
        reasoning=reasoning,
        tool_calls=calls,
        finish_reason=answer.finish_reason or natural,
        usage=_usage(call, answer, spoken, len(reasoning)),
    )


def _arguments(made: ToolCall) -> str:
    return made.arguments if isinstance(made.arguments, str) else encode(made.arguments).decode()


def _call_id(made: ToolCall, serial: int, index: int) -> str:
    return made.id or f"call_{serial:08d}{index:02d}"


def _envelope(call: Call, answer: Answer, serial: int, kind: str) -> dict[str, object]:
    return {
        "id": f"chatcmpl-mock{serial:08d}",
        "object": kind,
        "created": CREATED,
        "model": answer.model or call.model,
        "system_fingerprint": "fp_mock",
        **answer.extra,
    }


def whole(call: Call, answer: Answer, *, serial: int) -> Reply:
    """The answer to a call without streaming."""
    content = compose(call, answer)
    message: dict[str, object] = {"role": "assistant", "content": "".join(content.text) or None, "refusal": answer.refusal or None}
    if content.reasoning:
        message[answer.reasoning_field] = "".join(content.reasoning)
    if content.tool_calls:
        message["tool_calls"] = [
            {"id": _call_id(made, serial, index), "type": "function", "function": {"name": made.name, "arguments": _arguments(made)}}
            for index, made in enumerate(content.tool_calls)
        ]
    body = _envelope(call, answer, serial, "chat.completion")
    body["choices"] = [{"index": 0, "message": message, "logprobs": None, "finish_reason": content.finish_reason}]
    if answer.usage_place != "never":
        body["usage"] = content.usage
    return json_reply(encode(body), headers=_headers(answer, serial))


def _headers(answer: Answer, serial: int) -> tuple[tuple[str, str], ...]:
    return ("x-request-id", f"req_mock{serial:08d}"), *answer.headers.items()


def _tool_deltas(content: Content, answer: Answer, serial: int) -> Iterator[dict[str, object]]:
    """Deltas of the tool calls: per call first id and name with empty arguments, then the arguments in pieces."""
    for index, made in enumerate(content.tool_calls):
        head = {"index": index, "id": _call_id(made, serial, index), "type": "function", "function": {"name": made.name, "arguments": ""}}
        yield {"tool_calls": [head]}
        text = _arguments(made)
        step = max(1, -(-len(text) // max(1, answer.tool_pieces)))
        for at in range(0, len(text), step):
            yield {"tool_calls": [{"index": index, "function": {"arguments": text[at : at + step]}}]}


def _deltas(content: Content, answer: Answer, serial: int) -> Iterator[tuple[PartKind, dict[str, object], str | None]]:
    """Every delta of the stream in order: kind of part, delta, finish reason."""
    yield "role", {"role": "assistant", "content": "", "refusal": None}, None
    for piece in content.reasoning:
        yield "content", {answer.reasoning_field: piece}, None
    for piece in content.text:
        yield "content", {"content": piece}, None
    if answer.refusal:
        yield "content", {"refusal": answer.refusal}, None
    for delta in _tool_deltas(content, answer, serial):
        yield "content", delta, None
    yield "finish", {}, content.finish_reason


def _events(call: Call, answer: Answer, serial: int) -> Iterator[tuple[PartKind, bytes]]:
    """The events of a stream. Chunks carry `usage: null` when the last one will carry the usage, as OpenAI does."""
    content = compose(call, answer)
    envelope = _envelope(call, answer, serial, "chat.completion.chunk")
    place = answer.usage_place
    last = place == "always" or (place == "asked" and call.include_usage)
    for kind, delta, finish in _deltas(content, answer, serial):
        chunk = {**envelope, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]}
        if place == "every" or (place == "finish" and kind == "finish"):
            chunk["usage"] = content.usage
        elif last:
            chunk["usage"] = None
        yield kind, event(chunk)
    if last:
        yield "usage", event({**envelope, "choices": [], "usage": content.usage})
    yield "done", b"data: [DONE]\n\n"


def streamed(call: Call, answer: Answer, pace: Pace, *, serial: int) -> Reply:
    """The answer to a streaming call, with the waits of `pace` at its events: role chunk, content, finish, usage, `[DONE]`."""
    parts: list[Part] = []
    paced = False
    for kind, data in _events(call, answer, serial):
        first = kind == "content" and not paced
        wait = (pace.first_ms or pace.event_ms) if first else pace.event_ms
        paced = paced or first
        parts.append(Part(kind, data, wait / 1000 if kind not in ("role", "done") else 0.0))
    headers = (("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-cache"), *_headers(answer, serial))
    return Reply(parts=tuple(parts), headers=headers, stream=True)


def answer_call(call: Call, answer: Answer, pace: Pace, *, serial: int) -> Reply:
    """The reply to a chat call, streaming or not. Raises nothing: what the script says is sent."""
    return streamed(call, answer, pace, serial=serial) if call.stream else whole(call, answer, serial=serial)


def list_models(models: tuple[str, ...]) -> Reply:
    """The answer to `GET /models`."""
    listed = [{"id": name, "object": "model", "created": CREATED, "owned_by": "mock"} for name in models]
    return json_reply(encode({"object": "list", "data": listed}))
