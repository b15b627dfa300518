import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.dialects.chat.reasoning import ThinkSplitter, details, split_parts

CASES = [
    ("plain text", ("plain text", "")),
    ("<think>a b</think>\n\nanswer", ("answer", "a b")),
    ("\n <think>a</think><think>b</think> c", ("c", "ab")),
    ("<think></think>x", ("x", "")),
    ("text <think>no</think>", ("text <think>no</think>", "")),
    ("<think>never closed", ("", "never closed")),
    ("<think>a < b </thin </think>y", ("y", "a < b </thin ")),
    ("<thi", ("<thi", "")),
    ("  lead", ("  lead", "")),
    ("<think>a</think>\n", ("", "a")),
    ("", ("", "")),
]


@pytest.mark.parametrize(("text", "split"), CASES)
@given(data=st.data())
def test_bug_20_splits_the_same_however_the_text_is_cut(text: str, split: tuple[str, str], data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    splitter = ThinkSplitter()
    said = [splitter.feed(text[start:end]) for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    said.append(splitter.close())
    assert ("".join(one for one, _ in said), "".join(two for _, two in said)) == split
    assert not splitter.holds_back


def test_bug_20_text_is_not_held_back_once_it_began() -> None:
    splitter = ThinkSplitter()
    assert splitter.feed("<") == ("", "")
    assert splitter.holds_back
    assert splitter.feed("b>") == ("<b>", "")
    assert splitter.settled
    assert splitter.feed("<think>") == ("<think>", "")


def test_reasoning_goes_out_as_it_comes() -> None:
    splitter = ThinkSplitter()
    assert splitter.feed("<think>one") == ("", "one")
    assert splitter.feed(" two</th") == ("", " two")
    assert splitter.feed("ink>three") == ("three", "")


def test_splits_chunks_of_type_thinking() -> None:
    parts = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Okay"}, {"type": "text", "text": ","}]},
        {"type": "thinking", "thinking": " so"},
        {"type": "text", "text": "4"},
        "2",
        {"type": "reference", "reference_ids": [1]},
        None,
    ]
    assert split_parts(parts) == ("42", "Okay, so")


def test_details_of_plain_text() -> None:
    assert details("x") == [{"type": "reasoning.text", "text": "x", "format": "unknown", "index": 0}]
