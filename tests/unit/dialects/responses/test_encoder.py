import msgspec
import pytest
from grammar_responses import check, read
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from trunkline.dialects.hub.answer import fold
from trunkline.dialects.hub.events import BlockStart, BlockStop, Delta, Event, Finish, Media, OpaqueEvent, Start, UsageSeen
from trunkline.dialects.hub.translation import Identity
from trunkline.dialects.responses.encoder import ResponsesEncoder
from trunkline.dialects.responses.request import ResponsesRequest, parse
from trunkline.errors import ApiError
from trunkline.protocol.usage import Cost, Usage

IDENTITY = Identity("gen-1-x", "a/b", "P", 1700000000)
USAGE = Usage(input_total=5, output_total=7, cache_read=2, reasoning=3)
SDK_EVENT: TypeAdapter[object] = TypeAdapter(ResponseStreamEvent)

CITATION = '{"type":"url_citation","url_citation":{"url":"http://x","title":"T","start_index":0,"end_index":2}}'
LOGPROBS = '[{"token":"He","logprob":-0.1,"bytes":[72,101],"top_logprobs":[{"token":"He","logprob":-0.1,"bytes":[72,101]}]}]'
EVENTS: list[Event] = [
    Start("up-1"),
    BlockStart(0, "reasoning", id="rs_1", format="openai-responses-v1"),
    Delta(0, "summary", "I "),
    Delta(0, "summary", "think"),
    Delta(0, "data", "ZW5j"),
    BlockStop(0),
    BlockStart(1, "text"),
    Delta(1, "text", "Hel"),
    Delta(1, "logprobs", LOGPROBS),
    Delta(1, "text", "lo"),
    Delta(1, "annotation", CITATION),
    BlockStop(1),
    BlockStart(2, "refusal"),
    Delta(2, "text", "No."),
    BlockStop(2),
    BlockStart(3, "tool_call", id="call_1", name="f"),
    BlockStart(4, "tool_call", id="call_2", name="shell", custom=True),
    Delta(3, "arguments", '{"a"'),
    Delta(4, "arguments", "ls"),
    Delta(3, "arguments", ":1}"),
    BlockStop(4),
    BlockStop(3),
    Media("image", "image/png", "AAAA"),
    OpaqueEvent("responses", Raw(b'{"type":"web_search_call","id":"ws_1","status":"completed","action":{"type":"search","query":"q"}}')),
    OpaqueEvent("messages", Raw(b'{"type":"server_tool_use"}')),
    UsageSeen({"input_tokens": 5}, "flex"),
    Finish("tool_calls", "completed"),
]


def request(**fields: object) -> ResponsesRequest:
    return parse(msgspec.json.encode({"model": "a/b", "input": "hi", **fields}))


def stream(events: list[Event], *, size: int = 100, of: ResponsesRequest | None = None) -> bytes:
    encoder = ResponsesEncoder(IDENTITY, of or request(stream=True))
    out = [encoder.feed(events[at : at + size]) for at in range(0, len(events), size)]
    return b"".join(out) + encoder.finish(fold(events), USAGE, Cost(10**9, 4 * 10**8, 6 * 10**8), metadata=b'{"attempt":1}')


def whole(events: list[Event], *, of: ResponsesRequest | None = None) -> dict[str, object]:
    encoder = ResponsesEncoder(IDENTITY, of or request())
    body = encoder.whole(fold(events), USAGE, Cost(10**9, 4 * 10**8, 6 * 10**8), metadata=b'{"attempt":1}')
    return msgspec.json.decode(body, type=dict[str, object])


def items(response: dict[str, object]) -> list[dict[str, object]]:
    return response["output"]  # type: ignore[return-value]


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_a_stream_is_legal_however_events_come(size: int) -> None:
    grammar = check(stream(EVENTS, size=size))
    assert grammar.terminal == "response.completed"
    assert [item.kind for item in grammar.items] == [
        *("reasoning", "message", "message", "function_call", "custom_tool_call", "image_generation_call", "web_search_call")
    ]


def test_the_openai_sdk_reads_every_event() -> None:
    for event in read(stream(EVENTS).removesuffix(b"data: [DONE]\n\n")):
        SDK_EVENT.validate_python(event, strict=False)


