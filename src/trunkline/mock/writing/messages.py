"""Anthropic's Messages, whole and as a stream.

Shapes: the vendor's API reference, "Messages", "Streaming messages" and "Extended thinking": blocks that are opened, filled and closed one
after the other; `message_start` tells the input's usage and a placeholder for the output's, `message_delta` the final numbers.
"""

from collections.abc import Iterator

from msgspec import Struct

from trunkline.mock.call import Call
from trunkline.mock.content import Content, Made, compose, encode, slices
from trunkline.mock.refusals import body
from trunkline.mock.reply import Manner, Refusal, Reply, json_reply
from trunkline.mock.script import Answer, Pace
from trunkline.mock.seals import envelope, seal
from trunkline.mock.writing.stream import Event, headers_of, named_event, streamed

STOPS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal", "error": "error"}
"""The vendor's words for the neutral ones."""


class _Block(Struct, frozen=True, kw_only=True):
    """A block: whole, as it is opened, and the deltas between."""

    whole: dict[str, object]
    opened: dict[str, object]
    deltas: tuple[dict[str, object], ...] = ()


def _filler(text: str) -> object:
    return {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}


def _failure(refusal: Refusal) -> bytes:
    return b"event: error\ndata: " + body(refusal, "anthropic") + b"\n\n"


MANNER = Manner(
    shape="anthropic",
    frame=lambda payload: b"event: content_block_delta\ndata: " + payload + b"\n\n",
    filler=_filler,
    failure=_failure,
    heartbeat=named_event({"type": "ping"}),
)


def _thinking(content: Content) -> Iterator[_Block]:
    if content.reasoning:
        whole = content.whole_reasoning
        signature = content.signed or seal(whole, kind="thinking", realm=content.realm)
        deltas: list[dict[str, object]] = [{"type": "thinking_delta", "thinking": piece} for piece in content.reasoning]
        yield _Block(
            whole={"type": "thinking", "thinking": whole, "signature": signature},
            opened={"type": "thinking", "thinking": "", "signature": ""},
            deltas=(*deltas, {"type": "signature_delta", "signature": signature}),
        )
    if content.redacted:
        block: dict[str, object] = {"type": "redacted_thinking", "data": envelope(content.redacted, kind="redacted", realm=content.realm)}
        yield _Block(whole=block, opened=block)


def _citation(content: Content, index: int) -> dict[str, object]:
    made = content.citations[index]
    return {
        "type": "web_search_result_location",
        "url": made.url,
        "title": made.title,
        "cited_text": content.whole_text[made.start : made.end],
        "encrypted_index": f"mock{index}",
    }


def _text(content: Content) -> Iterator[_Block]:
    said = content.text + ((content.refusal,) if content.refusal else ())
    if not said:
        return
    cited = [_citation(content, index) for index in range(len(content.citations))]
    whole: dict[str, object] = {"type": "text", "text": "".join(said)}
    deltas: list[dict[str, object]] = [{"type": "text_delta", "text": piece} for piece in said]
    deltas += [{"type": "citations_delta", "citation": citation} for citation in cited]
    yield _Block(whole=whole | ({"citations": cited} if cited else {}), opened={"type": "text", "text": ""}, deltas=tuple(deltas))


def _tool(made: Made, answer: Answer, serial: int, index: int) -> _Block:
    head: dict[str, object] = {"type": "tool_use", "id": made.id or f"toolu_mock{serial:08d}{index:02d}", "name": made.name}
    found: list[dict[str, object]] = [
        {"type": "input_json_delta", "partial_json": piece} for piece in ("", *slices(made.arguments, answer.tool_pieces))
    ]
    return _Block(whole={**head, "input": made.value if made.arguments else {}}, opened={**head, "input": {}}, deltas=tuple(found))


def _blocks(content: Content, answer: Answer, serial: int) -> tuple[_Block, ...]:
    tools = (_tool(made, answer, serial, index) for index, made in enumerate(content.tool_calls))
    return (*_thinking(content), *_text(content), *tools)


def _usage(content: Content, answer: Answer, *, output: int | None = None) -> dict[str, object]:
    """The vendor's usage, whose input tokens leave the cache out. `output` replaces the count of output tokens."""
    if answer.usage is not None:
        return answer.usage
    spent = content.spent
    return {
        "input_tokens": spent.fresh,
        "cache_creation_input_tokens": spent.written + spent.written_1h,
        "cache_read_input_tokens": spent.cached,
        "cache_creation": {"ephemeral_5m_input_tokens": spent.written, "ephemeral_1h_input_tokens": spent.written_1h},
        "output_tokens": spent.completion if output is None else output,
        "service_tier": "standard",
    }


def _message(call: Call, answer: Answer, serial: int) -> dict[str, object]:
    return {
        "id": f"msg_mock{serial:08d}",
        "type": "message",
        "role": "assistant",
        "model": answer.model or call.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        **answer.extra,
    }


def _whole(call: Call, answer: Answer, serial: int) -> Reply:
    content = compose(call, answer)
    message = _message(call, answer, serial)
    message["content"] = [block.whole for block in _blocks(content, answer, serial)]
    message["stop_reason"] = STOPS.get(content.ending, content.ending)
    if answer.usage_place != "never":
        message["usage"] = _usage(content, answer)
    return json_reply(encode(message), headers=headers_of(answer, serial, "request-id"))


def _block_events(blocks: tuple[_Block, ...]) -> Iterator[Event]:
    for index, block in enumerate(blocks):
        opening: Event = ("open", named_event({"type": "content_block_start", "index": index, "content_block": block.opened}))
        yield opening if block.deltas else ("content", opening[1])
        if index == 0:
            yield "comment", named_event({"type": "ping"})
        for delta in block.deltas:
            yield "content", named_event({"type": "content_block_delta", "index": index, "delta": delta})
        yield "close", named_event({"type": "content_block_stop", "index": index})


def _events(call: Call, answer: Answer, serial: int) -> Iterator[Event]:
    content = compose(call, answer)
    quiet = answer.usage_place == "never"
    start = _message(call, answer, serial) | ({} if quiet else {"usage": _usage(content, answer, output=1)})
    yield "role", named_event({"type": "message_start", "message": start})
    yield from _block_events(_blocks(content, answer, serial))
    ending = {"stop_reason": STOPS.get(content.ending, content.ending), "stop_sequence": None}
    usage = {} if quiet else {"usage": _final_usage(content, answer)}
    yield "finish", named_event({"type": "message_delta", "delta": ending, **usage})
    yield "done", named_event({"type": "message_stop"})


def _final_usage(content: Content, answer: Answer) -> dict[str, object]:
    """The usage of `message_delta`: cumulative, without the split of cache writes."""
    usage = dict(_usage(content, answer))
    if answer.usage is None:
        del usage["cache_creation"], usage["service_tier"]
    return usage


def write(call: Call, answer: Answer, pace: Pace, *, serial: int) -> Reply:
    """The reply to a call of Messages, streaming or not."""
    if not call.stream:
        return _whole(call, answer, serial)
    return streamed(_events(call, answer, serial), pace, headers=headers_of(answer, serial, "request-id"))


def count_tokens(call: Call, answer: Answer, _pace: Pace, *, serial: int) -> Reply:
    """The reply of `POST …/messages/count_tokens`: the words of the request, or the scripted prompt tokens."""
    spent = compose(call, answer).spent
    return json_reply(encode({"input_tokens": spent.prompt}), headers=headers_of(answer, serial, "request-id"))
