from pathlib import Path
from typing import Any

import msgspec
import pytest
from endpoints import PLAIN
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from trunkline.dialects.chat.decoder import ChatDecoder
from trunkline.dialects.hub.answer import Answer, fold
from trunkline.dialects.hub.conversation import Conversation, Tool, ToolChoice
from trunkline.dialects.hub.events import BlockStart, BlockStop, Delta, Event, Failure, Finish, Media, Start, UsageSeen
from trunkline.dialects.names import fit
from trunkline.protocol.quirks import Quirks

DONE = b"[DONE]"
EMPTY = Conversation(turns=())


def decoder(conversation: Conversation = EMPTY, **quirks: object) -> ChatDecoder:
    return ChatDecoder(replace(PLAIN, quirks=Quirks(**quirks)), conversation, seed="gen-1-x")  # type: ignore[arg-type]


def chunk(delta: object = None, finish: object = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": {} if delta is None else delta, "finish_reason": finish, **more.pop("choice", {})}
    return msgspec.json.encode({"id": "up-1", "object": "chat.completion.chunk", "model": "m", "choices": [choice], **more})


def events(*payloads: bytes, conversation: Conversation = EMPTY, **quirks: object) -> list[Event]:
    one = decoder(conversation, **quirks)
    found = one.feed(payloads)
    slow = decoder(conversation, **quirks)
    assert repr([event for payload in payloads for event in slow.feed([payload])]) == repr(found)
    return found


def answer(*payloads: bytes, conversation: Conversation = EMPTY, **quirks: object) -> Answer:
    return fold(events(*payloads, conversation=conversation, **quirks))


def whole(body: object, conversation: Conversation = EMPTY, **quirks: object) -> Answer:
    return fold(decoder(conversation, **quirks).whole(msgspec.json.encode(body)))


def said(one: Answer) -> list[tuple[object, ...]]:
    return [(block.kind, *(block.joined(kind) for kind in block.parts)) for block in one.blocks]


TOOL = {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}}


def test_an_answer_from_start_to_end() -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 2}
    assert events(
        chunk({"role": "assistant", "content": ""}),
        chunk({"content": "Hel"}),
        chunk({"content": "lo"}),
        chunk({}, "stop"),
        msgspec.json.encode({"id": "up-1", "choices": [], "usage": usage, "service_tier": "flex"}),
        DONE,
    ) == [
        Start("up-1"),
        BlockStart(0, "text"),
        Delta(0, "text", "Hel"),
        Delta(0, "text", "lo"),
        BlockStop(0),
        Finish("stop", "stop"),
        UsageSeen(usage, "flex"),
    ]


def test_done_is_the_end_marker() -> None:
    one = decoder()
    one.feed([chunk({"content": "a"}, "stop")])
    assert not one.done
    one.feed([DONE, chunk({"content": "b"})])
    assert one.done
    assert one.close() == []


@pytest.mark.parametrize(
    ("delta", "quirks", "blocks"),
    [
        ({"reasoning": "t", "content": "a"}, {}, [("reasoning", "t"), ("text", "a")]),
        ({"reasoning_content": "t"}, {"reasoning_out": "reasoning_content"}, [("reasoning", "t")]),
        ({"content": "<think>t</think>a"}, {"reasoning_out": "tags"}, [("reasoning", "t"), ("text", "a")]),
        ({"content": "<think>t</think>a"}, {}, [("text", "<think>t</think>a")]),
        (
            {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "t"}]}, {"type": "text", "text": "a"}]},
            {"reasoning_out": "chunks"},
            [("reasoning", "t"), ("text", "a")],
        ),
        ({"refusal": "no"}, {}, [("refusal", "no")]),
    ],
)
def test_reasoning_text_and_refusals(delta: dict[str, object], quirks: dict[str, object], blocks: list[object]) -> None:
    got = answer(chunk(delta), chunk({}, "stop"), **quirks)
    assert said(got) == blocks
    assert said(whole({"choices": [{"message": delta, "finish_reason": "stop"}]}, **quirks)) == blocks


def test_bug_01_details_keep_family_signature_and_order() -> None:
    signed = {"type": "reasoning.text", "format": "anthropic-claude-v1", "index": 0}
    secret = {"type": "reasoning.encrypted", "data": "gA==", "id": "rs_1", "format": "openai-responses-v1", "index": 1}
    got = answer(
        chunk({"reasoning": "a", "reasoning_details": [{**signed, "text": "a"}]}),
        chunk({"reasoning": "b", "reasoning_details": [{**signed, "text": "b"}]}),
        chunk({"reasoning_details": [{**signed, "signature": "S+/="}, secret]}),
        chunk({"content": "x"}, "stop"),
    )
    first, second, _ = got.blocks
    assert (first.joined("text"), first.joined("signature"), first.format) == ("ab", "S+/=", "anthropic-claude-v1")
    assert (second.joined("data"), second.id, second.format) == ("gA==", "rs_1", "openai-responses-v1")


