from typing import Any

import msgspec
import pytest
from endpoints import PLAIN
from grammar_chat import ChatGrammar, Illegal, read
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw

from trunkline.dialects.chat.decoder import ChatDecoder
from trunkline.dialects.chat.encoder import ChatEncoder
from trunkline.dialects.chat.request import ChatRequest, parse
from trunkline.dialects.chat.turns import conversation
from trunkline.dialects.hub.answer import Answer, fold
from trunkline.dialects.hub.conversation import Conversation, Opaque, Reasoning, Text, ToolCall
from trunkline.dialects.hub.events import (
    BlockKind,
    BlockStart,
    BlockStop,
    Delta,
    DeltaKind,
    Event,
    Finish,
    Media,
    OpaqueEvent,
    Start,
    UsageSeen,
)
from trunkline.dialects.hub.translation import Identity
from trunkline.errors import ApiError
from trunkline.protocol.usage import Cost, Usage

IDENTITY = Identity("gen-1-x", "a/b", "P", 7)
PLAIN_REQUEST = ChatRequest(fields={})
USAGE, COST = Usage(input_total=3, output_total=2), Cost(total=5_000_000)


def streamed(events: list[Event], request: ChatRequest = PLAIN_REQUEST, *, metadata: bytes | None = None) -> ChatGrammar:
    """The stream of these events, read by the grammar; event by event it must say the same."""
    one, slow = ChatEncoder(IDENTITY, request), ChatEncoder(IDENTITY, request)
    answer = fold(events)
    data = one.feed(events) + one.finish(answer, USAGE, COST, metadata=metadata)
    single = b"".join(slow.feed([event]) for event in events) + slow.finish(answer, USAGE, COST, metadata=metadata)
    legacy = request.legacy == "text"
    assert _said(read(single, legacy=legacy)) == _said(read(data, legacy=legacy))
    return read(data, legacy=legacy)


def _said(grammar: ChatGrammar) -> object:
    return {key: value for key, value in vars(grammar).items() if not key.startswith("_")}


def whole(events: list[Event], request: ChatRequest = PLAIN_REQUEST, *, metadata: bytes | None = None) -> dict[str, Any]:
    body = msgspec.json.decode(ChatEncoder(IDENTITY, request).whole(fold(events), USAGE, COST, metadata=metadata))
    assert isinstance(body, dict)
    return body


def block(index: int, kind: BlockKind, *deltas: tuple[DeltaKind, str], **start: Any) -> list[Event]:
    return [BlockStart(index, kind, **start), *(Delta(index, what, text) for what, text in deltas), BlockStop(index)]


TEXT = block(0, "text", ("text", "Hel"), ("text", "lo"))
STOP = Finish("stop", "end_turn")


def test_a_stream_has_the_shape_of_the_contract() -> None:
    encoder = ChatEncoder(IDENTITY, PLAIN_REQUEST)
    events: list[Event] = [Start("up"), *TEXT, STOP, UsageSeen({}, "flex")]
    assert encoder.feed(events[:2]) == b""
    lead = b'data: {"id":"gen-1-x","object":"chat.completion.chunk","created":7,"model":"a/b","provider":"P",'
    rest = b',"finish_reason":null,"native_finish_reason":null}]}\n\n'
    assert encoder.feed(events[2:]) == (
        lead + b'"choices":[{"index":0,"delta":{"role":"assistant","content":"Hel"}' + rest
        + lead + b'"choices":[{"index":0,"delta":{"content":"lo"}' + rest
    )  # fmt: skip
    last = encoder.finish(fold(events), USAGE, COST)
    ending = b'"choices":[{"index":0,"delta":{"content":""},"finish_reason":"stop","native_finish_reason":"end_turn"}]}\n\n'
    assert last.startswith(lead + ending + lead + b'"service_tier":"flex","choices":[],"usage":{"prompt_tokens":3')
    assert last.endswith(b"}\n\ndata: [DONE]\n\n")
    assert msgspec.json.decode(last.split(b"\n\n")[1][6:])["usage"]["cost"] == 5e-06


