import pytest
from msgspec import Raw

from trunkline.dialects.hub.answer import fold, merged
from trunkline.dialects.hub.events import (
    BlockStart,
    BlockStop,
    Delta,
    Event,
    Failure,
    Finish,
    Media,
    OpaqueEvent,
    Start,
    UsageSeen,
)
from trunkline.errors import ConnectionLost

EVENTS: list[Event] = [
    Start("up-1"),
    BlockStart(0, "reasoning", id="rs_1", format="anthropic-claude-v1"),
    Delta(0, "text", "Hm"),
    Delta(0, "signature", "c2ln"),
    BlockStop(0),
    BlockStart(1, "text"),
    BlockStart(2, "tool_call", id="call_1", name="f"),
    Delta(1, "text", "Hel"),
    Delta(2, "arguments", '{"a"'),
    Delta(1, "text", "lo"),
    Delta(2, "arguments", ":1}"),
    Media("image", "image/png", "AAAA"),
    OpaqueEvent("responses", Raw(b"{}")),
    UsageSeen({"input": 3, "details": {"cached": 2}}, "flex"),
    Finish("tool_calls", "tool_use"),
    UsageSeen({"output": 5, "details": {"cached": 0}}),
    Finish("stop", "again"),
]


def test_events_fold_into_an_answer() -> None:
    answer = fold(EVENTS)
    assert [block.kind for block in answer.blocks] == ["reasoning", "text", "tool_call", "media", "opaque"]
    assert answer.blocks[0].joined("text") == "Hm"
    assert answer.blocks[0].joined("signature") == "c2ln"
    assert answer.blocks[1].joined("text") == "Hello"
    assert [(call.id, call.name, call.joined("arguments")) for call in answer.tool_calls] == [("call_1", "f", '{"a":1}')]
    assert answer.id == "up-1"
    assert answer.finish == Finish("tool_calls", "tool_use")
    assert answer.usage == {"input": 3, "output": 5, "details": {"cached": 2}}
    assert answer.service_tier == "flex"
    assert answer.output_chars == len("Hm") + len("Hello") + len('{"a":1}')


@pytest.mark.parametrize(
    ("events", "content"),
    [
        ([], False),
        ([BlockStart(0, "text")], False),
        ([BlockStart(0, "text"), Delta(0, "text", "a")], True),
        ([BlockStart(0, "tool_call", id="c", name="f")], True),
        ([Media("audio", "audio/wav", "AA==")], True),
        ([Delta(7, "text", "lost")], False),
    ],
)
def test_content_is_what_a_caller_could_see(events: list[Event], content: bool) -> None:
    assert fold(events).has_content is content


def test_the_first_failure_stays() -> None:
    first = ConnectionLost("cut")
    assert fold([Failure(first), Failure(ConnectionLost("again"))]).error is first


def test_a_later_count_replaces_and_nothing_takes_back() -> None:
    known = merged(None, {"a": 1, "b": None, "c": {"d": 4}})
    assert merged(known, {"a": 3, "b": 2, "c": {"d": None, "e": 0}}) == {"a": 3, "b": 2, "c": {"d": 4, "e": 0}}


def test_words_are_text_and_refusals() -> None:
    assert fold(EVENTS).has_words
    assert not fold(EVENTS[:5]).has_words
    assert fold([BlockStart(0, "refusal"), Delta(0, "text", "No")]).has_words
    assert not fold([BlockStart(0, "tool_call", id="c", name="f"), Delta(0, "arguments", "{}")]).has_words