def test_bug_01_reasoning_beside_a_secret_is_not_lost() -> None:
    secret = {"type": "reasoning.encrypted", "data": "gA==", "format": "x", "index": 0}
    got = answer(chunk({"reasoning": "seen", "reasoning_details": [secret]}), chunk({"content": "a"}, "stop"))
    assert said(got) == [("reasoning", "seen"), ("reasoning", "gA=="), ("text", "a")]


def test_bug_03_the_thought_signature_of_a_call_is_reasoning_before_it() -> None:
    call = {**TOOL, "extra_content": {"google": {"thought_signature": "Sig=="}}}
    got = answer(chunk({"tool_calls": [call]}), chunk({}, "stop"))
    thought, made = got.blocks
    assert (thought.kind, thought.joined("data"), thought.id, thought.format) == ("reasoning", "Sig==", "c1", "google-gemini-v1")
    assert (made.kind, made.id) == ("tool_call", "c1")


@pytest.mark.parametrize("index", [[0, 0], [None, None], [0, 1], [5, 7]])
def test_bug_04_parallel_calls_stay_apart(index: list[int | None]) -> None:
    parts = [
        {"id": f"c{number}", "type": "function", "function": {"name": "f", "arguments": f'{{"n":{number}}}'}, "index": place}
        for number, place in enumerate(index)
    ]
    calls = [{key: value for key, value in part.items() if value is not None} for part in parts]
    got = answer(*(chunk({"tool_calls": [call]}) for call in calls), chunk({}, "tool_calls"))
    assert [(block.id, block.joined("arguments")) for block in got.tool_calls] == [("c0", '{"n":0}'), ("c1", '{"n":1}')]


def test_bug_04_a_missing_id_is_minted_and_stays_the_same() -> None:
    call = {"type": "function", "function": {"name": "f", "arguments": "{}"}}
    first, second = (answer(chunk({"tool_calls": [call, call]}), chunk({}, "stop")).tool_calls for _ in range(2))
    ids = [block.id for block in first]
    assert len(set(ids)) == 2
    assert all(ids)
    assert ids == [block.id for block in second]


@pytest.mark.parametrize(
    ("pieces", "arguments"),
    [(["", '{"a":', "1}"], '{"a":1}'), (['{"a":1}'], '{"a":1}'), ([""], "{}"), ([None], "{}"), ([{"a": 1}], '{"a":1}')],
)
def test_bug_05_arguments_are_whole_however_they_come(pieces: list[object], arguments: str) -> None:
    first = {**TOOL, "function": {"name": "f", "arguments": pieces[0]}}
    rest = [{"index": 0, "function": {"arguments": piece}} for piece in pieces[1:]]
    got = answer(*(chunk({"tool_calls": [item]}) for item in (first, *rest)), chunk({}, "tool_calls"))
    assert [block.joined("arguments") for block in got.tool_calls] == [arguments]


@pytest.mark.parametrize(
    ("native", "called", "reason"),
    [
        ("stop", False, "stop"),
        ("stop", True, "tool_calls"),
        ("function_call", True, "tool_calls"),
        ("eos", False, "stop"),
        ("model_length", False, "length"),
        ("length", True, "length"),
        ("sensitive", False, "content_filter"),
    ],
)
def test_bug_06_finish_reasons(native: str, called: bool, reason: str) -> None:
    delta = {"tool_calls": [TOOL]} if called else {"content": "a"}
    got = answer(chunk(delta), chunk({}, native))
    assert got.finish == Finish(reason, native)  # type: ignore[arg-type]
    assert whole({"choices": [{"message": delta, "finish_reason": native}]}).finish == got.finish


def test_bug_06_the_upstreams_own_word_and_stop_sequence() -> None:
    more = {"native_finish_reason": "STOP", "stop_reason": "END"}
    assert answer(chunk({"content": "a"}), chunk({}, "stop", choice=more)).finish == Finish("stop", "STOP", "END")
    assert answer(chunk({"content": "a"}, "stop", choice={"stop_reason": 128001})).finish == Finish("stop", "stop")


def test_what_comes_after_the_finish_is_usage_alone() -> None:
    got = events(chunk({"content": "a"}, "stop"), chunk({"content": "b"}, "length", usage={"x": 1}), DONE)
    assert got[-2:] == [Finish("stop", "stop"), UsageSeen({"x": 1})]


