"""OpenAI's Chat Completions, whole and as a stream.

Shapes: the vendor's API reference, "Chat Completions" and "Streaming"; reasoning fields as DeepSeek, vLLM and OpenRouter name them
(`reasoning_content`, `reasoning`); pictures as OpenRouter has them (`images`).
"""

from collections.abc import Iterator

from trunkline.mock.call import Call
from trunkline.mock.content import CREATED, PIXEL, Content, Made, compose, encode, slices
from trunkline.mock.refusals import body
from trunkline.mock.reply import Manner, PartKind, Refusal, Reply, json_reply
from trunkline.mock.script import Answer, Pace
from trunkline.mock.writing.stream import Event, data_event, frame_data, headers_of, streamed


def _filler(text: str) -> object:
    return {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}


def _failure(refusal: Refusal) -> bytes:
    return frame_data(body(refusal, "openai"))


MANNER = Manner(shape="openai", frame=frame_data, filler=_filler, failure=_failure)


def _usage(content: Content, answer: Answer) -> dict[str, object]:
    """The scripted usage, else counted words. Reasoning is part of the completion tokens, and the cache part of the prompt's."""
    if answer.usage is not None:
        return answer.usage
    spent = content.spent
    usage: dict[str, object] = {
        "prompt_tokens": spent.prompt,
        "completion_tokens": spent.completion,
        "total_tokens": spent.prompt + spent.completion,
    }
    written = spent.written + spent.written_1h
    if spent.cached or written:
        usage["prompt_tokens_details"] = {"cached_tokens": spent.cached} | ({"cache_write_tokens": written} if written else {})
    if spent.reasoning:
        usage["completion_tokens_details"] = {"reasoning_tokens": spent.reasoning}
    return usage


def _call_id(made: Made, serial: int, index: int) -> str:
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


def _images(content: Content) -> list[dict[str, object]]:
    url = f"data:image/png;base64,{PIXEL}"
    return [{"type": "image_url", "image_url": {"url": url}, "index": index} for index in range(content.images)]


def _annotations(content: Content) -> list[dict[str, object]]:
    return [
        {"type": "url_citation", "url_citation": {"url": made.url, "title": made.title, "start_index": made.start, "end_index": made.end}}
        for made in content.citations
    ]


def _extras(content: Content) -> dict[str, object]:
    """Pictures and citations, where there are any."""
    found = {"images": _images(content), "annotations": _annotations(content)}
    return {name: items for name, items in found.items() if items}


def _whole(call: Call, answer: Answer, serial: int) -> Reply:
    content = compose(call, answer)
    message: dict[str, object] = {"role": "assistant", "content": content.whole_text or None, "refusal": content.refusal or None}
    if content.reasoning:
        message[answer.reasoning_field] = content.whole_reasoning
    message |= _extras(content)
    if content.tool_calls:
        message["tool_calls"] = [
            {"id": _call_id(made, serial, index), "type": "function", "function": {"name": made.name, "arguments": made.arguments}}
            for index, made in enumerate(content.tool_calls)
        ]
    reply = _envelope(call, answer, serial, "chat.completion")
    reply["choices"] = [{"index": 0, "message": message, "logprobs": None, "finish_reason": content.finish}]
    if answer.usage_place != "never":
        reply["usage"] = _usage(content, answer)
    return json_reply(encode(reply), headers=headers_of(answer, serial))


def _tool_deltas(content: Content, answer: Answer, serial: int) -> Iterator[dict[str, object]]:
    """Deltas of the tool calls: per call first id and name with empty arguments, then the arguments in pieces."""
    for index, made in enumerate(content.tool_calls):
        head = {"index": index, "id": _call_id(made, serial, index), "type": "function", "function": {"name": made.name, "arguments": ""}}
        yield {"tool_calls": [head]}
        for piece in slices(made.arguments, answer.tool_pieces):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _deltas(content: Content, answer: Answer, serial: int) -> Iterator[tuple[PartKind, dict[str, object], str | None]]:
    """Every delta of the stream in order: kind of part, delta, finish reason."""
    yield "role", {"role": "assistant", "content": "", "refusal": None}, None
    for piece in content.reasoning:
        yield "content", {answer.reasoning_field: piece}, None
    for piece in content.text:
        yield "content", {"content": piece}, None
    if content.refusal:
        yield "content", {"refusal": content.refusal}, None
    if extras := _extras(content):
        yield "content", extras, None
    for delta in _tool_deltas(content, answer, serial):
        yield "content", delta, None
    yield "finish", {}, content.finish


def _events(call: Call, answer: Answer, serial: int) -> Iterator[Event]:
    """The events of a stream. Chunks carry `usage: null` when the last one will carry the usage, as OpenAI does."""
    content = compose(call, answer)
    envelope = _envelope(call, answer, serial, "chat.completion.chunk")
    place = answer.usage_place
    last = place == "always" or (place == "asked" and call.include_usage)
    for kind, delta, finish in _deltas(content, answer, serial):
        chunk = {**envelope, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]}
        if place == "every" or (place == "finish" and kind == "finish"):
            chunk["usage"] = _usage(content, answer)
        elif last:
            chunk["usage"] = None
        yield kind, data_event(chunk)
    if last:
        yield "usage", data_event({**envelope, "choices": [], "usage": _usage(content, answer)})
    yield "done", b"data: [DONE]\n\n"


def write(call: Call, answer: Answer, pace: Pace, *, serial: int) -> Reply:
    """The reply to a chat call, streaming or not. Raises nothing: what the script says is sent."""
    if not call.stream:
        return _whole(call, answer, serial)
    return streamed(_events(call, answer, serial), pace, headers=headers_of(answer, serial))
