import json

import pytest
from grammar_messages import Grammar
from hypothesis import given
from hypothesis import strategies as st

from trunkline.dialects.hub.events import BlockStart, BlockStop, Delta, Event
from trunkline.dialects.messages import frames, seal
from trunkline.dialects.messages.sequence import Sequence
from trunkline.dialects.messages.usage import UsageView

MESSAGE = {
    **dict.fromkeys(("container", "stop_reason", "stop_details", "stop_sequence")),
    **{"id": "g", "type": "message", "role": "assistant", "model": "m", "content": [], "usage": UsageView()},
}


def play(*events: Event, close: bool = True) -> tuple[Sequence, list[dict[str, object]]]:
    """The blocks that events make on the wire, read by the strict grammar."""
    sequence = Sequence()
    for event in events:
        if isinstance(event, BlockStart):
            sequence.begin(event)
        elif isinstance(event, Delta):
            sequence.add(event)
        elif isinstance(event, BlockStop):
            sequence.end(event.index)
    if close:
        sequence.close()
    grammar = Grammar()
    grammar.feed(frames.event("message_start", {"type": "message_start", "message": MESSAGE}) + b"".join(sequence.out))
    assert not close or grammar.open is None
    return sequence, grammar.message["content"]


def said(blocks: list[dict[str, object]]) -> list[tuple[object, object]]:
    return [(block["type"], block.get("text") or block.get("thinking") or block.get("input")) for block in blocks]


def test_text_goes_out_as_it_comes() -> None:
    sequence = Sequence()
    sequence.begin(BlockStart(0))
    assert sequence.out == []
    sequence.add(Delta(0, "text", "a"))
    assert len(sequence.out) == 2
    sequence.add(Delta(0, "text", "b"))
    assert len(sequence.out) == 3


def test_bug_12_a_block_that_is_never_stopped_is_stopped() -> None:
    _, blocks = play(BlockStart(0), Delta(0, "text", "a"), BlockStart(1, "tool_call", "t", "f"), Delta(1, "arguments", "{}"))
    assert said(blocks) == [("text", "a"), ("tool_use", {})]


def test_bug_12_a_block_that_never_began_is_text() -> None:
    assert said(play(Delta(5, "text", "a"))[1]) == [("text", "a")]


def test_bug_12_text_goes_on_in_a_further_block() -> None:
    _, blocks = play(
        BlockStart(0),
        Delta(0, "text", "a"),
        BlockStart(1, "reasoning"),
        Delta(1, "text", "hm"),
        Delta(0, "text", "b"),
        Delta(1, "text", "!"),
    )
    assert said(blocks) == [("text", "a"), ("thinking", "hm"), ("text", "b"), ("thinking", "!")]


def test_bug_04_mixed_calls_come_out_one_after_the_other() -> None:
    _, blocks = play(
        BlockStart(0, "tool_call", "t1", "f"),
        BlockStart(1, "tool_call", "t2", "g"),
        Delta(0, "arguments", '{"a"'),
        Delta(1, "arguments", '{"b"'),
        Delta(0, "arguments", ":1}"),
        Delta(1, "arguments", ":2}"),
        BlockStop(0),
        BlockStop(1),
    )
    assert [(block["id"], block["input"]) for block in blocks] == [("t1", {"a": 1}), ("t2", {"b": 2})]


def test_the_second_call_streams_once_the_first_has_ended() -> None:
    sequence, blocks = play(
        BlockStart(0, "tool_call", "t1", "f"), BlockStart(1, "tool_call", "t2", "g"), BlockStop(0), Delta(1, "arguments", "{"), close=False
    )
    assert [block["id"] for block in blocks] == ["t1", "t2"]
    assert b'"partial_json":"{"' in sequence.out[-1]


def test_a_call_is_content_without_arguments() -> None:
    sequence = Sequence()
    sequence.begin(BlockStart(0, "tool_call", "t", "f"))
    assert sequence.out


def test_a_call_that_has_ended_takes_nothing_more() -> None:
    _, blocks = play(BlockStart(0, "tool_call", "t", "f"), Delta(0, "arguments", "{}"), BlockStop(0), Delta(0, "arguments", "{}"))
    assert said(blocks) == [("tool_use", {})]


def test_free_text_becomes_an_object_at_the_end() -> None:
    _, (block,) = play(BlockStart(0, "tool_call", "t", "f", custom=True), Delta(0, "arguments", 'a"'), Delta(0, "arguments", "b"))
    assert block["input"] == {"input": 'a"b'}