def test_a_whole_response_is_what_its_stream_ends_with() -> None:
    streamed = check(stream(EVENTS)).response
    assert whole(EVENTS) == streamed
    Response.model_validate(streamed)
    assert Response.model_validate(streamed).output_text == "Hello"


def test_a_whole_response_holds_everything() -> None:
    response = whole(EVENTS)
    reasoning, message, refusal, call, custom, picture, search = items(response)
    assert (response["id"], response["model"], response["provider"], response["created_at"]) == ("gen-1-x", "a/b", "P", 1700000000)
    assert (response["status"], response["output_text"], response["service_tier"]) == ("completed", "Hello", "flex")
    assert response["openrouter_metadata"] == {"attempt": 1}
    assert response["usage"] == {
        "input_tokens": 5,
        "input_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 0},
        "output_tokens": 7,
        "output_tokens_details": {"reasoning_tokens": 3},
        "total_tokens": 12,
        "cost": 0.001,
        "is_byok": False,
        "cost_details": {
            "upstream_inference_cost": 0.001,
            "upstream_inference_input_cost": 0.0004,
            "upstream_inference_output_cost": 0.0006,
        },
    }
    assert reasoning == {
        "id": "rs_1",
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": "I think"}],
        "status": "completed",
        "format": "openai-responses-v1",
        "encrypted_content": "ZW5j",
    }
    assert message["content"] == [
        {
            "type": "output_text",
            "text": "Hello",
            "annotations": [{"type": "url_citation", "start_index": 0, "end_index": 2, "url": "http://x", "title": "T"}],
            "logprobs": msgspec.json.decode(LOGPROBS),
        }
    ]
    assert refusal["content"] == [{"type": "refusal", "refusal": "No."}]
    assert (call["call_id"], call["name"], call["arguments"], call["status"]) == ("call_1", "f", '{"a":1}', "completed")
    assert (custom["type"], custom["call_id"], custom["input"]) == ("custom_tool_call", "call_2", "ls")
    assert (picture["result"], picture["status"]) == ("AAAA", "completed")
    assert search["action"] == {"type": "search", "query": "q"}


def test_probabilities_are_told_with_their_text() -> None:
    events = read(stream(EVENTS).removesuffix(b"data: [DONE]\n\n"))
    deltas = [event for event in events if event["type"] == "response.output_text.delta"]
    assert [len(delta["logprobs"]) for delta in deltas] == [1, 0]  # type: ignore[arg-type]


def test_nothing_is_written_before_content() -> None:
    encoder = ResponsesEncoder(IDENTITY, request())
    assert encoder.feed([Start("u"), BlockStart(0, "reasoning"), BlockStop(0), BlockStart(1, "text"), Delta(1, "text", "")]) == b""
    assert encoder.feed([Delta(1, "text", "a")]).startswith(b'event: response.created\ndata: {"type":"response.created","response":{')


def test_a_call_alone_is_content() -> None:
    encoder = ResponsesEncoder(IDENTITY, request())
    assert b"response.output_item.added" in encoder.feed([BlockStart(0, "tool_call", id="c", name="f")])


def test_an_empty_answer_is_a_legal_stream() -> None:
    grammar = check(stream([Finish("stop", "completed")]))
    assert grammar.response["output"] == []


def test_a_function_without_arguments_gets_an_empty_object() -> None:
    events: list[Event] = [BlockStart(0, "tool_call", id="c", name="f"), BlockStop(0), Finish("tool_calls")]
    assert items(check(stream(events)).response)[0]["arguments"] == "{}"
    assert items(whole(events))[0]["arguments"] == "{}"


@pytest.mark.parametrize(("reason", "told"), [("length", "max_output_tokens"), ("content_filter", "content_filter")])
def test_a_cut_answer_is_incomplete_with_its_last_item(reason: str, told: str) -> None:
    events: list[Event] = [
        BlockStart(0, "text"),
        Delta(0, "text", "a"),
        BlockStop(0),
        BlockStart(1, "tool_call", id="c", name="f"),
        Delta(1, "arguments", '{"x'),
        BlockStop(1),
        Finish(reason),  # type: ignore[arg-type]
    ]
    grammar = check(stream(events, size=1))
    assert grammar.terminal == "response.incomplete"
    assert grammar.response["incomplete_details"] == {"reason": told}
    assert [item["status"] for item in items(grammar.response)] == ["completed", "incomplete"]
    assert items(grammar.response)[1]["arguments"] == '{"x'
    assert whole(events) == grammar.response