@pytest.mark.parametrize("late", [b"<html>", b'{"error":{"message":"x"}}'])
def test_a_failure_after_the_finish_takes_nothing_back(late: bytes) -> None:
    got = answer(chunk({"content": "a"}, "stop"), late, DONE)
    assert (got.error, got.finish) == (None, Finish("stop", "stop"))


def test_bug_10_usage_is_found_where_it_is_and_a_null_takes_nothing_back() -> None:
    got = answer(
        chunk({"content": "a"}, x_groq={"usage": {"prompt_tokens": 3, "prompt_tokens_details": {"cached_tokens": 2}}}),
        chunk({}, "stop", x_groq={"usage": {"prompt_tokens": None, "completion_tokens": 1}}),
        usage_path="x_groq.usage",
    )
    assert got.usage == {"prompt_tokens": 3, "prompt_tokens_details": {"cached_tokens": 2}, "completion_tokens": 1}
    assert answer(chunk({"content": "a"}, choice={"usage": {"prompt_tokens": 3}})).usage == {"prompt_tokens": 3}


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        (b'{"error":{"message":"overloaded","code":503}}', "overloaded"),
        (b'{"error":{"message":"x","code":"context_length_exceeded"}}', "context_length"),
        (b'{"base_resp":{"status_code":1002,"status_msg":"rate limit"}}', "server"),
        (b"<html>", "malformed"),
        (b'{"choices":[{"index":0,"delta":{},"finish_reason":"error"}]}', "malformed"),
        (b'{"choices":[{"index":0,"delta":{},"finish_reason":"error","error":{"message":"x","code":429}}]}', "rate_limit"),
    ],
)
def test_bug_14_errors_inside_the_stream_are_failures(payload: bytes, kind: str) -> None:
    got = events(chunk({"content": "a"}), payload, chunk({"content": "b"}, "stop"), DONE)
    failure = got[-1]
    assert isinstance(failure, Failure)
    assert failure.error.kind == kind
    assert not any(isinstance(event, Finish) for event in got)
    assert [event.text for event in got if isinstance(event, Delta)] == ["a"]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html>", "malformed"),
        (b"[]", "malformed"),
        (b"{}", "malformed"),
        (b'{"error":{"message":"slow down","code":429}}', "rate_limit"),
        (b'{"choices":[{"message":{"content":"a"},"finish_reason":"error"}]}', "malformed"),
    ],
)
def test_bug_14_a_body_that_is_an_error_is_a_failure(body: bytes, kind: str) -> None:
    got = fold(decoder().whole(body))
    assert got.error is not None
    assert got.error.kind == kind
    assert got.finish is None


def test_bug_15_a_stream_that_is_cut_has_no_finish() -> None:
    one = decoder(reasoning_out="tags")
    first = one.feed([chunk({"content": "<think>deep</thi"})])
    rest = one.close()
    assert "".join(event.text for event in [*first, *rest] if isinstance(event, Delta)) == "deep</thi"
    assert not any(isinstance(event, Finish) for event in rest)
    assert one.feed([chunk({}, "stop")]) == one.close() == []
    assert not one.done


def test_bug_15_a_cut_call_is_not_made_whole() -> None:
    one = decoder()
    one.feed([chunk({"tool_calls": [TOOL]})])
    assert one.close() == []


def test_bug_15_done_without_a_finish_reason_completes_what_was_said() -> None:
    assert answer(chunk({"content": "a"}), DONE).finish == Finish("stop", None)
    assert answer(chunk({"tool_calls": [TOOL]}), DONE).finish == Finish("tool_calls", None)
    assert answer(chunk({"content": "<thi"}), DONE, reasoning_out="tags").finish == Finish("stop", None)
    assert answer(chunk({"role": "assistant"}), DONE).finish is None
    assert answer(chunk({"content": "a"}), chunk({}, "stop")).finish == Finish("stop", "stop")


def test_bug_19_names_are_restored() -> None:
    name = "server.tool/" + "x" * 70
    wire = fit(name, allowed="A-Za-z0-9_-", limit=64)
    assert wire != name
    call = {**TOOL, "function": {"name": wire, "arguments": "{}"}}
    got = answer(chunk({"tool_calls": [call]}), chunk({}, "stop"), conversation=Conversation(turns=(), tools=(Tool(name=name),)))
    assert [block.name for block in got.tool_calls] == [name]


