"""Answers as events, streamed and whole (adapters 2.4, classes 1, 3, 4, 5, 6, 14, 15, 19, 24 and 25)."""

from typing import Any

import msgspec
import pytest
from endpoints import PLAIN
from hypothesis import given
from hypothesis import strategies as st

from trunkline.dialects.gemini.decoder import GeminiDecoder
from trunkline.dialects.gemini.finish import FAILURES
from trunkline.dialects.gemini.tools import ToolNames
from trunkline.dialects.hub.answer import Answer, fold
from trunkline.dialects.hub.conversation import Conversation, Tool
from trunkline.dialects.hub.events import BlockStart, BlockStop, Delta, Event, Failure, Finish, Media, OpaqueEvent, Start, UsageSeen
from trunkline.errors import UpstreamRefused

NOTHING = Conversation(turns=())


def decoder(conversation: Conversation = NOTHING, seed: str = "gen-1") -> GeminiDecoder:
    return GeminiDecoder(PLAIN, conversation, seed=seed)


def piece(*parts: dict[str, object], **fields: object) -> dict[str, Any]:
    return {"candidates": [{"content": {"parts": list(parts), "role": "model"}, "index": 0, **fields}], "responseId": "r"}


def stream(*documents: object, conversation: Conversation = NOTHING) -> list[Event]:
    one = decoder(conversation)
    return one.feed([msgspec.json.encode(document) for document in documents]) + one.close()


def whole(document: object, conversation: Conversation = NOTHING) -> list[Event]:
    return decoder(conversation).whole(msgspec.json.encode(document))


def contents(answer: Answer) -> list[tuple[object, ...]]:
    return [(block.kind, block.id, block.name, {kind: block.joined(kind) for kind in block.parts}) for block in answer.blocks]


