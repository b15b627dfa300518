"""Events and whole answers."""

from typing import Any

import msgspec
import pytest
from endpoints import PLAIN
from hypothesis import given
from hypothesis import strategies as st

from trunkline.dialects.cohere import PLAN
from trunkline.dialects.cohere.decoder import CohereDecoder
from trunkline.dialects.hub.answer import Answer, fold
from trunkline.dialects.hub.conversation import Conversation, Tool, Turn
from trunkline.dialects.hub.events import BlockStart, BlockStop, Delta, Finish, Start, UsageSeen

USAGE = {"billed_units": {"input_tokens": 5, "output_tokens": 2}, "tokens": {"input_tokens": 71, "output_tokens": 2}}


def decoder(**changes: Any) -> CohereDecoder:
    return CohereDecoder(PLAIN, Conversation(turns=(Turn(role="user"),), **changes), seed="gen-1")


def event(kind: str, index: int | None = None, message: dict[str, Any] | None = None, **fields: Any) -> bytes:
    place = {} if index is None else {"index": index}
    delta = {} if message is None else {"delta": {"message": message}}
    return msgspec.json.encode({"type": kind, **place, **delta, **fields})


BEGIN = event("message-start", id="c-1", message={"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []})


def text(index: int, words: str) -> bytes:
    return event("content-delta", index, {"content": {"text": words}})


def end(reason: str = "COMPLETE", **fields: Any) -> bytes:
    return event("message-end", delta={"finish_reason": reason, "usage": USAGE, **fields})


def streamed(*events: bytes, **changes: Any) -> Answer:
    one = decoder(**changes)
    return fold(one.feed(events) + one.close())


def whole(message: dict[str, Any], reason: str | None = "COMPLETE", **changes: Any) -> Answer:
    logprobs = changes.pop("logprobs", None)
    body = {"id": "c-1", "message": {"role": "assistant", **message}, "finish_reason": reason, "usage": USAGE, "logprobs": logprobs}
    return fold(decoder(**changes).whole(msgspec.json.encode(body)))


def shown(answer: Answer) -> list[Any]:
    return [(block.kind, block.id, block.name, {kind: "".join(parts) for kind, parts in block.parts.items()}) for block in answer.blocks]


def test_a_stream_of_text() -> None:
    one = decoder()
    opening = event("content-start", 0, {"content": {"type": "text", "text": ""}})
    events = one.feed([BEGIN, opening, text(0, "Hel"), text(0, "lo"), event("content-end", 0), end()])
    assert events == [
        Start("c-1"),
        BlockStart(0, "text"),
        Delta(0, "text", "Hel"),
        Delta(0, "text", "lo"),
        BlockStop(0),
        UsageSeen(USAGE),
        Finish("stop", "COMPLETE"),
    ]
    assert one.done
    assert one.feed([text(0, "late")]) == []
    assert one.close() == []


def test_stream_and_whole_are_the_same() -> None:
    call = {"id": "f_1", "type": "function", "function": {"name": "f", "arguments": ""}}
    pieces = [event("tool-call-delta", 0, {"tool_calls": {"function": {"arguments": piece}}}) for piece in ('{"a"', ": 1}")]
    answers = (
        streamed(
            *(BEGIN, event("content-start", 0, {"content": {"type": "thinking", "thinking": "hm"}}), event("content-end", 0)),
            *(event("tool-plan-delta", message={"tool_plan": "I "}), event("tool-plan-delta", message={"tool_plan": "will."})),
            *(event("content-start", 1, {"content": {"type": "text", "text": "x"}}), event("content-end", 1)),
            *(event("tool-call-start", 0, {"tool_calls": call}), *pieces, event("tool-call-end", 0), end("TOOL_CALL")),
        ),
        whole(
            {
                "tool_plan": "I will.",
                "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "x"}],
                "tool_calls": [{**call, "function": {"name": "f", "arguments": '{"a": 1}'}}],
            },
            "TOOL_CALL",
        ),
    )
    for answer in answers:
        assert shown(answer) == [
            ("reasoning", None, "", {"text": "hm"}),
            ("reasoning", PLAN, "", {"text": "I will."}),
            ("text", None, "", {"text": "x"}),
            ("tool_call", "f_1", "f", {"arguments": '{"a": 1}'}),
        ]
        assert answer.finish == Finish("tool_calls", "TOOL_CALL")
        assert answer.usage == USAGE
        assert answer.id == "c-1"


def test_bug_04_parallel_calls_stay_apart() -> None:
    def start(index: int, name: str) -> bytes:
        return event("tool-call-start", index, {"tool_calls": {"id": name, "function": {"name": name}}})

    def piece(index: int, arguments: str) -> bytes:
        return event("tool-call-delta", index, {"tool_calls": {"function": {"arguments": arguments}}})

    answer = streamed(BEGIN, start(0, "a"), start(1, "b"), piece(1, '{"y":'), piece(0, '{"x":1}'), piece(1, "2}"), end("TOOL_CALL"))
    assert [(call.name, call.joined("arguments")) for call in answer.tool_calls] == [("a", '{"x":1}'), ("b", '{"y":2}')]


def test_bug_05_a_call_without_a_piece_has_an_empty_object() -> None:
    start = event("tool-call-start", 0, {"tool_calls": {"id": "a", "function": {"name": "f", "arguments": ""}}})
    for answer in (streamed(start, event("tool-call-end", 0), end()), whole({"tool_calls": [{"id": "a", "function": {"name": "f"}}]})):
        assert answer.tool_calls[0].joined("arguments") == "{}"
        assert answer.finish == Finish("tool_calls", "COMPLETE")


def test_missing_ids_and_starts() -> None:
    piece = event("tool-call-delta", 0, {"tool_calls": {"function": {"arguments": "{}"}}})
    one, other = streamed(piece, end()), streamed(piece, end())
    assert one.tool_calls[0].id == other.tool_calls[0].id
    assert str(one.tool_calls[0].id).startswith("call_")


def test_a_tool_of_free_text_gets_its_text() -> None:
    tools = (Tool(name="patch", kind="custom"),)
    start = event("tool-call-start", 0, {"tool_calls": {"id": "a", "function": {"name": "patch", "arguments": '{"inp'}}})
    piece = event("tool-call-delta", 0, {"tool_calls": {"function": {"arguments": 'ut":"a b"}'}}})
    answer = streamed(start, piece, event("tool-call-end", 0), end("TOOL_CALL"), tools=tools)
    assert answer.tool_calls[0].custom
    assert answer.tool_calls[0].joined("arguments") == "a b"


def test_citations_belong_to_the_text() -> None:
    citation = {"start": 0, "end": 1, "text": "x", "sources": [{"type": "document", "document": {"url": "https://a.test/"}}]}
    for answer in (
        streamed(
            text(0, "x"), event("content-end", 0), event("citation-start", 0, {"citations": citation}), event("citation-end", 0), end()
        ),
        whole({"content": [{"type": "text", "text": "x"}], "citations": [citation]}),
    ):
        (block,) = answer.blocks
        assert msgspec.json.decode(block.joined("annotation"))["url_citation"]["url"] == "https://a.test/"


def test_probabilities_belong_to_the_text() -> None:
    item = {"text": "x", "token_ids": [1], "logprobs": [-0.5]}
    piece = event("content-delta", 0, {"content": {"text": "x"}}, logprobs=item)
    for answer in (streamed(piece, end()), whole({"content": [{"type": "text", "text": "x"}]}, logprobs=[item])):
        (block,) = answer.blocks
        assert msgspec.json.decode(block.joined("logprobs"))[0]["logprob"] == -0.5


@pytest.mark.parametrize(("reason", "kind"), [("ERROR", "server"), ("ERROR_TOXIC", "moderation"), ("TIMEOUT", "server")])
def test_bug_14_a_failed_answer_is_a_failure(reason: str, kind: str) -> None:
    for answer in (streamed(text(0, "half"), end(reason, error="why")), whole({"content": [{"type": "text", "text": "half"}]}, reason)):
        assert answer.error is not None
        assert answer.error.kind == kind
        assert answer.finish is None
        assert answer.usage == USAGE


def test_bug_14_an_error_without_a_reason_is_a_failure() -> None:
    answer = streamed(text(0, "half"), event("message-end", delta={"error": "too many tokens: rate limit exceeded"}))
    assert answer.error is not None
    assert answer.error.kind == "rate_limit"


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b'{"message":"invalid api token","id":"x"}', "server"), (b"<html>", "malformed"), (b'{"error":{"code":429}}', "rate_limit")],
)
def test_bug_24_what_is_no_answer_is_a_failure(body: bytes, kind: str) -> None:
    for answer in (fold(decoder().whole(body)), streamed(body)):
        assert answer.error is not None
        assert answer.error.kind == kind