def test_a_body_has_the_shape_of_the_contract() -> None:
    body = whole([Start("up"), *TEXT, STOP, UsageSeen({}, "flex")], metadata=b'{"attempt":1}')
    usage = body.pop("usage")
    assert usage["total_tokens"] == 5
    message = {"role": "assistant", "content": "Hello", "refusal": None, "reasoning": None}
    assert body == {
        **{"id": "gen-1-x", "object": "chat.completion", "created": 7, "model": "a/b", "provider": "P"},
        **{"system_fingerprint": None, "service_tier": "flex", "openrouter_metadata": {"attempt": 1}},
        "choices": [{"index": 0, "finish_reason": "stop", "native_finish_reason": "end_turn", "message": message, "logprobs": None}],
    }


THOUGHT = [
    *block(0, "reasoning", ("text", "a"), ("text", "b"), ("signature", "S+/="), format="anthropic-claude-v1"),
    *block(1, "reasoning", ("signature", "only"), format="anthropic-claude-v1"),
    *block(2, "reasoning", ("data", "redacted"), format="anthropic-claude-v1"),
    *block(3, "reasoning", ("summary", "s"), ("data", "gA=="), format="openai-responses-v1", id="rs_1"),
    *block(4, "text", ("text", "x")),
    STOP,
]
DETAILS = [
    {"type": "reasoning.text", "text": "ab", "signature": "S+/=", "format": "anthropic-claude-v1", "index": 0},
    {"type": "reasoning.text", "text": "", "signature": "only", "format": "anthropic-claude-v1", "index": 1},
    {"type": "reasoning.encrypted", "data": "redacted", "format": "anthropic-claude-v1", "index": 2},
    {"type": "reasoning.summary", "summary": "s", "id": "rs_1", "format": "openai-responses-v1", "index": 3},
    {"type": "reasoning.encrypted", "data": "gA==", "id": "rs_1", "format": "openai-responses-v1", "index": 3},
]


def test_bug_01_details_carry_signatures_through_the_client_and_back() -> None:
    message = whole(list(THOUGHT))["choices"][0]["message"]
    assert message["reasoning_details"] == DETAILS
    assert message["reasoning"] == "abs"
    stream = streamed(list(THOUGHT))
    assert stream.reasoning == "abs"
    assert [{"text": "", **item} if item["type"] == "reasoning.text" else item for item in stream.details] == DETAILS
    for details in (message["reasoning_details"], stream.details):
        back = {"role": "assistant", "content": "x", "reasoning_details": details}
        turn = conversation(parse(msgspec.json.encode({"messages": [back]}))).turns[0]
        assert turn.blocks == (
            Reasoning(text="ab", signature="S+/=", format="anthropic-claude-v1", index=0),
            Reasoning(signature="only", format="anthropic-claude-v1", index=1),
            Reasoning(kind="encrypted", data="redacted", format="anthropic-claude-v1", index=2),
            Reasoning(kind="summary", text="s", format="openai-responses-v1", id="rs_1", index=3),
            Reasoning(kind="encrypted", data="gA==", format="openai-responses-v1", id="rs_1", index=3),
            Text(text="x"),
        )


def test_excluded_reasoning_is_not_told() -> None:
    request = ChatRequest(fields={}, reasoning_excluded=True)
    assert (streamed(list(THOUGHT), request).details, streamed(list(THOUGHT), request).reasoning) == ([], "")
    assert whole(list(THOUGHT), request)["choices"][0]["message"] == {
        "role": "assistant",
        "content": "x",
        "refusal": None,
        "reasoning": None,
    }
    assert ChatEncoder(IDENTITY, request).feed(THOUGHT[:3]) == b""


CALLS: list[Event] = [
    *block(0, "text", ("text", "I look")),
    BlockStart(1, "tool_call", "c1", "f"),
    Delta(1, "arguments", '{"a":'),
    BlockStart(2, "tool_call", "c2", "g"),
    Delta(1, "arguments", "1}"),
    BlockStop(2),
    BlockStart(3, "tool_call", "c3", "patch", custom=True),
    Delta(3, "arguments", "*** Begin"),
    Finish("tool_calls", "tool_use"),
]