def test_a_stream() -> None:
    events = stream(
        {**piece({"text": "Hel"}), "usageMetadata": {"promptTokenCount": 3}},
        {**piece({"text": "lo"}, finishReason="STOP"), "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 2}},
    )
    assert events == [
        Start("r"),
        UsageSeen({"promptTokenCount": 3}),
        BlockStart(0, "text"),
        Delta(0, "text", "Hel"),
        UsageSeen({"promptTokenCount": 3, "candidatesTokenCount": 2}),
        Delta(0, "text", "lo"),
        BlockStop(0),
        Finish("stop", "STOP"),
    ]


def test_thoughts_and_text() -> None:
    events = whole(piece({"text": "hm", "thought": True}, {"text": "m", "thought": True}, {"text": "a"}, finishReason="STOP"))
    assert events == [
        Start("r"),
        BlockStart(0, "reasoning", format="google-gemini-v1"),
        Delta(0, "text", "hm"),
        Delta(0, "text", "m"),
        BlockStop(0),
        BlockStart(1, "text"),
        Delta(1, "text", "a"),
        BlockStop(1),
        Finish("stop", "STOP"),
    ]


def test_bug_01_a_thought_keeps_its_signature() -> None:
    parts = ({"text": "a", "thought": True, "thoughtSignature": "s=="}, {"thought": True, "thoughtSignature": "only"})
    assert contents(fold(whole(piece(*parts)))) == [
        ("reasoning", None, "", {"text": "a", "signature": "s=="}),
        ("reasoning", None, "", {"signature": "only"}),
    ]


def test_bug_03_signatures_of_calls_text_and_empty_parts() -> None:
    parts = (
        {"functionCall": {"name": "f", "args": {}, "id": "c1"}, "thoughtSignature": "s1"},
        {"functionCall": {"name": "g", "args": {}, "id": "c2"}},
        {"text": "t", "thoughtSignature": "s2"},
        {"text": "", "thoughtSignature": "s3"},
    )
    answer = fold(stream(*(piece(part) for part in parts), piece({"text": ""}, finishReason="STOP")))
    assert contents(answer) == [
        ("reasoning", "c1", "", {"data": "s1"}),
        ("tool_call", "c1", "f", {"arguments": "{}"}),
        ("tool_call", "c2", "g", {"arguments": "{}"}),
        ("reasoning", None, "", {"data": "s2"}),
        ("text", None, "", {"text": "t"}),
        ("reasoning", None, "", {"data": "s3"}),
    ]
    assert {block.format for block in answer.blocks if block.kind == "reasoning"} == {"google-gemini-v1"}


def test_bug_04_parallel_calls_keep_apart_however_they_are_cut() -> None:
    calls = [{"functionCall": {"name": "f", "args": {"n": n}}} for n in range(3)]
    together = fold(stream(piece(*calls, finishReason="STOP")))
    apart = fold(stream(*(piece(call) for call in calls), piece(finishReason="STOP")))
    assert contents(together) == contents(apart)
    assert [call.joined("arguments") for call in together.tool_calls] == ['{"n":0}', '{"n":1}', '{"n":2}']
    assert len({call.id for call in together.tool_calls}) == 3


def test_minted_ids_are_the_same_for_the_same_answer_only() -> None:
    body = msgspec.json.encode(piece({"functionCall": {"name": "f"}}))
    ids = [fold(decoder(seed=seed).whole(body)).tool_calls[0].id for seed in ("a", "a", "b")]
    assert ids[0] == ids[1] != ids[2]
    assert ids[0] is not None
    assert ids[0].startswith("call_")


def test_bug_05_arguments_come_whole_and_byte_for_byte() -> None:
    body = b'{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"b": 1.0, "a":12345678901234567890}}}]}}]}'
    assert fold(decoder().whole(body)).tool_calls[0].joined("arguments") == '{"b": 1.0, "a":12345678901234567890}'
    for call in ({"name": "f"}, {"name": "f", "args": None}):
        assert fold(whole(piece({"functionCall": call}))).tool_calls[0].joined("arguments") == "{}"


@pytest.mark.parametrize(
    ("native", "parts", "reason"),
    [
        ("STOP", [{"functionCall": {"name": "f"}}], "tool_calls"),
        ("STOP", [{"text": "a"}], "stop"),
        ("MAX_TOKENS", [{"functionCall": {"name": "f"}}], "length"),
        ("MAX_TOKENS", [], "length"),
        ("SAFETY", [], "content_filter"),
    ],
)
def test_bug_06_why_it_ended(native: str, parts: list[dict[str, object]], reason: str) -> None:
    assert fold(whole(piece(*parts, finishReason=native))).finish == Finish(reason, native)  # type: ignore[arg-type]


def test_bug_06_a_call_before_the_chunk_with_the_stop() -> None:
    assert fold(stream(piece({"functionCall": {"name": "f"}}), piece({"text": ""}, finishReason="STOP"))).finish == Finish(
        "tool_calls", "STOP"
    )


def test_a_refused_prompt() -> None:
    answer = fold(whole({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {"promptTokenCount": 4}}))
    assert answer.finish == Finish("content_filter", "PROHIBITED_CONTENT")
    assert answer.usage == {"promptTokenCount": 4}
    assert not answer.has_content


@pytest.mark.parametrize("native", FAILURES)
def test_bug_14_a_failed_answer_gives_nothing_away(native: str) -> None:
    events = whole({**piece({"functionCall": {"name": "f"}}, finishReason=native), "usageMetadata": {"promptTokenCount": 1}})
    assert [type(event) for event in events] == [Start, UsageSeen, Failure]
    error = fold(events).error
    assert isinstance(error, UpstreamRefused)
    assert error.code == native


def test_bug_14_an_error_inside_a_stream() -> None:
    one = decoder()
    error = {"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}
    payloads = [msgspec.json.encode(document) for document in (piece({"text": "a"}), error, piece({"text": "b"}))]
    answer = fold(one.feed(payloads) + one.close())
    assert one.done
    assert answer.finish is None
    assert answer.error is not None
    assert (answer.error.kind, answer.error.status) == ("overloaded", 503)
    assert [block.joined("text") for block in answer.blocks] == ["a"]


@pytest.mark.parametrize(
    ("code", "status", "message", "kind"),
    [
        (400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", "credential"),
        (429, "RESOURCE_EXHAUSTED", "Resource exhausted", "rate_limit"),
        (404, "NOT_FOUND", "models/x is not found", "model_access"),
        (500, "INTERNAL", "Internal error", "server"),
    ],
)
def test_bug_24_errors_keep_their_class_alone_or_in_an_array(code: int, status: str, message: str, kind: str) -> None:
    document = {"error": {"code": code, "status": status, "message": message}}
    for body in (document, [document]):
        error = fold(whole(body)).error
        assert error is not None
        assert (error.kind, error.status) == (kind, code)


def test_an_error_without_a_word() -> None:
    error = fold(whole({"error": True})).error
    assert error is not None


def test_bug_15_no_end_is_made_up() -> None:
    one = decoder()
    events = one.feed([msgspec.json.encode(piece({"text": "a"}))]) + one.close()
    assert not [event for event in events if isinstance(event, Finish)]
    assert events[-1] == BlockStop(0)
    assert fold(stream(piece({"text": "a"}, finishReason="FINISH_REASON_UNSPECIFIED"))).finish is None


def test_what_comes_after_the_end_still_counts_as_usage() -> None:
    one = decoder()
    events = one.feed([msgspec.json.encode(piece({"text": "a"}, finishReason="STOP"))])
    assert isinstance(events[-1], Finish)
    assert not one.done
    later = one.feed([msgspec.json.encode({"usageMetadata": {"promptTokenCount": 9}}), msgspec.json.encode(piece(finishReason="STOP"))])
    assert later == [UsageSeen({"promptTokenCount": 9})]
    assert one.close() == []
    assert one.feed([msgspec.json.encode(piece({"text": "late"}))]) == []


def test_bug_10_usage_is_what_the_last_chunk_says() -> None:
    first = {"promptTokenCount": 15, "totalTokenCount": 15}
    last = {"promptTokenCount": 13, "candidatesTokenCount": 8, "cachedContentTokenCount": 5, "totalTokenCount": 21}
    documents = ({**piece({"text": "a"}), "usageMetadata": first}, {**piece(finishReason="STOP"), "usageMetadata": last})
    assert fold(stream(*documents)).usage == last


@pytest.mark.parametrize(
    ("usage", "tier"),
    [
        *(({"serviceTier": "standard"}, "default"), ({"serviceTier": "flex"}, "flex"), ({"trafficType": "ON_DEMAND_PRIORITY"}, "priority")),
        *(({"trafficType": "PROVISIONED_THROUGHPUT"}, None), ({"serviceTier": 5}, None)),
    ],
)
def test_the_tier_that_served(usage: dict[str, object], tier: str | None) -> None:
    assert fold(whole({**piece({"text": "a"}), "usageMetadata": usage})).service_tier == tier


def test_bug_19_names_come_back() -> None:
    conversation = Conversation(turns=(), tools=(Tool(name="mcp:files/read"),))
    wire = ToolNames(conversation).wire("mcp:files/read")
    for name, wanted in ((wire, "mcp:files/read"), ("made_up", "made_up"), (None, "")):
        answer = fold(stream(piece({"functionCall": {"name": name}}), conversation=conversation))
        assert answer.tool_calls[0].name == wanted


@pytest.mark.parametrize(
    ("args", "text"), [({"input": "*** patch"}, "*** patch"), ({"other": 1}, '{"other":1}'), ({"input": 5}, '{"input":5}'), (None, "{}")]
)
def test_tools_of_free_text(args: object, text: str) -> None:
    conversation = Conversation(turns=(), tools=(Tool(name="patch", kind="custom"),))
    (call,) = fold(whole(piece({"functionCall": {"name": "patch", "args": args}}), conversation)).tool_calls
    assert call.custom
    assert call.joined("arguments") == text


def test_free_text_that_strict_parsers_refuse() -> None:
    conversation = Conversation(turns=(), tools=(Tool(name="patch", kind="custom"),))
    body = b'{"candidates":[{"content":{"parts":[{"functionCall":{"name":"patch","args":{"input":"\\ud800"}}}]}}]}'
    assert fold(decoder(conversation).whole(body)).tool_calls[0].joined("arguments") == "\ufffd"


def test_pictures_and_sound() -> None:
    parts = (
        {"inlineData": {"mimeType": "image/png", "data": "DRAFT"}, "thought": True},
        {"inlineData": {"mimeType": "image/png", "data": "QUJD"}, "thoughtSignature": "s"},
        {"inlineData": {"mimeType": "audio/L16;rate=24000", "data": "QUJD"}},
        {"fileData": {"mimeType": "image/png", "fileUri": "gs://b/x"}},
    )
    events = whole(piece({"text": "look"}, *parts, finishReason="STOP"))
    assert [event for event in events if isinstance(event, Media)] == [
        Media("image", media_type="image/png", data="QUJD"),
        Media("audio", media_type="audio/L16;rate=24000", data="QUJD"),
        Media("image", media_type="image/png", url="gs://b/x"),
    ]
    assert Delta(1, "data", "s") in events


def test_parts_of_server_tools_are_kept_with_their_signatures() -> None:
    parts = (
        {"executableCode": {"code": "1 + 1", "language": "PYTHON"}, "thoughtSignature": "s"},
        {"codeExecutionResult": {"outcome": "OUTCOME_OK"}},
        {"toolCall": {"id": "x"}},
        {"toolResponse": {"id": "x"}},
    )
    found = [event for event in whole(piece(*parts)) if isinstance(event, OpaqueEvent)]
    assert [(event.dialect, msgspec.json.decode(event.raw)) for event in found] == [("gemini", part) for part in parts]


GROUNDED = {
    "groundingChunks": [{"web": {"uri": "https://a.example", "title": "A"}}],
    "groundingSupports": [{"segment": {"startIndex": 0, "endIndex": 2, "text": "ab"}, "groundingChunkIndices": [0]}],
    "webSearchQueries": ["q1", "q2"],
}


def test_citations_and_searches() -> None:
    events = stream(
        piece({"text": "a"}, groundingMetadata={}),
        {**piece({"text": "bc"}, groundingMetadata=GROUNDED), "usageMetadata": {"promptTokenCount": 1}},
        piece(groundingMetadata=GROUNDED, finishReason="STOP"),
    )
    answer = fold(events)
    (text,) = answer.blocks
    assert [msgspec.json.decode(part) for part in text.parts["annotation"]] == [
        {
            "type": "url_citation",
            "url_citation": {"url": "https://a.example", "title": "A", "start_index": 0, "end_index": 2, "content": "ab"},
        }
    ]
    assert answer.usage == {"promptTokenCount": 1, "webSearchQueries": 2}


def test_probabilities() -> None:
    logprobs = {"chosenCandidates": [{"token": "a", "logProbability": -0.5}]}
    (text,) = fold(whole(piece({"text": "a"}, logprobsResult=logprobs, finishReason="STOP"))).blocks
    assert msgspec.json.decode(text.joined("logprobs")) == [{"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": []}]


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"candidates": []},
        {"candidates": [{}]},
        {"candidates": [{"content": {}}]},
        {"candidates": [{"content": {"parts": None, "role": None}, "finishReason": None}]},
        {"candidates": [{"content": {"parts": [{}]}, "groundingMetadata": {"groundingChunks": 5}, "logprobsResult": []}]},
        {"candidates": [{"content": {"parts": [{"text": None}]}, "index": None}]},
        {"promptFeedback": {}},
        {"promptFeedback": {"blockReason": "BLOCK_REASON_UNSPECIFIED"}},
    ],
)
def test_bug_25_documents_with_nothing_in_them(document: object) -> None:
    for events in (whole(document), stream(document)):
        assert [type(event) for event in events] == [Start]


