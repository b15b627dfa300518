import json

import pytest
from grammar_messages import Grammar, fold

from trunkline.dialects.hub import answer as hub
from trunkline.dialects.hub.answer import Answer
from trunkline.dialects.hub.events import BlockStart, BlockStop, Delta, Event, Finish, Media, OpaqueEvent, Start, UsageSeen
from trunkline.dialects.hub.translation import Identity
from trunkline.dialects.messages import seal
from trunkline.dialects.messages.encoder import MessagesEncoder
from trunkline.dialects.messages.request import MessagesRequest, parse
from trunkline.errors import ApiError
from trunkline.protocol.usage import Cost, Usage

USED = Usage(input_total=100, cache_read=60, output_total=9, reasoning=4)


def request(**fields: object) -> MessagesRequest:
    return parse(json.dumps({"model": "a/b", "messages": [{"role": "user", "content": "hi"}], **fields}).encode())


def written(identity: Identity, *events: Event, **fields: object) -> tuple[dict[str, object], dict[str, object]]:
    """The message of the stream, and the whole message, of the same events."""
    folded = hub.fold(events)
    streaming = MessagesEncoder(identity, request(**fields))
    stream = b"".join(streaming.feed([event]) for event in events) + streaming.finish(folded, USED, Cost(total=10**12), metadata=b'{"a":1}')
    whole = MessagesEncoder(identity, request(**fields)).whole(folded, USED, Cost(total=10**12), metadata=b'{"a":1}')
    return fold(stream), json.loads(whole)


TALK = (
    Start("up-1"),
    BlockStart(0, "reasoning"),
    Delta(0, "text", "hm"),
    BlockStart(1),
    Delta(1, "text", "Hel"),
    Delta(1, "text", "lo"),
    BlockStart(2, "tool_call", "t1", "f"),
    Delta(2, "arguments", '{"a":'),
    Delta(2, "arguments", "1}"),
    BlockStop(2),
    UsageSeen({"x": 1}, "priority"),
    Finish("tool_calls", "tool_calls"),
)


def test_a_stream_folds_to_the_whole_message(identity: Identity) -> None:
    streamed, whole = written(identity, *TALK)
    assert streamed == whole
    assert [block["type"] for block in whole["content"]] == ["thinking", "text", "tool_use"]  # type: ignore[attr-defined]
    assert (whole["id"], whole["model"], whole["provider"], whole["stop_reason"]) == ("gen-1-x", "a/b", "P", "tool_use")
    assert whole["openrouter_metadata"] == {"a": 1}


def test_bug_10_usage_is_in_the_last_event_without_the_cache(identity: Identity) -> None:
    streamed, _ = written(identity, *TALK)
    usage = streamed["usage"]
    assert isinstance(usage, dict)
    assert (usage["input_tokens"], usage["cache_read_input_tokens"], usage["cache_creation_input_tokens"]) == (40, 60, 0)
    assert (usage["output_tokens"], usage["output_tokens_details"]) == (9, {"thinking_tokens": 4})
    assert (usage["cost"], usage["is_byok"], usage["service_tier"]) == (1.0, False, "priority")


def test_bug_10_the_first_event_has_placeholders(identity: Identity) -> None:
    encoder = MessagesEncoder(identity, request())
    grammar = Grammar()
    grammar.feed(encoder.feed([BlockStart(0), Delta(0, "text", "a")]))
    usage = grammar.message["usage"]
    assert (usage["input_tokens"], usage["output_tokens"]) == (0, 0)
    assert (usage["cache_read_input_tokens"], usage["cache_creation_input_tokens"]) == (0, 0)


def test_bug_16_nothing_goes_out_before_content(identity: Identity) -> None:
    encoder = MessagesEncoder(identity, request())
    assert encoder.feed([Start("x"), BlockStart(0), UsageSeen({"a": 1}), Delta(0, "text", "")]) == b""
    assert encoder.feed([Delta(0, "text", "a")]).startswith(b"event: message_start\n")
    assert b"message_start" not in encoder.feed([Delta(0, "text", "b")])


def test_bug_12_an_answer_without_content_is_a_legal_stream(identity: Identity) -> None:
    streamed, whole = written(identity, Finish("stop", "stop"))
    assert streamed == whole
    assert (streamed["content"], streamed["stop_reason"]) == ([], "end_turn")


@pytest.mark.parametrize("events", [(), TALK[:5], TALK[:8]])
def test_bug_14_an_error_is_told_as_one_and_never_as_a_stop(identity: Identity, events: tuple[Event, ...]) -> None:
    encoder = MessagesEncoder(identity, request())
    grammar = Grammar()
    grammar.feed(encoder.feed(events) + encoder.fail(ApiError("provider_overloaded", "Overloaded")))
    assert grammar.error["error"] == {"type": "overloaded_error", "message": "Overloaded", "error_type": "provider_overloaded"}
    assert grammar.error["request_id"] == "gen-1-x"
    assert not grammar.ended


def test_bug_06_truncation_is_signalled(identity: Identity) -> None:
    streamed, _ = written(identity, BlockStart(0), Delta(0, "text", "a"), Finish("length", "length"))
    assert streamed["stop_reason"] == "max_tokens"


def test_the_sequence_that_matched_is_named(identity: Identity) -> None:
    streamed, whole = written(identity, BlockStart(0), Delta(0, "text", "a"), Finish("stop", "stop", "END"))
    assert (
        (streamed["stop_reason"], streamed["stop_sequence"]) == ("stop_sequence", "END") == (whole["stop_reason"], whole["stop_sequence"])
    )


def test_a_refusal_is_one(identity: Identity) -> None:
    streamed, whole = written(identity, BlockStart(0, "refusal"), Delta(0, "text", "no"), Finish("stop", "stop"))
    assert streamed == whole
    assert (streamed["stop_reason"], streamed["content"][0]["text"]) == ("refusal", "no")  # type: ignore[index]


def test_citations_pictures_and_opaque_blocks(identity: Identity) -> None:
    annotation = json.dumps({"type": "url_citation", "url_citation": {"url": "https://a.example", "title": "t"}})
    streamed, whole = written(
        identity,
        BlockStart(0),
        Delta(0, "text", "a"),
        Delta(0, "annotation", annotation),
        Media("image", "image/png", "AAAA"),
        OpaqueEvent("messages", b'{"type":"server_tool_use","id":"s","name":"n","input":{"q":1}}'),  # type: ignore[arg-type]
        OpaqueEvent("responses", b'{"type":"x"}'),  # type: ignore[arg-type]
        Finish("stop", "end_turn"),
    )
    assert streamed == whole
    assert [block["type"] for block in whole["content"]] == ["text", "image", "server_tool_use"]  # type: ignore[attr-defined]


def test_thinking_that_the_caller_does_not_want_to_see_stays_away(identity: Identity) -> None:
    streamed, whole = written(identity, *TALK, thinking={"type": "adaptive", "display": "omitted"})
    assert streamed == whole
    first, *rest = whole["content"]  # type: ignore[misc]
    assert first["thinking"] == ""
    assert [item.text for item in seal.thinking("", first["signature"])] == ["hm"]
    assert [block["type"] for block in rest] == ["text", "tool_use"]


def test_a_whole_answer_without_an_end_has_a_stop_reason(identity: Identity) -> None:
    whole = json.loads(MessagesEncoder(identity, request()).whole(Answer(), Usage(), Cost()))
    assert (whole["stop_reason"], whole["content"]) == ("end_turn", [])