def test_bug_04_and_05_calls_beside_each_other_are_whole() -> None:
    stream = streamed(list(CALLS))
    assert stream.calls == [
        {"id": "c1", "type": "function", "name": "f", "text": '{"a":1}'},
        {"id": "c2", "type": "function", "name": "g", "text": "{}"},
        {"id": "c3", "type": "custom", "name": "patch", "text": "*** Begin"},
    ]
    assert (stream.content, stream.finish_reason, stream.native) == ("I look", "tool_calls", "tool_use")
    choice = whole(list(CALLS))["choices"][0]
    assert choice["message"]["content"] == "I look"
    assert choice["message"]["tool_calls"] == [
        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}},
        {"id": "c2", "type": "function", "function": {"name": "g", "arguments": "{}"}},
        {"id": "c3", "type": "custom", "custom": {"name": "patch", "input": "*** Begin"}},
    ]


@pytest.mark.parametrize(
    ("finish", "reason"),
    [(Finish("stop", "stop"), "tool_calls"), (Finish("length", "max_tokens"), "length"), (Finish("content_filter"), "content_filter")],
)
def test_bug_06_calls_end_with_tool_calls_unless_cut(finish: Finish, reason: str) -> None:
    events = [*CALLS[3:5], Delta(1, "arguments", "1}"), finish]
    data = ChatEncoder(IDENTITY, PLAIN_REQUEST).finish(fold(events), USAGE, COST)
    assert msgspec.json.decode(data.split(b"\n\n")[0][6:])["choices"][0]["finish_reason"] == reason
    assert whole(events)["choices"][0]["finish_reason"] == reason


def test_bug_08_an_answer_without_text_has_null_content() -> None:
    assert whole([*CALLS[3:6], Finish("tool_calls")])["choices"][0]["message"]["content"] is None


def test_refusals_citations_and_logprobs() -> None:
    entries = '[{"token":"a","logprob":-0.5}]'
    citation = '{"type":"url_citation","url_citation":{"url":"http://x","title":"t","start_index":0,"end_index":1}}'
    events: list[Event] = [
        *block(0, "text", ("annotation", citation), ("text", "a"), ("logprobs", entries), ("logprobs", entries)),
        *block(1, "refusal", ("text", "no")),
        STOP,
    ]
    stream = streamed(events)
    assert (stream.content, stream.refusal) == ("a", "no")
    assert stream.annotations == [msgspec.json.decode(citation)]
    assert stream.logprobs == msgspec.json.decode(entries) * 2
    choice = whole(events)["choices"][0]
    assert choice["logprobs"] == {"content": stream.logprobs, "refusal": None}
    assert choice["message"]["annotations"] == stream.annotations
    assert choice["message"]["refusal"] == "no"


def test_logprobs_ride_in_the_chunk_of_their_text() -> None:
    data = ChatEncoder(IDENTITY, PLAIN_REQUEST).feed(block(0, "text", ("text", "a"), ("logprobs", "[1]")))
    (event,) = data.split(b"\n\n")[:-1]
    assert msgspec.json.decode(event[6:])["choices"][0]["logprobs"] == {"content": [1], "refusal": None}


def test_bug_22_pictures_and_sound() -> None:
    events: list[Event] = [
        Media("image", media_type="image/webp", data="AAAA"),
        Media("image", url="https://x/y"),
        Media("audio", data="AAE=", transcript="he", id="a1"),
        Media("audio", data="Ag==", transcript="llo", id="a1"),
        STOP,
    ]
    stream = streamed(events)
    assert [image["image_url"]["url"] for image in stream.images] == ["data:image/webp;base64,AAAA", "https://x/y"]
    assert stream.audio == b"\0\1\2"
    message = whole(events)["choices"][0]["message"]
    assert message["images"] == stream.images
    assert message["audio"] == {"id": "a1", "data": "AAEC", "transcript": "hello"}
    odd = [Media("audio", data="A"), Media("audio", data="B"), STOP]
    assert whole(list(odd))["choices"][0]["message"]["audio"] == {"data": "AB"}


def test_what_only_other_dialects_know_is_left_out() -> None:
    events: list[Event] = [OpaqueEvent("messages", Raw(b"{}")), *TEXT, STOP]
    assert streamed(events).content == "Hello"
    assert Opaque.__struct_config__.frozen


def test_legacy_text_completions() -> None:
    request = parse(b'{"prompt":"Once"}')
    stream = streamed([*block(0, "reasoning", ("text", "t")), *block(1, "text", ("text", "a"), ("text", "b")), STOP], request)
    assert (stream.content, stream.reasoning) == ("ab", "")
    body = whole([*TEXT, STOP], request)
    assert body["object"] == "text_completion"
    choice = {"index": 0, "finish_reason": "stop", "native_finish_reason": "end_turn", "text": "Hello", "logprobs": None}
    assert body["choices"] == [choice]