def test_bug_25_other_candidates_are_not_mixed_in() -> None:
    document = {"candidates": [{"index": 1, "content": {"parts": [{"text": "b"}]}}, {"index": 0, "content": {"parts": [{"text": "a"}]}}]}
    assert [block.joined("text") for block in fold(whole(document)).blocks] == ["a"]


def test_bug_25_payloads_that_are_no_documents() -> None:
    one = decoder()
    assert one.feed([b"", b"  ", b"[DONE]"]) == []
    for body in (b"", b"<html>", b"{", b'"x"', b"\xff\xfe"):
        (event,) = decoder().whole(body)
        assert isinstance(event, Failure)
        assert event.error.kind == "malformed"


def test_an_array_of_pieces_is_one_answer() -> None:
    pieces = [piece({"text": "a"}), piece({"text": "b"}, finishReason="STOP")]
    assert contents(fold(whole(pieces))) == contents(fold(stream(*pieces))) == [("text", None, "", {"text": "ab"})]


PART_KEYS = st.sampled_from(["text", "thought", "thoughtSignature", "functionCall", "inlineData", "executableCode"])
LEAVES = st.sampled_from([None, True, 0, -1, 1.5, "", "x", "STOP", "OTHER", "SAFETY", [], {}, {"name": "f", "args": {}}, {"args": 5}, [[]]])
PARTS = st.lists(st.dictionaries(PART_KEYS, LEAVES, max_size=3) | LEAVES, max_size=3)
CANDIDATE_KEYS = st.sampled_from(["finishReason", "index", "groundingMetadata", "logprobsResult", "finishMessage"])
CANDIDATES = st.builds(
    lambda parts, more: {"content": {"parts": parts}, **more}, PARTS | LEAVES, st.dictionaries(CANDIDATE_KEYS, LEAVES, max_size=2)
)
DOCUMENT_KEYS = st.sampled_from(["candidates", "error", "usageMetadata", "promptFeedback", "responseId"])
DOCUMENTS = st.one_of(
    st.builds(lambda candidate, more: {"candidates": [candidate], **more}, CANDIDATES, st.dictionaries(DOCUMENT_KEYS, LEAVES, max_size=1)),
    st.dictionaries(DOCUMENT_KEYS, LEAVES, max_size=3),
    LEAVES,
)


