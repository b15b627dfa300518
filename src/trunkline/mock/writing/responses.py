"""OpenAI's Responses, whole and as a stream.

Shapes: the vendor's API reference, "Responses" and "Streaming events": items that are added, filled part by part and done, every event with
a `sequence_number`; the last one holds the whole response. There is no `[DONE]`.
"""

from collections.abc import Callable, Iterator
from itertools import count

from msgspec import Struct

from trunkline.mock.call import Call
from trunkline.mock.content import CREATED, PIXEL, Content, compose, encode, slices
from trunkline.mock.fields import sequence
from trunkline.mock.reply import Manner, PartKind, Refusal, Reply, json_reply
from trunkline.mock.script import Answer, Pace
from trunkline.mock.seals import envelope
from trunkline.mock.writing.stream import Event, headers_of, named_event, streamed

_ECHOED: dict[str, object] = {
    "instructions": None,
    "max_output_tokens": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "reasoning": {"effort": None, "summary": None},
    "service_tier": "default",
    "store": True,
    "temperature": 1.0,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}
"""What a response repeats of its request, with the defaults."""

INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}
"""The reasons of a response that is `incomplete`, by the neutral finish."""

_Delta = tuple[PartKind, dict[str, object]]


class _Item(Struct, frozen=True, kw_only=True):
    """An output item: as it is added, what is told of it, and whole. The events lack their output index and item id."""

    added: dict[str, object]
    events: tuple[_Delta, ...]
    done: dict[str, object]


def _filler(text: str) -> object:
    return {
        "type": "response.output_text.delta",
        "sequence_number": 4,
        "item_id": "msg",
        "output_index": 0,
        "content_index": 0,
        "delta": text,
    }


def _failure(refusal: Refusal) -> bytes:
    code = refusal.code or ("rate_limit_exceeded" if refusal.status == 429 else "server_error")
    told = {"code": code, "message": refusal.message}
    error = named_event({"type": "error", "sequence_number": 90, **told, "param": refusal.param or None})
    failed = {
        "id": "resp_mock",
        "object": "response",
        "created_at": CREATED,
        "status": "failed",
        "error": told,
        "output": [],
        "usage": None,
    }
    return error + named_event({"type": "response.failed", "sequence_number": 91, "response": failed})


MANNER = Manner(
    shape="openai",
    frame=lambda payload: b"event: response.output_text.delta\ndata: " + payload + b"\n\n",
    filler=_filler,
    failure=_failure,
)


def _reasoning(content: Content, call: Call, serial: int) -> _Item:
    """A reasoning item with a summary; encrypted where the request includes that."""
    whole = content.whole_reasoning
    part = {"type": "summary_text", "text": whole}
    at = {"summary_index": 0}
    base: dict[str, object] = {"id": f"rs_mock{serial:08d}", "type": "reasoning"}
    if "reasoning.encrypted_content" in sequence(call.asked.body.get("include")):
        base["encrypted_content"] = content.signed or envelope(content.redacted or whole, kind="encrypted", realm=content.realm)
    deltas: list[_Delta] = [
        ("content", {"type": "response.reasoning_summary_text.delta", **at, "delta": piece}) for piece in content.reasoning
    ]
    events: list[_Delta] = [
        ("open", {"type": "response.reasoning_summary_part.added", **at, "part": {"type": "summary_text", "text": ""}}),
        *deltas,
        ("close", {"type": "response.reasoning_summary_text.done", **at, "text": whole}),
        ("close", {"type": "response.reasoning_summary_part.done", **at, "part": part}),
    ]
    return _Item(added={**base, "summary": []}, events=tuple(events if whole else ()), done={**base, "summary": [part] if whole else []})


def _annotations(content: Content) -> list[dict[str, object]]:
    return [
        {"type": "url_citation", "url": made.url, "title": made.title, "start_index": made.start, "end_index": made.end}
        for made in content.citations
    ]


def _text_events(content: Content, at: int) -> Iterator[_Delta]:
    empty = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    whole = {**empty, "text": content.whole_text, "annotations": _annotations(content)}
    where = {"content_index": at}
    yield "open", {"type": "response.content_part.added", **where, "part": empty}
    for piece in content.text:
        yield "content", {"type": "response.output_text.delta", **where, "delta": piece, "logprobs": []}
    for index, annotation in enumerate(_annotations(content)):
        yield "content", {"type": "response.output_text.annotation.added", **where, "annotation_index": index, "annotation": annotation}
    yield "close", {"type": "response.output_text.done", **where, "text": content.whole_text, "logprobs": []}
    yield "close", {"type": "response.content_part.done", **where, "part": whole}


def _refusal_events(content: Content, at: int) -> Iterator[_Delta]:
    where = {"content_index": at}
    yield "open", {"type": "response.content_part.added", **where, "part": {"type": "refusal", "refusal": ""}}
    yield "content", {"type": "response.refusal.delta", **where, "delta": content.refusal}
    yield "close", {"type": "response.refusal.done", **where, "refusal": content.refusal}
    yield "close", {"type": "response.content_part.done", **where, "part": {"type": "refusal", "refusal": content.refusal}}


