"""Cohere's chat of version 2, whole and as a stream.

Shapes: the vendor's API reference, "Chat" and "Chat with streaming" (v2): contents are started, filled and ended by their index; calls are
preceded by a plan; the usage comes with `message-end`.
"""

from collections.abc import Iterator

from trunkline.mock.call import Call
from trunkline.mock.content import Content, compose, encode, slices
from trunkline.mock.reply import Manner, PartKind, Refusal, Reply, json_reply
from trunkline.mock.script import Answer, Pace
from trunkline.mock.writing.stream import Event, headers_of, named_event, streamed

STOPS = {"stop": "COMPLETE", "length": "MAX_TOKENS", "tool_calls": "TOOL_CALL", "content_filter": "ERROR_TOXIC", "error": "ERROR"}
"""The vendor's words for the neutral ones."""

_Told = tuple[PartKind, dict[str, object]]


def _message(**fields: object) -> dict[str, object]:
    return {"delta": {"message": fields}}


def _filler(text: str) -> object:
    return {"type": "content-delta", "index": 0, **_message(content={"text": text})}


def _failure(refusal: Refusal) -> bytes:
    return named_event({"type": "message-end", "delta": {"error": refusal.message, "finish_reason": "ERROR"}})


MANNER = Manner(
    shape="cohere",
    frame=lambda payload: b"event: content-delta\ndata: " + payload + b"\n\n",
    filler=_filler,
    failure=_failure,
)


def _usage(content: Content, answer: Answer) -> dict[str, object]:
    if answer.usage is not None:
        return answer.usage
    spent = content.spent
    counted = {"input_tokens": spent.prompt, "output_tokens": spent.completion}
    return {"billed_units": counted, "tokens": counted} | ({"cached_tokens": spent.cached} if spent.cached else {})


def _calls(content: Content, serial: int) -> list[dict[str, object]]:
    return [
        {
            "id": made.id or f"{made.name}_mock{serial:08d}{index:02d}",
            "type": "function",
            "function": {"name": made.name, "arguments": made.arguments},
        }
        for index, made in enumerate(content.tool_calls)
    ]


def _citations(content: Content) -> list[dict[str, object]]:
    return [
        {
            "start": made.start,
            "end": made.end,
            "text": content.whole_text[made.start : made.end],
            "sources": [{"type": "document", "id": f"doc:{index}", "document": {"url": made.url, "title": made.title}}],
            "type": "TEXT_CONTENT",
        }
        for index, made in enumerate(content.citations)
    ]


def _planned(content: Content) -> bool:
    """With calls the text is the plan of them."""
    return bool(content.tool_calls)


def _said(content: Content) -> tuple[str, ...]:
    return content.text + ((content.refusal,) if content.refusal else ())


def _whole(call: Call, answer: Answer, serial: int) -> Reply:
    content = compose(call, answer)
    blocks: list[dict[str, object]] = []
    if content.reasoning:
        blocks.append({"type": "thinking", "thinking": content.whole_reasoning})
    if _said(content) and not _planned(content):
        blocks.append({"type": "text", "text": "".join(_said(content))})
    message: dict[str, object] = {"role": "assistant"} | ({"content": blocks} if blocks else {})
    if _planned(content):
        message |= {"tool_plan": "".join(_said(content)), "tool_calls": _calls(content, serial)}
    if content.citations:
        message["citations"] = _citations(content)
    reply: dict[str, object] = {"id": f"mock{serial:08d}", "message": message, "finish_reason": STOPS.get(content.ending, content.ending)}
    if answer.usage_place != "never":
        reply["usage"] = _usage(content, answer)
    return json_reply(encode({**reply, **answer.extra}), headers=headers_of(answer, serial))


def _contents(content: Content) -> Iterator[_Told]:
    """Thinking and text as contents."""
    found = (("thinking", content.reasoning), ("text", () if _planned(content) else _said(content)))
    for index, (kind, texts) in enumerate((kind, texts) for kind, texts in found if texts):
        yield "open", {"type": "content-start", "index": index, **_message(content={"type": kind, kind: ""})}
        for piece in texts:
            yield "content", {"type": "content-delta", "index": index, **_message(content={kind: piece})}
        yield "close", {"type": "content-end", "index": index}


def _tools(content: Content, answer: Answer, serial: int) -> Iterator[_Told]:
    for piece in _said(content) if _planned(content) else ():
        yield "content", {"type": "tool-plan-delta", **_message(tool_plan=piece)}
    for index, (made, call) in enumerate(zip(content.tool_calls, _calls(content, serial), strict=True)):
        started = {**call, "function": {"name": made.name, "arguments": ""}}
        yield "content", {"type": "tool-call-start", "index": index, **_message(tool_calls=started)}
        for piece in slices(made.arguments, answer.tool_pieces):
            yield "content", {"type": "tool-call-delta", "index": index, **_message(tool_calls={"function": {"arguments": piece}})}
        yield "close", {"type": "tool-call-end", "index": index}


def _told(call: Call, answer: Answer, serial: int) -> Iterator[_Told]:
    content = compose(call, answer)
    start = _message(role="assistant", content=[], tool_plan="", tool_calls=[], citations=[])
    yield "role", {"type": "message-start", "id": f"mock{serial:08d}", **start, **answer.extra}
    yield from _contents(content)
    for index, citation in enumerate(_citations(content)):
        yield "content", {"type": "citation-start", "index": index, **_message(citations=citation)}
        yield "close", {"type": "citation-end", "index": index}
    yield from _tools(content, answer, serial)
    ending: dict[str, object] = {"finish_reason": STOPS.get(content.ending, content.ending)}
    if answer.usage_place != "never":
        ending["usage"] = _usage(content, answer)
    yield "finish", {"type": "message-end", "id": f"mock{serial:08d}", "delta": ending}


def _events(call: Call, answer: Answer, serial: int) -> Iterator[Event]:
    for kind, event in _told(call, answer, serial):
        yield kind, named_event(event)
    yield "done", b"data: [DONE]\n\n"


def write(call: Call, answer: Answer, pace: Pace, *, serial: int) -> Reply:
    """The reply to a call of `/v2/chat`, streaming or not."""
    if not call.stream:
        return _whole(call, answer, serial)
    return streamed(_events(call, answer, serial), pace, headers=headers_of(answer, serial))