@given(st.lists(st.one_of(st.binary(max_size=30), DOCUMENTS.map(msgspec.json.encode)), max_size=5))
def test_garbage_never_raises_and_blocks_stay_in_order(payloads: list[bytes]) -> None:
    one = decoder()
    events = one.feed(payloads) + one.close()
    fold(events)
    running: set[int] = set()
    seen = -1
    for event in events:
        if isinstance(event, BlockStart):
            assert event.index == seen + 1
            seen = event.index
            assert not running
            running.add(event.index)
        elif isinstance(event, BlockStop):
            running.remove(event.index)
        elif isinstance(event, Delta):
            assert event.index in running
    assert len([event for event in events if isinstance(event, Finish | Failure)]) <= 1


PIECES = st.lists(
    st.sampled_from(
        [
            {"text": "a"},
            {"text": ""},
            {"text": "t", "thought": True},
            {"text": "b", "thoughtSignature": "s"},
            {"functionCall": {"name": "f", "args": {"x": 1}}},
            {"functionCall": {"name": "g"}, "thoughtSignature": "u"},
            {"inlineData": {"mimeType": "image/png", "data": "AA"}},
        ]
    ),
    max_size=6,
)


@given(PIECES)
def test_streamed_and_whole_answers_are_the_same(parts: list[dict[str, object]]) -> None:
    streamed = fold(stream(*(piece(part) for part in parts), piece(finishReason="STOP")))
    at_once = fold(whole(piece(*parts, finishReason="STOP")))
    assert contents(streamed) == contents(at_once)
    assert streamed.finish == at_once.finish
