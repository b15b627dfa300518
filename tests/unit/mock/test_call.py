import pytest

from trunkline.mock.call import count_words, decode, pick_tool


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff"])
def test_what_is_no_object_is_an_error(body: bytes) -> None:
    with pytest.raises(ValueError):
        decode(body)


def test_words_of_all_texts_are_counted() -> None:
    assert count_words("one two", "", " three\n") == 3


def test_which_tool_must_be_called() -> None:
    tools = (("f", {}), ("g", {}))
    assert pick_tool(tools, forced=True) == "f"
    assert pick_tool(tools, forced=False, name="g") == "g"
    assert pick_tool(tools, forced=False) == pick_tool((), forced=True) == ""
