from hypothesis import given
from hypothesis import strategies as st

from trunkline.mock.call import Call
from trunkline.mock.content import Content, Made, compose, pieces, slices
from trunkline.mock.script import Answer, Tokens, ToolCall

TOOLS = (("f", {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}), ("g", {}))


def said(answer: Answer = Answer(), **call: object) -> Content:  # noqa: B008
    return compose(Call(**{"text": "one two three", "words": 3, **call}), answer)  # type: ignore[arg-type]


@given(st.text(), st.integers(1, 5))
def test_pieces_join_to_the_text(text: str, words: int) -> None:
    assert "".join(pieces(text, words)) == text


@given(st.text(), st.integers(1, 5))
def test_slices_join_to_the_text_and_are_not_too_many(text: str, count: int) -> None:
    assert "".join(slices(text, count)) == text
    assert len(slices(text, count)) <= count


def test_the_echo_and_what_it_costs() -> None:
    content = said()
    assert (content.whole_text, content.finish, content.spent.prompt, content.spent.completion) == ("one two three", "stop", 3, 3)


def test_offered_tools_are_called_while_the_rounds_last() -> None:
    assert [made.name for made in said(Answer(offered=5), tools=TOOLS).tool_calls] == ["f", "g"]
    assert said(Answer(offered=1), tools=TOOLS).tool_calls == (Made(name="f", arguments='{"n":0}'),)
    answered = said(Answer(offered=1), tools=TOOLS, rounds=1, results=("sunny", "5"))
    assert (answered.tool_calls, answered.whole_text) == ((), "The tools answered: sunny; 5")
    assert len(said(Answer(offered=1, rounds=2), tools=TOOLS, rounds=1, results=("x",)).tool_calls) == 1


def test_scripted_calls_too_but_a_forced_tool_always() -> None:
    answer = Answer(tool_calls=(ToolCall(name="h", arguments="{broken"),))
    assert said(answer).tool_calls[0].value == "{broken"
    assert said(answer, rounds=1, results=("x",)).tool_calls == ()
    assert [made.name for made in said(answer, rounds=1, results=("x",), tools=TOOLS, forced_tool="f").tool_calls] == ["f"]


def test_usage_counted_and_scripted() -> None:
    assert said(Answer(reasoning="a b", text="c")).spent.completion == 3
    spent = said(Answer(tokens=Tokens(cached=10, written=4, written_1h=1))).spent
    assert (spent.prompt, spent.fresh) == (15, 0)
    spent = said(Answer(tokens=Tokens(prompt=50, completion=9, reasoning=4, cached=10))).spent
    assert (spent.prompt, spent.completion, spent.reasoning, spent.fresh) == (50, 9, 4, 40)


def test_a_refusal_has_an_ending_of_its_own() -> None:
    assert (said(Answer(refusal="no")).finish, said(Answer(refusal="no")).ending) == ("stop", "content_filter")
    assert said(Answer(refusal="no", finish_reason="length")).ending == "length"
