"""Google's generateContent at AI Studio and Vertex, whole and as a stream.

Shapes: the vendor's API reference, "Generating content" and "Thought signatures". A stream is a row of whole responses, with the usage so
far in each, separated by CRLF CRLF, and without an end marker; without `alt=sse` it is one JSON array.
"""

from collections.abc import Iterator

from trunkline.mock.call import Call
from trunkline.mock.content import PIXEL, Content, Made, compose, encode
from trunkline.mock.fields import mapping
from trunkline.mock.refusals import body
from trunkline.mock.reply import Manner, PartKind, Refusal, Reply, json_reply
from trunkline.mock.script import Answer, Pace
from trunkline.mock.seals import seal
from trunkline.mock.writing.stream import Event, headers_of, streamed

STOPS = {"stop": "STOP", "length": "MAX_TOKENS", "tool_calls": "STOP", "content_filter": "SAFETY", "error": "OTHER"}
"""The vendor's words for the neutral ones."""


def _frame(payload: bytes) -> bytes:
    return b"data: " + payload + b"\r\n\r\n"


def _filler(text: str) -> object:
    return {"candidates": [{"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}]}


def _failure(refusal: Refusal) -> bytes:
    return _frame(body(refusal, "google"))


MANNER = Manner(shape="google", frame=_frame, filler=_filler, failure=_failure, heartbeat=b": mock is thinking\r\n\r\n")


def _call_part(made: Made, content: Content, *, first: bool) -> dict[str, object]:
    """A function call in one part. The signature stands at the first of parallel calls only."""
    told: dict[str, object] = {"name": made.name, "args": made.value if made.arguments else {}}
    part: dict[str, object] = {"functionCall": told | ({"id": made.id} if made.id else {})}
    if first:
        part["thoughtSignature"] = content.signed or seal(made.name, kind="thought", realm=content.realm)
    return part


def _parts(content: Content) -> Iterator[dict[str, object]]:
    """Every part in its stream pieces: thoughts, text, pictures, calls. With thoughts and no call the last text has the signature."""
    for piece in content.reasoning:
        yield {"text": piece, "thought": True}
    said = content.text + ((content.refusal,) if content.refusal else ())
    signed = bool(content.reasoning) and not content.tool_calls
    for index, piece in enumerate(said):
        part: dict[str, object] = {"text": piece}
        if signed and index == len(said) - 1:
            part["thoughtSignature"] = content.signed or seal("", kind="thought", realm=content.realm)
        yield part
    for _ in range(content.images):
        yield {"inlineData": {"mimeType": "image/png", "data": PIXEL}}
    for index, made in enumerate(content.tool_calls):
        yield _call_part(made, content, first=index == 0)


def _folded(parts: Iterator[dict[str, object]]) -> list[dict[str, object]]:
    """The parts with neighbouring texts of one kind as one."""
    folded: list[dict[str, object]] = []
    for part in parts:
        last = folded[-1] if folded else {}
        if "text" in part and "text" in last and part.get("thought") == last.get("thought"):
            folded[-1] = {**last, **part, "text": f"{last['text']}{part['text']}"}
        else:
            folded.append(part)
    return folded


def _usage(content: Content, answer: Answer, *, said: int | None = None, thought: int | None = None) -> dict[str, object]:
    """`usageMetadata`: candidates and thoughts are counted apart; the cache is inside the prompt. `said` and `thought`: the tokens so
    far."""
    if answer.usage is not None:
        return answer.usage
    spent = content.spent
    thoughts = spent.reasoning if thought is None else thought
    candidates = spent.completion - spent.reasoning if said is None else said
    usage: dict[str, object] = {"promptTokenCount": spent.prompt}
    usage |= {"candidatesTokenCount": candidates} if candidates else {}
    usage["totalTokenCount"] = spent.prompt + candidates + thoughts
    usage |= {"cachedContentTokenCount": spent.cached} if spent.cached else {}
    usage["promptTokensDetails"] = [{"modality": "TEXT", "tokenCount": spent.prompt}]
    return usage | ({"thoughtsTokenCount": thoughts} if thoughts else {})


def _grounding(content: Content) -> dict[str, object]:
    """`groundingMetadata` for the citations."""
    if not content.citations:
        return {}
    supports = [
        {
            "segment": {"startIndex": made.start, "endIndex": made.end, "text": content.whole_text[made.start : made.end]},
            "groundingChunkIndices": [index],
        }
        for index, made in enumerate(content.citations)
    ]
    chunks = [{"web": {"uri": made.url, "title": made.title}} for made in content.citations]
    return {"groundingMetadata": {"groundingChunks": chunks, "groundingSupports": supports, "webSearchQueries": ["mock"]}}


def _response(
    call: Call, answer: Answer, serial: int, parts: list[dict[str, object]], usage: dict[str, object] | None, **candidate: object
) -> dict[str, object]:
    content = {"content": {"parts": parts, "role": "model"}} if parts else {}
    metadata = {"usageMetadata": usage} if usage is not None else {}
    return {
        "candidates": [{**content, **candidate, "index": 0}],
        **metadata,
        "modelVersion": answer.model or call.model,
        "responseId": f"mock{serial:08d}",
        **answer.extra,
    }


def _blocked(answer: Answer, content: Content) -> dict[str, object]:
    """A prompt that was refused: no candidate at all."""
    return {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": _usage(content, answer), **answer.extra}


def _chunks(call: Call, answer: Answer, serial: int) -> Iterator[tuple[PartKind, dict[str, object]]]:
    """The responses of a stream, the usage so far in each, the finish in the last one."""
    content = compose(call, answer)
    if answer.finish_reason == "blocked":
        yield "finish", _blocked(answer, content)
        return
    quiet = answer.usage_place == "never"
    said = thought = 0
    for part in _parts(content):
        thought += 1 if part.get("thought") else 0
        said += 0 if part.get("thought") else 1
        so_far = None if quiet else _usage(content, answer, said=said, thought=min(thought, content.spent.reasoning))
        yield "content", _response(call, answer, serial, [part], so_far)
    usage = None if quiet else _usage(content, answer)
    stop = STOPS.get(content.ending, content.ending)
    yield "finish", _response(call, answer, serial, [{"text": ""}], usage, finishReason=stop, **_grounding(content))


def _array(chunks: Iterator[tuple[PartKind, dict[str, object]]]) -> Iterator[Event]:
    """A stream without `alt=sse`: the same responses as one JSON array."""
    mark = b"["
    for kind, chunk in chunks:
        yield kind, mark + encode(chunk)
        mark = b",\r\n"
    yield "done", b"]"


def write(call: Call, answer: Answer, pace: Pace, *, serial: int) -> Reply:
    """The reply to `:generateContent`, or to `:streamGenerateContent` with and without `alt=sse`."""
    headers = headers_of(answer, serial, "x-goog-request-id")
    if not call.stream:
        content = compose(call, answer)
        if answer.finish_reason == "blocked":
            return json_reply(encode(_blocked(answer, content)), headers=headers)
        usage = None if answer.usage_place == "never" else _usage(content, answer)
        parts = _folded(_parts(content))
        stop = STOPS.get(content.ending, content.ending)
        return json_reply(encode(_response(call, answer, serial, parts, usage, finishReason=stop, **_grounding(content))), headers=headers)
    chunks = _chunks(call, answer, serial)
    if mapping(call.asked.query).get("alt") != "sse":
        return streamed(_array(chunks), pace, headers=headers, media="application/json; charset=UTF-8")
    return streamed(((kind, _frame(encode(chunk))) for kind, chunk in chunks), pace, headers=headers, media="text/event-stream")


def count_tokens(call: Call, answer: Answer, _pace: Pace, *, serial: int) -> Reply:
    """The reply of `:countTokens`."""
    spent = compose(call, answer).spent
    details = [{"modality": "TEXT", "tokenCount": spent.prompt}]
    told = {"totalTokens": spent.prompt, "promptTokensDetails": details}
    return json_reply(encode(told), headers=headers_of(answer, serial, "x-goog-request-id"))
