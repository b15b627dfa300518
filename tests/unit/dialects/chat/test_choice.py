import pytest

from trunkline.dialects.chat.choice import ChoiceReader, Piece
from trunkline.protocol.quirks import Quirks


def reader(*, excluded: bool = False, forced_tool: str | None = None, **quirks: object) -> ChoiceReader:
    return ChoiceReader(Quirks(**quirks), seed="s", excluded=excluded, forced_tool=forced_tool)  # type: ignore[arg-type]


DETAIL = {"type": "reasoning.text", "text": "t", "format": "unknown", "index": 0}
SIGNED = {"type": "reasoning.text", "text": "t", "format": "anthropic-claude-v1", "signature": "s", "index": 0}


@pytest.mark.parametrize(
    ("delta", "want"),
    [
        ({"content": "x"}, {"content": "x"}),
        ({"content": "x", "unknown": 1, "reasoning_content": None}, {"content": "x", "unknown": 1}),
        ({"reasoning_content": "t"}, {"reasoning": "t", "reasoning_details": [DETAIL]}),
        ({"reasoning": "t", "content": None}, {"content": None, "reasoning": "t", "reasoning_details": [DETAIL]}),
        ({"reasoning": "t", "reasoning_content": "t"}, {"reasoning": "t", "reasoning_details": [DETAIL]}),
        ({"reasoning": "t", "reasoning_details": [SIGNED]}, {"reasoning": "t", "reasoning_details": [SIGNED]}),
        ({"reasoning_details": [SIGNED]}, {"reasoning_details": [SIGNED]}),
        (
            {"content": [{"type": "thinking", "thinking": [{"text": "t"}]}]},
            {"content": "", "reasoning": "t", "reasoning_details": [DETAIL]},
        ),
        ({"content": [{"type": "text", "text": "x"}]}, {"content": "x"}),
    ],
)
def test_normalises_reasoning_wherever_it_is(delta: dict[str, object], want: dict[str, object]) -> None:
    assert reader().read(dict(delta)).delta == want


def test_an_empty_word_for_the_end_is_none() -> None:
    one = reader()
    one.close("")
    assert (one.finish_reason, one.native_finish_reason) == ("stop", None)


def test_excluded_reasoning_is_counted_but_not_passed_on() -> None:
    one = reader(excluded=True)
    piece = one.read({"reasoning": "abc", "reasoning_details": [SIGNED], "content": ""})
    one.account(piece)
    assert piece.delta == {"content": ""}
    assert (one.text_chars, one.output_chars) == (0, 3)


def test_bug_20_tags_are_split_over_deltas() -> None:
    one = reader(reasoning_out="tags")
    pieces = [one.read({"content": text}) for text in ("<thi", "nk>a", "b</think>", "\nx", "y")]
    pieces.append(one.close("stop"))
    assert "".join(piece.thought for piece in pieces) == "ab"
    assert "".join(piece.text for piece in pieces) == "xy"
    assert one.finish_reason == "stop"


def test_tags_are_text_without_the_quirk() -> None:
    assert reader().read({"content": "<think>"}).text == "<think>"


@pytest.mark.parametrize(
    ("delta", "bears"),
    [
        ({"role": "assistant", "content": ""}, False),
        ({}, False),
        ({"content": None, "tool_calls": [], "reasoning": None, "reasoning_details": []}, False),
        ({"content": " "}, True),
        ({"reasoning_content": "t"}, True),
        ({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": ""}}]}, True),
        ({"audio": {"data": "AA"}}, True),
        ({"images": [{}]}, True),
        ({"refusal": "no"}, True),
    ],
)
def test_what_counts_as_content(delta: dict[str, object], bears: bool) -> None:
    assert reader().read(delta).bears_content is bears


def test_bug_06_a_stop_with_calls_is_tool_calls_and_empty_arguments_become_an_object() -> None:
    one = reader()
    one.account(one.read({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f"}}]}))
    rest = one.close("stop")
    one.account(rest)
    assert rest.delta == {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}
    assert (one.finish_reason, one.native_finish_reason, one.assembler.calls[0].arguments) == ("tool_calls", "stop", "{}")


def test_bug_23_a_wrapped_call_comes_out_as_a_tool_call() -> None:
    one = reader(forced_tool="f")
    pieces: list[Piece] = []
    for text in ('{"name":', '"f","arguments":', '{"city":"Pa', 'ris"}', "}"):
        pieces.append(one.read({"content": text}))
        one.account(pieces[-1])
    assert one.holds_back
    pieces.append(one.close("stop"))
    one.account(pieces[-1])
    assert [piece.text for piece in pieces] == [""] * 6
    [call] = one.assembler.calls
    assert (call.name, call.arguments, one.finish_reason) == ("f", '{"city":"Paris"}', "tool_calls")
    first = next(piece.delta["tool_calls"] for piece in pieces if piece.delta.get("tool_calls"))
    assert isinstance(first, list)
    assert first[0]["function"] == {"name": "f", "arguments": '{"city":"Pa'}
    assert first[0]["id"].startswith("call_")


def test_text_instead_of_a_wrapped_call_stays_text() -> None:
    one = reader(forced_tool="f")
    assert one.read({"content": "I cannot."}).delta == {"content": "I cannot."}
    assert one.plain
    assert one.close("stop").delta == {}
    assert one.finish_reason == "stop"


def test_plain_says_whether_text_would_pass() -> None:
    tags = reader(reasoning_out="tags")
    assert reader().plain
    assert not tags.plain
    tags.read({"content": "x"})
    assert tags.plain
    assert not reader(forced_tool="f").plain
    tags.close("stop")
    assert not tags.plain


def test_pieces_join() -> None:
    piece = Piece({"content": "a", "tool_calls": [1], "role": "assistant"}, text="a")
    piece.join(Piece({"content": "b", "tool_calls": [2], "reasoning": "t"}, text="b", thought="t"))
    assert piece.delta == {"content": "ab", "tool_calls": [1, 2], "role": "assistant", "reasoning": "t"}
    assert (piece.text, piece.thought) == ("ab", "t")
    empty = Piece({"content": None})
    empty.join(Piece({"content": "x"}))
    assert empty.delta == {"content": "x"}