def test_bug_01_a_signature_in_pieces_goes_out_whole() -> None:
    _, (block,) = play(
        BlockStart(0, "reasoning", format=seal.OWN), Delta(0, "text", "why"), Delta(0, "signature", "ab"), Delta(0, "signature", "cd")
    )
    assert (block["thinking"], block["signature"]) == ("why", "abcd")


def test_bug_01_a_signature_alone_and_data_make_blocks() -> None:
    _, blocks = play(
        BlockStart(0, "reasoning", format=seal.OWN),
        Delta(0, "signature", "s"),
        BlockStop(0),
        BlockStart(1, "reasoning", format=seal.OWN),
        Delta(1, "text", "x"),
        Delta(1, "data", "d"),
    )
    assert [block["type"] for block in blocks] == ["thinking", "thinking", "redacted_thinking"]
    assert (blocks[0]["signature"], blocks[2]["data"]) == ("s", "d")


def test_bug_02_reasoning_of_others_is_sealed() -> None:
    _, (block,) = play(BlockStart(0, "reasoning", "rs", format="openai-responses-v1"), Delta(0, "summary", "s"), Delta(0, "data", "d"))
    assert seal.open_seal(str(block["signature"])) == seal.Sealed("openai-responses-v1", "rs", True, None, "d")
    _, (block,) = play(BlockStart(0, "reasoning", format="x"), Delta(0, "data", "d"))
    assert block["type"] == "redacted_thinking"
    _, (block,) = play(BlockStart(0, "reasoning", format="x"), Delta(0, "signature", "s"))
    assert seal.open_seal(str(block["signature"])) == seal.Sealed("x", signature="s")


@pytest.mark.parametrize(
    "whole",
    [
        {"type": "text", "text": "a", "citations": None},
        {"type": "thinking", "thinking": "t", "signature": "s"},
        {"type": "redacted_thinking", "data": "d"},
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"q": "x"}},
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
        {"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"a": 1}]},
        {"type": "compaction", "content": "short"},
    ],
)
def test_whole_blocks_fold_to_themselves(whole: dict[str, object]) -> None:
    sequence = Sequence()
    sequence.insert(dict(whole))
    grammar = Grammar()
    grammar.feed(frames.event("message_start", {"type": "message_start", "message": MESSAGE}) + b"".join(sequence.out))
    assert grammar.message["content"] == [whole]


def test_a_whole_block_waits_for_a_running_call() -> None:
    sequence = Sequence()
    sequence.begin(BlockStart(0, "tool_call", "t", "f"))
    sequence.insert({"type": "redacted_thinking", "data": "d"})
    sequence.add(Delta(0, "arguments", "{}"))
    assert b"redacted" not in b"".join(sequence.out)
    sequence.end(0)
    assert b"redacted" in b"".join(sequence.out)


KINDS = {"text": ("text",), "reasoning": ("text", "signature", "data"), "tool_call": ("arguments",), "refusal": ("text",)}
STEPS = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from(["begin", "delta", "delta", "delta", "stop"]), st.integers(0, 9)), max_size=40
)


@given(STEPS)
def test_bug_12_every_order_of_events_makes_a_legal_stream_and_loses_nothing(steps: list[tuple[int, str, int]]) -> None:
    kinds: dict[int, str] = {}
    events: list[Event] = []
    expected: dict[int, str] = {}
    stopped: set[int] = set()
    for index, what, number in steps:
        if what == "begin" and index not in kinds:
            kinds[index] = list(KINDS)[number % 4]
            events.append(BlockStart(index, kinds[index], f"t{index}", "f"))  # type: ignore[arg-type]
        elif what == "delta" and index in kinds and index not in stopped:
            kind = KINDS[kinds[index]][0]
            digit = str(number % 9 + 1)
            expected[index] = expected.get(index, "") + digit
            events.append(Delta(index, kind, digit))  # type: ignore[arg-type]
        elif what == "stop" and index in kinds:
            stopped.add(index)
            events.append(BlockStop(index))
    _, blocks = play(*events)
    calls = {index for index, kind in kinds.items() if kind == "tool_call"}
    assert sum(block["type"] == "tool_use" for block in blocks) == len(calls)
    text = "".join(str(block["text"]) for block in blocks if block["type"] == "text")
    wanted = "".join(expected.get(index, "") for index in kinds if kinds[index] in ("text", "refusal"))
    assert sorted(text) == sorted(wanted)
    for index in calls:
        (block,) = [block for block in blocks if block.get("id") == f"t{index}"]
        assert block["input"] == (json.loads(expected[index]) if index in expected else {})
