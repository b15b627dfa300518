from hypothesis import given
from hypothesis import strategies as st

from trunkline.dialects.chat.rounds import UNANSWERED, in_rounds
from trunkline.dialects.hub.conversation import Block, Reasoning, Text, ToolCall, ToolResult, Turn


def user(*blocks: Block | str) -> Turn:
    return Turn(role="user", blocks=tuple(Text(text=block) if isinstance(block, str) else block for block in blocks))


def assistant(*blocks: Block | str) -> Turn:
    return Turn(role="assistant", blocks=tuple(Text(text=block) if isinstance(block, str) else block for block in blocks))


def call(identifier: str, name: str = "f") -> ToolCall:
    return ToolCall(id=identifier, name=name)


def result(identifier: str, text: str = "r") -> ToolResult:
    return ToolResult(id=identifier, blocks=(Text(text=text),))


def told(turns: list[Turn]) -> list[tuple[str, ...]]:
    return [(turn.role, *map(_word, turn.blocks)) for turn in turns]


def _word(block: Block) -> str:
    if isinstance(block, Text):
        return block.text
    if isinstance(block, ToolCall):
        return f"call {block.id}"
    if isinstance(block, ToolResult):
        return f"{block.id}={''.join(part.text for part in block.blocks if isinstance(part, Text))}"
    return type(block).__name__


def test_bug_07_results_among_a_users_words_come_first_one_to_a_turn() -> None:
    turns = in_rounds([user("q"), assistant("a", call("1"), call("2")), user("look", result("2"), result("1"), "now")])
    assert told(turns) == [
        ("user", "q"),
        ("assistant", "a", "call 1", "call 2"),
        ("tool", "2=r"),
        ("tool", "1=r"),
        ("user", "look", "now"),
    ]


def test_bug_07_results_of_one_round_that_are_spread_are_brought_together() -> None:
    turns = in_rounds([user("q"), assistant(call("1"), call("2")), user(result("1")), user("wait"), user(result("2"))])
    assert told(turns)[1:] == [("assistant", "call 1", "call 2"), ("tool", "1=r"), ("tool", "2=r"), ("user", "wait")]


def test_bug_07_duplicates_and_orphans_are_not_sent() -> None:
    turns = in_rounds([user(result("0"), "q"), assistant(call("1")), user(result("1", "a"), result("1", "b"), result("9"))])
    assert told(turns) == [("user", "q"), ("assistant", "call 1"), ("tool", "1=a")]


def test_bug_07_a_call_without_a_result_is_answered() -> None:
    turns = in_rounds([assistant(call("1"), call("2")), user(result("2"), "go on"), assistant("x"), user("y")])
    assert told(turns)[:4] == [
        ("assistant", "call 1", "call 2"),
        ("tool", "2=r"),
        ("tool", f"1={UNANSWERED}"),
        ("user", "go on"),
    ]
    alone = in_rounds([assistant(call("1"), call("2")), user(result("2"))])
    assert told(alone)[2] == ("tool", f"1={UNANSWERED}")
    skipped = in_rounds([assistant(call("1")), user("never mind")])
    assert told(skipped) == [("assistant", "call 1"), ("tool", f"1={UNANSWERED}"), ("user", "never mind")]


def test_calls_at_the_very_end_wait() -> None:
    assert told(in_rounds([user("q"), assistant(call("1"))])) == [("user", "q"), ("assistant", "call 1")]


def test_bug_04_ids_that_start_again_in_each_round_are_no_duplicates() -> None:
    turns = in_rounds(
        [user("q"), assistant(call("call_0")), user(result("call_0", "a")), assistant(call("call_0")), user(result("call_0", "b"))]
    )
    assert told(turns)[1:] == [("assistant", "call call_0"), ("tool", "call_0=a"), ("assistant", "call call_0"), ("tool", "call_0=b")]


def test_bug_04_two_calls_of_one_id_are_told_apart() -> None:
    turns = in_rounds([assistant(call("x"), call("x", "g"), call("x")), user(result("x", "a"), result("x", "b"), result("x", "c"))])
    assert told(turns) == [("assistant", "call x", "call x_2", "call x_3"), ("tool", "x=a"), ("tool", "x_2=b"), ("tool", "x_3=c")]
    assert [turn.blocks[0].name for turn in turns[1:] if isinstance(turn.blocks[0], ToolResult)] == ["f", "g", "f"]


def test_parts_of_one_answer_are_one_message() -> None:
    turns = in_rounds(
        [user("q"), assistant(Reasoning(text="t")), assistant(call("1")), assistant(call("2")), user(result("1"), result("2"))]
    )
    assert told(turns)[1] == ("assistant", "Reasoning", "call 1", "call 2")


def test_two_answers_in_words_stay_two() -> None:
    assert told(in_rounds([assistant("a"), assistant("b")])) == [("assistant", "a"), ("assistant", "b")]


def test_bug_08_empty_turns_and_texts_are_left_out() -> None:
    turns = in_rounds([Turn(role="system", blocks=(Text(text=""),)), user(""), user("", "q"), assistant(), assistant("a"), user()])
    assert told(turns) == [("user", "q"), ("assistant", "a")]
    assert told(in_rounds([user("")])) == [("user", "")]


WORDS = st.sampled_from(
    [user("q"), user(result("1"), "w"), user(result("2")), assistant("a"), assistant(call("1")), assistant(call("1"), call("2"))]
)


@given(st.lists(WORDS, max_size=8))
def test_every_answer_with_calls_is_followed_by_one_result_for_each(turns: list[Turn]) -> None:
    sent = in_rounds(turns)
    for place, turn in enumerate(sent):
        calls = [block.id for block in turn.blocks if isinstance(block, ToolCall)]
        results = [block.id for one in sent[place + 1 : place + 1 + len(calls)] for block in one.blocks if isinstance(block, ToolResult)]
        if place < len(sent) - 1:
            assert sorted(calls) == sorted(results)
    tools = sum(turn.role == "tool" for turn in sent)
    calls_sent = sum(isinstance(block, ToolCall) for turn in sent[:-1] for block in turn.blocks)
    assert tools == calls_sent