def test_bug_15_a_stream_without_an_end_has_no_finish() -> None:
    answer = streamed(BEGIN, text(0, "half"))
    assert answer.finish is None
    assert answer.error is None
    assert answer.blocks[0].joined("text") == "half"


def test_bug_25_events_that_are_not_known_say_nothing() -> None:
    answer = streamed(b"[DONE]", b" ", event("debug", prompt="x"), event("citation-end", 0), event("content-delta", 0), text(0, "x"), end())
    assert shown(answer) == [("text", None, "", {"text": "x"})]


KEYS = ["type", "index", "delta", "message", "content", "text", "thinking", "tool_calls", "function", "arguments", "name", "tool_plan"]
KEYS += ["citations", "sources", "usage", "finish_reason", "error", "logprobs", "id"]
WORDS = st.sampled_from(["content-start", "content-delta", "tool-call-start", "tool-call-delta", "citation-start", "message-end", "ERROR"])
WIRE = st.recursive(
    st.none() | st.integers() | WORDS | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(st.dictionaries(st.sampled_from(KEYS), WIRE, max_size=5).map(msgspec.json.encode) | st.binary(max_size=20), max_size=6))
def test_garbage_never_raises(payloads: list[bytes]) -> None:
    one = decoder(tools=(Tool(name="f", kind="custom"),))
    fold(one.feed(payloads) + one.close())
    for payload in payloads:
        fold(decoder().whole(payload))