def test_reasoning_can_be_left_out() -> None:
    response = check(stream(EVENTS, of=request(reasoning={"exclude": True}))).response
    assert "reasoning" not in [item["type"] for item in items(response)]
    assert "reasoning" not in [item["type"] for item in items(whole(EVENTS, of=request(reasoning={"exclude": True})))]


def test_reasoning_text_keeps_its_signature_and_family() -> None:
    events: list[Event] = [
        BlockStart(0, "reasoning", format="anthropic-claude-v1"),
        Delta(0, "text", "Hm"),
        Delta(0, "signature", "c2ln"),
        BlockStop(0),
        BlockStart(1, "text"),
        Delta(1, "text", "a"),
        Finish("stop"),
    ]
    item = items(check(stream(events)).response)[0]
    assert item["content"] == [{"type": "reasoning_text", "text": "Hm"}]
    assert str(item["id"]).startswith("rs_tmp_")
    assert (item["signature"], item["format"], item["summary"]) == ("c2ln", "anthropic-claude-v1", [])


def test_reasoning_of_one_id_is_one_item() -> None:
    events: list[Event] = [
        BlockStart(0, "reasoning", id="rs_1"),
        Delta(0, "summary", "I"),
        BlockStop(0),
        BlockStart(1, "reasoning", id="rs_1"),
        Delta(1, "data", "ZQ"),
        BlockStop(1),
        BlockStart(2, "text"),
        Delta(2, "text", "a"),
        BlockStart(3, "reasoning", id="rs_1"),
        Delta(3, "data", "Zg"),
        Finish("stop"),
    ]
    response = check(stream(events)).response
    assert [item["type"] for item in items(response)] == ["reasoning", "message", "reasoning"]
    assert items(response)[0]["encrypted_content"] == "ZQ"
    assert whole(events) == response


def test_sound_is_told_by_its_transcript() -> None:
    events: list[Event] = [Media("audio", "audio/wav", "AA", transcript="Hi"), Media("audio", "audio/wav", "AA"), Finish("stop")]
    response = check(stream(events)).response
    assert response["output_text"] == "Hi"
    assert whole(events) == response


def test_a_stream_that_goes_wrong_ends_as_failed() -> None:
    encoder = ResponsesEncoder(IDENTITY, request())
    out = encoder.feed([BlockStart(0, "text"), Delta(0, "text", "Hel")])
    error = ApiError("provider_overloaded", "busy", availability={"code": "temporarily_unavailable"})
    grammar = check(out + encoder.fail(error))
    assert grammar.terminal == "response.failed"
    assert grammar.response["error"] == {"code": "server_error", "message": "busy"}
    assert grammar.response["error_type"] == "provider_overloaded"
    assert grammar.response["availability"] == {"code": "temporarily_unavailable"}
    assert items(grammar.response)[0]["status"] == "incomplete"
    assert items(grammar.response)[0]["content"][0]["text"] == "Hel"  # type: ignore[index]
    Response.model_validate(grammar.response)


def test_a_stream_without_a_response_ends_with_an_error_event() -> None:
    grammar = check(ResponsesEncoder(IDENTITY, request()).fail(ApiError("server", "secret")))
    assert grammar.error is not None
    assert (grammar.error["code"], grammar.error["message"], grammar.error["error_type"]) == (
        "server_error",
        "Internal Server Error",
        "server",
    )
    SDK_EVENT.validate_python(grammar.error)


def test_an_error_event_tells_what_other_dialects_tell() -> None:
    error = ApiError("rate_limit_exceeded", "later", availability={"code": "capacity_exhausted"}, metadata={"provider_name": "P"})
    error.router = b'{"attempt":1}'
    grammar = check(ResponsesEncoder(IDENTITY, request()).fail(error))
    assert grammar.error is not None
    told = {key: grammar.error[key] for key in ("code", "availability", "error_metadata", "openrouter_metadata")}
    assert told == {
        "code": "rate_limit_exceeded",
        "availability": {"code": "capacity_exhausted"},
        "error_metadata": {"provider_name": "P"},
        "openrouter_metadata": {"attempt": 1},
    }
    SDK_EVENT.validate_python(grammar.error)