def test_bug_14_a_failed_stream_ends_with_an_error_chunk() -> None:
    for legacy in (False, True):
        encoder = ChatEncoder(IDENTITY, parse(b'{"prompt":"Once"}') if legacy else PLAIN_REQUEST)
        data = encoder.feed(TEXT) + encoder.fail(ApiError("provider_unavailable", "gone"))
        stream = read(data, legacy=legacy)
        assert (stream.content, stream.finish_reason) == ("Hello", "error")
        assert stream.error == {"code": 502, "message": "gone", "metadata": {"error_type": "provider_unavailable"}}
        assert stream.usage is None


def test_metadata_rides_the_last_chunk() -> None:
    assert streamed([*TEXT, STOP], metadata=b'{"attempt":1}').metadata == {"attempt": 1}


def test_bug_15_an_answer_of_nothing_is_legal_too() -> None:
    assert streamed([Start("up"), STOP]).content == ""
    assert whole([STOP])["choices"][0]["message"]["content"] is None


def test_pieces_of_unknown_blocks_are_passed_over() -> None:
    assert streamed([Delta(5, "text", "x"), BlockStop(5), BlockStart(0), Delta(0, "text", ""), STOP]).content == ""


@st.composite
def answers(draw: st.DrawFn) -> list[Event]:
    """Legal event lists: blocks in order, calls mixed, one finish."""
    events: list[Event] = [Start("up")]
    kinds = draw(st.lists(st.sampled_from(["text", "reasoning", "refusal", "tool_call", "image"]), min_size=1, max_size=5))
    index = 0
    for kind in kinds:
        if kind == "image":
            events.append(Media("image", media_type="image/png", data="AAAA"))
            continue
        call = {"id": f"c{index}", "name": "f"} if kind == "tool_call" else {}
        pieces = draw(st.lists(st.text(min_size=1, max_size=4), max_size=3))
        if kind == "tool_call":
            pieces = draw(st.sampled_from([[], ["{}"], ["[", "1]"]]))
        sealed = [("signature", "S")] if kind == "reasoning" and draw(st.booleans()) else []
        what = "arguments" if kind == "tool_call" else "text"
        events += block(index, kind, *((what, piece) for piece in pieces), *sealed, **call)  # type: ignore[arg-type, misc]
        index += 1
    called = "tool_call" in kinds
    return [*events, Finish("tool_calls" if called else "stop", "x"), UsageSeen({"a": 1})]


def shape(answer: Answer) -> list[object]:
    """What was said, whatever the cuts: neighbours of one kind together, without what is empty."""
    said: list[list[Any]] = []
    for one in answer.blocks:
        parts = [one.id, one.name, one.media and one.media.data] if one.kind in ("tool_call", "media") else []
        texts = {what: one.joined(what) for what in ("text", "signature") if one.joined(what)}
        arguments = (one.joined("arguments") or "{}") if one.kind == "tool_call" else ""
        if not (texts or parts):
            continue
        if said and said[-1][0] == one.kind and one.kind in ("text", "refusal"):
            said[-1][3]["text"] += texts["text"]
        else:
            said.append([one.kind, parts, arguments, texts])
    return sorted(said, key=lambda item: item[0] in ("tool_call", "media"))


@given(answers())
@settings(max_examples=150, deadline=None)
def test_every_answer_is_a_legal_stream_and_says_the_same_when_read_again(events: list[Event]) -> None:
    encoder = ChatEncoder(IDENTITY, PLAIN_REQUEST)
    answer = fold(events)
    data = encoder.feed(events) + encoder.finish(answer, USAGE, COST)
    stream = read(data)
    payloads = [event[6:] for event in data.split(b"\n\n") if event]
    again = ChatDecoder(PLAIN, Conversation(turns=()), seed="s")
    back = fold(again.feed(payloads))
    assert again.done
    assert shape(back) == shape(answer)
    body = msgspec.json.decode(ChatEncoder(IDENTITY, PLAIN_REQUEST).whole(answer, USAGE, COST))
    message = body["choices"][0]["message"]
    assert (message["content"] or "") == stream.content
    assert (message["reasoning"] or "") == stream.reasoning
    assert len(message.get("tool_calls", ())) == len(stream.calls)
    assert body["choices"][0]["finish_reason"] == stream.finish_reason