def _message(content: Content, serial: int) -> _Item:
    events: list[_Delta] = []
    if content.text:
        events += _text_events(content, 0)
    if content.refusal:
        events += _refusal_events(content, 1 if content.text else 0)
    parts = [event["part"] for _, event in events if event["type"] == "response.content_part.done"]
    base: dict[str, object] = {"id": f"msg_mock{serial:08d}", "type": "message", "role": "assistant"}
    status = "incomplete" if content.ending in INCOMPLETE and not content.refusal else "completed"
    return _Item(
        added={**base, "status": "in_progress", "content": []},
        events=tuple(events),
        done={**base, "status": status, "content": parts},
    )


def _function_call(content: Content, answer: Answer, serial: int, index: int) -> _Item:
    made = content.tool_calls[index]
    base: dict[str, object] = {
        "id": f"fc_mock{serial:08d}{index:02d}",
        "type": "function_call",
        "call_id": made.id or f"call_{serial:08d}{index:02d}",
        "name": made.name,
    }
    kind = "response.function_call_arguments"
    deltas: list[_Delta] = [("content", {"type": f"{kind}.delta", "delta": piece}) for piece in slices(made.arguments, answer.tool_pieces)]
    return _Item(
        added={**base, "status": "in_progress", "arguments": ""},
        events=(*deltas, ("close", {"type": f"{kind}.done", "arguments": made.arguments, "name": made.name})),
        done={**base, "status": "completed", "arguments": made.arguments},
    )


def _image(serial: int, index: int) -> _Item:
    base: dict[str, object] = {"id": f"ig_mock{serial:08d}{index:02d}", "type": "image_generation_call"}
    steps: tuple[_Delta, ...] = tuple(
        ("open", {"type": f"response.image_generation_call.{step}"}) for step in ("in_progress", "generating", "completed")
    )
    return _Item(
        added={**base, "status": "in_progress", "result": None},
        events=steps,
        done={**base, "status": "completed", "result": PIXEL, "output_format": "png"},
    )


def _items(content: Content, answer: Answer, call: Call, serial: int) -> list[_Item]:
    items = [_reasoning(content, call, serial)] if content.reasoning or content.redacted else []
    if content.text or content.refusal:
        items.append(_message(content, serial))
    items += [_image(serial, index) for index in range(content.images)]
    return items + [_function_call(content, answer, serial, index) for index in range(len(content.tool_calls))]


def _usage(content: Content, answer: Answer) -> dict[str, object] | None:
    if answer.usage is not None or answer.usage_place == "never":
        return answer.usage
    spent = content.spent
    return {
        "input_tokens": spent.prompt,
        "input_tokens_details": {"cached_tokens": spent.cached, "cache_write_tokens": spent.written + spent.written_1h},
        "output_tokens": spent.completion,
        "output_tokens_details": {"reasoning_tokens": spent.reasoning},
        "total_tokens": spent.prompt + spent.completion,
    }


def _snapshot(call: Call, answer: Answer, serial: int) -> dict[str, object]:
    """The response as it is when it begins."""
    asked = call.asked.body
    return {
        "id": f"resp_mock{serial:08d}",
        "object": "response",
        "created_at": CREATED,
        "status": "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        **{key: asked[key] if asked.get(key) is not None else default for key, default in _ECHOED.items()},
        "model": answer.model or call.model,
        "output": [],
        "usage": None,
        **answer.extra,
    }


def _ended(call: Call, answer: Answer, content: Content, items: list[_Item], serial: int) -> dict[str, object]:
    """The response as it is at its end: completed, incomplete, or failed."""
    finish = content.finish
    status = "incomplete" if finish in INCOMPLETE else "failed" if finish == "error" else "completed"
    status = finish if finish in ("failed", "cancelled", "incomplete") else status
    return _snapshot(call, answer, serial) | {
        "status": status,
        "error": {"code": "server_error", "message": "The mock failed."} if status == "failed" else None,
        "incomplete_details": {"reason": INCOMPLETE.get(finish, finish)} if status == "incomplete" else None,
        "output": [item.done for item in items],
        "usage": _usage(content, answer),
    }


def _item_events(item: _Item, index: int, tell: Callable[[dict[str, object]], bytes]) -> Iterator[Event]:
    head = {"output_index": index}
    where = {"item_id": item.done["id"], **head}
    yield "open", tell({"type": "response.output_item.added", **head, "item": item.added})
    for kind, event in item.events:
        yield kind, tell({"type": event["type"], **where, **event})
    said = any(kind == "content" for kind, _ in item.events)
    yield "close" if said else "content", tell({"type": "response.output_item.done", **head, "item": item.done})


def _events(call: Call, answer: Answer, serial: int) -> Iterator[Event]:
    content = compose(call, answer)
    items = _items(content, answer, call, serial)
    numbers = count()

    def tell(event: dict[str, object]) -> bytes:
        return named_event({"type": event["type"], "sequence_number": next(numbers), **event})

    begun = _snapshot(call, answer, serial)
    yield "role", tell({"type": "response.created", "response": begun})
    yield "role", tell({"type": "response.in_progress", "response": begun})
    for index, item in enumerate(items):
        yield from _item_events(item, index, tell)
    ended = _ended(call, answer, content, items, serial)
    yield "done", tell({"type": f"response.{ended['status']}", "response": ended})


def write(call: Call, answer: Answer, pace: Pace, *, serial: int) -> Reply:
    """The reply to a call of Responses, streaming or not."""
    if call.stream:
        return streamed(_events(call, answer, serial), pace, headers=headers_of(answer, serial))
    content = compose(call, answer)
    ended = _ended(call, answer, content, _items(content, answer, call, serial), serial)
    return json_reply(encode(ended), headers=headers_of(answer, serial))