def test_a_prompt_that_is_too_long_ends_as_a_response_before_any_content_too() -> None:
    grammar = check(ResponsesEncoder(IDENTITY, request()).fail(ApiError("context_length_exceeded", "too long")))
    assert (grammar.terminal, grammar.response["status"], grammar.response["error"]) == ("response.incomplete", "incomplete", None)
    assert grammar.response["error_type"] == "context_length_exceeded"
    Response.model_validate(grammar.response)


def test_an_answer_that_grew_too_long_is_incomplete_not_failed() -> None:
    encoder = ResponsesEncoder(IDENTITY, request())
    out = encoder.feed([BlockStart(0, "text"), Delta(0, "text", "Hel")])
    out += encoder.fail(ApiError("context_length_exceeded", "too long"))
    events = read(out.removesuffix(b"data: [DONE]\n\n"))
    assert events[-1]["type"] == "response.incomplete"
    assert events[-1]["response"]["incomplete_details"] == {"reason": "max_output_tokens"}  # type: ignore[index]


KINDS = st.sampled_from(("text", "reasoning", "tool_call", "refusal"))


@st.composite
def answers(draw: st.DrawFn) -> list[Event]:
    """Blocks of any kind whose deltas are mixed, some of which never stop."""
    kinds = draw(st.lists(KINDS, max_size=5))
    pending: list[list[Event]] = []
    for index, kind in enumerate(kinds):
        deltas = {"text": ("text",), "refusal": ("text",), "tool_call": ("arguments",), "reasoning": ("text", "summary", "data")}[kind]
        start = BlockStart(index, kind, id=f"call_{index}" if kind == "tool_call" else None, name="f")  # type: ignore[arg-type]
        told = draw(st.lists(st.tuples(st.sampled_from(deltas), st.text(max_size=3)), max_size=4))
        block: list[Event] = [start, *(Delta(index, sort, text) for sort, text in told)]  # type: ignore[arg-type]
        pending.append([*block, BlockStop(index)] if draw(st.booleans()) else block)
    events: list[Event] = []
    while any(pending):
        chosen = draw(st.sampled_from([block for block in pending if block]))
        events.append(chosen.pop(0))
    return [*events, Finish(draw(st.sampled_from(("stop", "length", "tool_calls"))))]  # type: ignore[arg-type]


@settings(max_examples=60, deadline=None)
@given(answers(), st.integers(1, 4))
def test_every_answer_makes_a_legal_stream(events: list[Event], size: int) -> None:
    grammar = check(stream(events, size=size))
    folded = items(whole(events))
    assert sorted(item["type"] for item in folded) == sorted(item["type"] for item in items(grammar.response))  # type: ignore[type-var]


def test_a_failed_response_keeps_its_words_without_its_calls() -> None:
    error = ApiError("provider_unavailable", "broke")
    body = ResponsesEncoder(IDENTITY, request()).partial(fold(EVENTS[:-1]), error)
    assert body is not None
    Response.model_validate_json(body)
    got = msgspec.json.decode(body, type=dict[str, object])
    assert (got["status"], got["error"]) == ("failed", {"code": "server_error", "message": "broke"})
    assert got["output_text"] == "Hello"
    assert {item["type"] for item in items(got)} == {"reasoning", "message", "image_generation_call", "web_search_call"}
    assert ResponsesEncoder(IDENTITY, request()).partial(fold(EVENTS[:6]), error) is None


def test_a_response_that_became_too_long_is_incomplete_and_keeps_its_words() -> None:
    body = ResponsesEncoder(IDENTITY, request()).partial(fold(EVENTS[:12]), ApiError("context_length_exceeded", "too long"))
    assert body is not None
    got = msgspec.json.decode(body, type=dict[str, object])
    assert (got["status"], got["incomplete_details"], got["output_text"]) == ("incomplete", {"reason": "max_output_tokens"}, "Hello")