def test_a_call_comes_back_from_the_client_as_it_went_out() -> None:
    calls = whole(list(CALLS))["choices"][0]["message"]["tool_calls"]
    back = {"role": "assistant", "content": None, "tool_calls": calls}
    turn = conversation(parse(msgspec.json.encode({"messages": [back]}))).turns[0]
    assert turn.blocks == (
        ToolCall(id="c1", name="f", arguments='{"a":1}'),
        ToolCall(id="c2", name="g"),
        ToolCall(id="c3", name="patch", arguments="*** Begin", kind="custom"),
    )


LEAD = {"id": "g", "object": "chat.completion.chunk", "created": 1, "model": "m", "provider": "p"}


def chunk(finish: str | None = None, **delta: object) -> dict[str, object]:
    return {**LEAD, "choices": [{"index": 0, "delta": delta, "finish_reason": finish, "native_finish_reason": finish}]}


FIRST = chunk(role="assistant", content="a")
LAST = {**LEAD, "choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2, "cost": 0}}
HEAD = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}


def test_the_grammar_accepts_a_legal_stream() -> None:
    assert read(_stream([FIRST, chunk("stop"), LAST])).content == "a"


def _stream(chunks: list[dict[str, object]], done: bytes = b"data: [DONE]\n\n") -> bytes:
    return b"".join(b"data: %b\n\n" % msgspec.json.encode(one) for one in chunks) + done


@pytest.mark.parametrize(
    "chunks",
    [
        [],
        [FIRST],
        [FIRST, chunk("stop")],
        [FIRST, LAST],
        [chunk(content="a"), chunk("stop"), LAST],
        [FIRST, chunk("stop"), chunk(content="b"), LAST],
        [FIRST, chunk("stop"), chunk("stop"), LAST],
        [FIRST, chunk("done"), LAST],
        [FIRST, chunk("stop"), LAST, LAST],
        [FIRST, {**chunk("stop"), "id": "h"}, LAST],
        [FIRST, chunk("tool_calls"), LAST],
        [FIRST, chunk(tool_calls=[HEAD]), chunk("stop"), LAST],
        [FIRST, chunk(tool_calls=[{**HEAD, "index": 1}]), chunk("tool_calls"), LAST],
        [FIRST, chunk(tool_calls=[HEAD]), chunk(tool_calls=[HEAD]), chunk("tool_calls"), LAST],
        [FIRST, chunk(oops=1), chunk("stop"), LAST],
        [FIRST, chunk(reasoning_details=[{"type": "reasoning.text", "format": "x", "index": 0}]), chunk("stop"), LAST],
        [FIRST, chunk(reasoning_details=[{"type": "reasoning.text", "data": "d", "format": "x", "index": 0}]), chunk("stop"), LAST],
    ],
)
def test_the_grammar_refuses_illegal_streams(chunks: list[dict[str, object]]) -> None:
    with pytest.raises(Illegal):
        read(_stream(chunks))


@pytest.mark.parametrize("data", [b"data: [DONE]\n\n" * 2, b"data: [DONE]\n", b"x\n\n", b"data: {}\ndata: {}\n\n"])
def test_the_grammar_refuses_broken_framing(data: bytes) -> None:
    with pytest.raises(Illegal):
        ChatGrammar().feed(data)


def test_a_failed_answer_keeps_its_words_without_its_calls() -> None:
    call = block(1, "tool_call", ("arguments", '{"a'), id="c", name="f")
    body = ChatEncoder(IDENTITY, PLAIN_REQUEST).partial(fold([Start("up"), *TEXT, *call]), ApiError("provider_unavailable", "broke"))
    assert body is not None
    out = msgspec.json.decode(body)
    choice = out["choices"][0]
    assert choice["message"] == {"role": "assistant", "content": "Hello", "refusal": None, "reasoning": None}
    assert (choice["finish_reason"], choice["error"]["code"], out["usage"]["cost"]) == ("error", 502, 0)
    assert ChatEncoder(IDENTITY, PLAIN_REQUEST).partial(fold(call), ApiError("provider_unavailable", "broke")) is None