def test_a_call_without_a_name_is_a_failure() -> None:
    got = answer(chunk({"tool_calls": [{"index": 0, "id": "c", "function": {"arguments": "{}"}}]}), chunk({}, "tool_calls"))
    assert got.finish is None
    assert got.error is not None
    assert got.error.kind == "malformed"


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_bug_20_tags_are_split_however_they_are_cut(data: st.DataObject) -> None:
    text = "<think>one</think>\n<think>two</think>\n\nThe tag `<think>` is text"
    cuts = sorted(data.draw(st.sets(st.integers(1, len(text) - 1), max_size=8)))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    got = answer(*(chunk({"content": piece}) for piece in pieces), chunk({}, "stop"), reasoning_out="tags")
    assert said(got) == [("reasoning", "onetwo"), ("text", "The tag `<think>` is text")]


def test_bug_22_pictures_and_sound_are_media() -> None:
    got = events(
        chunk({"images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}, {"image_url": "https://x/y"}, {}, 5]}),
        chunk({"audio": {"id": "a1", "data": "AAAA", "transcript": "he"}}),
        chunk({"audio": {"data": "", "transcript": "", "id": "", "expires_at": 0}}, "stop"),
    )
    assert [event for event in got if isinstance(event, Media)] == [
        Media("image", media_type="image/png", data="AAAA"),
        Media("image", url="https://x/y"),
        Media("audio", data="AAAA", transcript="he", id="a1"),
    ]


FORCED = Conversation(turns=(), tools=(Tool(name="f"),), tool_choice=ToolChoice(mode="required"))


def test_bug_23_a_call_asked_for_as_a_schema_comes_back_as_a_call() -> None:
    text = '{"name": "f", "arguments": {"a": 1}}'
    pieces = [chunk({"content": text[place : place + 5]}) for place in range(0, len(text), 5)]
    got = answer(*pieces, chunk({}, "stop"), conversation=FORCED, tools="schema")
    assert said(got) == [("tool_call", '{"a": 1}')]
    assert got.tool_calls[0].name == "f"
    assert got.finish == Finish("tool_calls", "stop")
    body = {"choices": [{"message": {"content": text}, "finish_reason": "stop"}]}
    assert said(whole(body, FORCED, tools="schema")) == said(got)


def test_bug_23_json_that_was_asked_for_is_no_call() -> None:
    text = '{"name": "f", "arguments": {}}'
    assert said(answer(chunk({"content": text}), chunk({}, "stop"), tools="schema")) == [("text", text)]


def test_custom_calls_native_and_emulated() -> None:
    native = {"index": 0, "id": "c", "type": "custom", "custom": {"name": "patch", "input": "*** "}}
    more = {"index": 0, "custom": {"input": "Begin"}}
    got = answer(chunk({"tool_calls": [native]}), chunk({"tool_calls": [more]}), chunk({}, "tool_calls"))
    assert [(block.custom, block.name, block.joined("arguments")) for block in got.tool_calls] == [(True, "patch", "*** Begin")]
    talk = Conversation(turns=(), tools=(Tool(name="patch", kind="custom", dialect="responses"),))
    function = {**TOOL, "function": {"name": "patch", "arguments": '{"input":"*** Begin"}'}}
    emulated = answer(chunk({"tool_calls": [function]}), chunk({}, "tool_calls"), conversation=talk)
    assert [(block.custom, block.joined("arguments")) for block in emulated.tool_calls] == [(True, "*** Begin")]


def test_logprobs_and_citations_go_with_the_text() -> None:
    entries = [{"token": "a", "logprob": -0.5, "bytes": None, "top_logprobs": []}]
    citation = {"type": "url_citation", "url_citation": {"url": "http://x"}}
    got = answer(
        chunk({"content": "", "annotations": [citation]}),
        chunk({"content": "a"}, choice={"logprobs": {"content": entries, "refusal": None}}),
        chunk({}, "stop", choice={"logprobs": None}),
    )
    (block,) = got.blocks
    assert [msgspec.json.decode(item) for item in block.parts["annotation"]] == [citation]
    assert msgspec.json.decode(block.parts["logprobs"][0]) == entries
    assert block.joined("text") == "a"


@pytest.mark.parametrize(
    "payload",
    [
        b'{"id":"","choices":[],"prompt_filter_results":[{}]}',
        b'{"id":null,"model":null,"choices":[{"finish_reason":null}]}',
        b'{"choices":[{"index":0,"delta":null,"finish_reason":null}]}',
        b'{"choices":[{"index":1,"delta":{"content":"other"}}]}',
        b'{"choices":null}',
        b'\xef\xbb\xbf{"choices":[{"delta":{"role":"assistant"}}]}',
        b"[]",
        b"5",
    ],
)
def test_bug_25_odd_events_do_no_harm(payload: bytes) -> None:
    got = answer(payload, chunk({"content": "a"}), payload, chunk({}, "stop"), payload, DONE)
    assert said(got) == [("text", "a")]
    assert got.finish == Finish("stop", "stop")
    assert got.id in ("up-1", None)


def test_bug_25_a_missing_index_and_lone_surrogates() -> None:
    got = answer(b'{"choices":[{"delta":{"content":"a\\ud800"}}]}', b'{"choices":[{"delta":{},"finish_reason":"stop"}]}')
    assert said(got) == [("text", "a\ufffd")]


WORDS = st.sampled_from(["stop", "a", "f", "", "reasoning.text", "<think>", "function", "tool_calls", "data:x"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 3) | WORDS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("choices", "index", "delta", "message", "content", "finish_reason", "tool_calls", "function", "custom", "name", "id"),
                    *("arguments", "reasoning", "reasoning_details", "type", "text", "images", "image_url", "audio", "logprobs", "usage"),
                    *("annotations", "error", "service_tier", "refusal", "thinking", "input"),
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
DELTAS = st.dictionaries(
    st.sampled_from(["content", "reasoning", "reasoning_details", "tool_calls", "images", "audio", "annotations", "refusal"]),
    JSON,
    max_size=3,
)
GARBAGE = st.one_of(
    st.binary(max_size=20),
    JSON.map(msgspec.json.encode),
    DELTAS.map(chunk),
    st.tuples(DELTAS, JSON).map(lambda pair: chunk(*pair)),
    st.lists(JSON, max_size=2).map(lambda calls: chunk({"tool_calls": calls})),
    st.just(DONE),
)


@given(st.lists(GARBAGE, max_size=4), st.sampled_from(["reasoning", "tags", "chunks"]), st.sampled_from(["native", "schema"]))
@settings(max_examples=120, deadline=None)
def test_garbage_never_raises_and_blocks_are_legal(payloads: list[bytes], out: str, tools: str) -> None:
    one = decoder(FORCED, reasoning_out=out, tools=tools)
    found = [*one.feed(payloads), *one.close()]
    _check(found)
    for payload in payloads:
        _check(decoder(FORCED, reasoning_out=out, tools=tools).whole(payload))


def _check(found: list[Event]) -> None:
    """Blocks begin once in order, pieces go to open blocks, and nothing but usage follows the end."""
    running: set[int] = set()
    begun, over = 0, False
    for event in found:
        assert not over or isinstance(event, UsageSeen)
        if isinstance(event, BlockStart):
            assert event.index == begun
            assert event.kind != "tool_call" or (event.id and event.name)
            running.add(event.index)
            begun += 1
        elif isinstance(event, Delta):
            assert event.index in running
            assert event.text
        elif isinstance(event, BlockStop):
            running.remove(event.index)
        over = over or isinstance(event, Finish | Failure)


RECORDED = Path(__file__).parents[5] / "shared" / "cassettes"


@pytest.mark.skipif(not RECORDED.exists(), reason="the recordings are not part of the repository")
def test_recorded_answers_say_the_same_as_a_pass_through_would() -> None:
    seen = 0
    quirks = {"groq": {"usage_path": "x_groq.usage", "reasoning_out": "tags"}, "mistral": {"reasoning_out": "chunks"}}
    for row in msgspec.json.decode((RECORDED / "index.json").read_bytes()):
        if row["kind"] != "http" or row["status"] != 200:
            continue
        data = (RECORDED / row["file"]).read_bytes()
        if b"chat/completions" not in data:
            continue
        document = msgspec.json.decode(data)
        body = document["response"]["body"]
        if not document["request"]["url"].endswith("/chat/completions") or not body or '"error":' in str(body):
            continue
        if isinstance(body, dict) and "choices" not in body:
            continue
        one = decoder(**quirks.get(row["provider"], {}))
        streamed = [line[5:].strip().encode() for line in body.splitlines() if line.startswith("data:")] if isinstance(body, str) else []
        if isinstance(body, str) and not streamed:
            continue
        found = one.feed(streamed) if streamed else one.whole(msgspec.json.encode(body))
        _check(found)
        got = fold(found)
        assert got.error is None, row["file"]
        assert got.finish is not None, row["file"]
        assert got.usage, row["file"]
        if isinstance(body, dict):
            message = body["choices"][0]["message"]
            content = message.get("content") or ""
            text = "".join(block.joined("text") for block in got.blocks if block.kind == "text")
            assert not isinstance(content, str) or content.endswith(text)
            assert len(got.tool_calls) == len(message.get("tool_calls") or ())
        seen += 1
    assert seen > 250
