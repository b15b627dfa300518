"""Amazon's Converse, whole and as a binary event stream.

Shapes: the vendor's API reference, "Converse" and "ConverseStream". Blocks of text and reasoning are not opened, only those of tools; each
payload is padded with `p`; the usage comes in `metadata`, after the stop.
"""

import base64
from collections.abc import Iterator

from trunkline.mock.call import Call
from trunkline.mock.content import PIXEL, Content, Made, compose, encode, slices
from trunkline.mock.eventstream import event, exception
from trunkline.mock.refusals import body, exception_of
from trunkline.mock.reply import Manner, PartKind, Refusal, Reply, json_reply
from trunkline.mock.script import Answer, Pace
from trunkline.mock.seals import envelope, seal
from trunkline.mock.writing.stream import Event, headers_of, streamed

STOPS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "content_filtered",
    "error": "malformed_model_output",
}
"""The vendor's words for the neutral ones."""

MEDIA = "application/vnd.amazon.eventstream"
_PADDING = "abcdefghijklmnopqrstuvwxyz"


def _failure(refusal: Refusal) -> bytes:
    name = exception_of(refusal)
    return exception(name[0].lower() + name[1:], body(refusal, "aws"))


MANNER = Manner(
    shape="aws",
    frame=lambda payload: event("contentBlockDelta", payload),
    filler=lambda text: {"contentBlockIndex": 0, "delta": {"text": text}},
    failure=_failure,
    heartbeat=event("mockHeartbeat", b"{}"),
)


def _thoughts(content: Content) -> Iterator[dict[str, object]]:
    if content.reasoning:
        whole = content.whole_reasoning
        signature = content.signed or seal(whole, kind="thinking", realm=content.realm)
        yield {"reasoningContent": {"reasoningText": {"text": whole, "signature": signature}}}
    if content.redacted:
        yield {"reasoningContent": {"redactedContent": _redacted(content)}}


def _redacted(content: Content) -> str:
    """Bytes in the vendor's type, so the opaque text is in base64 once more."""
    return base64.b64encode(envelope(content.redacted, kind="redacted", realm=content.realm).encode()).decode()


def _call_id(made: Made, serial: int, index: int) -> str:
    return made.id or f"tooluse_mock{serial:08d}{index:02d}"


def _said(content: Content) -> tuple[str, ...]:
    return content.text + ((content.refusal,) if content.refusal else ())


def _blocks(content: Content, serial: int) -> Iterator[dict[str, object]]:
    yield from _thoughts(content)
    if _said(content):
        yield {"text": "".join(_said(content))}
    for _ in range(content.images):
        yield {"image": {"format": "png", "source": {"bytes": PIXEL}}}
    for index, made in enumerate(content.tool_calls):
        value = made.value if made.arguments else {}
        yield {"toolUse": {"toolUseId": _call_id(made, serial, index), "name": made.name, "input": value}}


def _usage(content: Content, answer: Answer) -> dict[str, object]:
    """The vendor's usage: the input leaves the cache out, the total has it."""
    if answer.usage is not None:
        return answer.usage
    spent = content.spent
    usage: dict[str, object] = {
        "inputTokens": spent.fresh,
        "outputTokens": spent.completion,
        "totalTokens": spent.prompt + spent.completion,
    }
    written = spent.written + spent.written_1h
    if spent.cached or written:
        usage |= {"cacheReadInputTokens": spent.cached, "cacheWriteInputTokens": written}
    if spent.written_1h:
        details = {"5m": spent.written, "1h": spent.written_1h}
        usage["cacheDetails"] = [{"ttl": ttl, "inputTokens": tokens} for ttl, tokens in details.items() if tokens]
    return usage


def _deltas(content: Content, answer: Answer, serial: int) -> Iterator[tuple[dict[str, object] | None, list[dict[str, object]]]]:
    """For each block what opens it, None for blocks that are not opened, and its deltas."""
    if content.reasoning:
        signature = content.signed or seal(content.whole_reasoning, kind="thinking", realm=content.realm)
        thoughts: list[dict[str, object]] = [{"reasoningContent": {"text": piece}} for piece in content.reasoning]
        yield None, [*thoughts, {"reasoningContent": {"signature": signature}}]
    if content.redacted:
        yield None, [{"reasoningContent": {"redactedContent": _redacted(content)}}]
    if _said(content):
        yield None, [{"text": piece} for piece in _said(content)]
    for index, made in enumerate(content.tool_calls):
        opened: dict[str, object] = {"toolUse": {"toolUseId": _call_id(made, serial, index), "name": made.name}}
        yield opened, [{"toolUse": {"input": piece}} for piece in slices(made.arguments, answer.tool_pieces)]


def _frames(content: Content, answer: Answer, serial: int) -> Iterator[tuple[PartKind, str, dict[str, object]]]:
    """Kind of part, kind of event, payload."""
    yield "role", "messageStart", {"role": "assistant"}
    for index, (opened, deltas) in enumerate(_deltas(content, answer, serial)):
        where: dict[str, object] = {"contentBlockIndex": index}
        if opened is not None:
            yield "open" if deltas else "content", "contentBlockStart", {**where, "start": opened}
        for delta in deltas:
            yield "content", "contentBlockDelta", {**where, "delta": delta}
        yield "close", "contentBlockStop", where
    yield "finish", "messageStop", {"stopReason": STOPS.get(content.ending, content.ending)}
    if answer.usage_place != "never":
        yield "usage", "metadata", {"usage": _usage(content, answer), "metrics": {"latencyMs": 1}, **answer.extra}


def _events(content: Content, answer: Answer, serial: int) -> Iterator[Event]:
    for number, (kind, name, payload) in enumerate(_frames(content, answer, serial)):
        yield kind, event(name, encode({**payload, "p": _PADDING[: number % len(_PADDING) + 1]}))


def write(call: Call, answer: Answer, pace: Pace, *, serial: int) -> Reply:
    """The reply to `/converse` or `/converse-stream`."""
    content = compose(call, answer)
    headers = headers_of(answer, serial, "x-amzn-requestid")
    if call.stream:
        return streamed(_events(content, answer, serial), pace, headers=headers, media=MEDIA)
    reply: dict[str, object] = {
        "metrics": {"latencyMs": 1},
        "output": {"message": {"role": "assistant", "content": list(_blocks(content, serial))}},
        "stopReason": STOPS.get(content.ending, content.ending),
        **answer.extra,
    }
    if answer.usage_place != "never":
        reply["usage"] = _usage(content, answer)
    return json_reply(encode(reply), headers=headers)
