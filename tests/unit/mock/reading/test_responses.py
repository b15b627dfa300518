from typing import Any

import pytest
from vendor_requests import Wish, responses

from trunkline.mock.call import Asked, Call
from trunkline.mock.reading.responses import read

TOOLS: dict[str, dict[str, Any]] = {"f": {"type": "object"}, "g": {"type": "object"}}


def call(wish: Wish, **more: Any) -> Call:
    path, body = responses(wish)
    return read(Asked(path=path, body=body | more))


def test_texts_and_words() -> None:
    found = call(Wish(system="be brief", max_tokens=7))
    assert (found.model, found.stream, found.text, found.words, found.max_tokens) == ("m", False, "one two three", 5, 7)
    assert (found.tools, found.forced_tool, found.results, found.rounds) == ((), "", (), 0)


def test_tools_and_results() -> None:
    found = call(Wish(tools=TOOLS, called=("c1", "f", {}, "sunny")))
    assert ([name for name, _ in found.tools], found.forced_tool, found.rounds) == (["f", "g"], "", 1)
    assert "sunny" in found.results[0]
    assert "sunny" in found.text
    assert call(Wish(tools=TOOLS, forced=True)).forced_tool == "f"


def test_choices_and_formats() -> None:
    assert call(Wish(tools=TOOLS), tool_choice={"type": "function", "name": "g"}).forced_tool == "g"
    assert call(Wish(schema={"type": "array"})).schema == {"type": "array"}
    assert call(Wish(), text={"format": {"type": "json_object"}}).schema == {"type": "object"}
    assert call(Wish(), text={"format": {"type": "text"}}).schema is None
    assert call(Wish(), input="plain words").text == "plain words"


def test_rounds_of_parallel_calls() -> None:
    pair = [{"type": "function_call"}, {"type": "function_call"}]
    results = [{"type": "function_call_output", "output": "1"}, {"type": "function_call_output", "output": "2"}]
    items = [{"role": "user", "content": "go"}, *pair, *results, {"type": "reasoning"}, *pair, *results]
    found = call(Wish(), input=items)
    assert (found.rounds, found.results) == (2, ("1", "2"))
    assert call(Wish(), input=[*items, {"role": "user", "content": "x"}]).results == ()


@pytest.mark.parametrize("body", [{}, {"input": 3, "tools": "x"}, {"input": [1, {"content": [2]}], "tools": [None]}])
def test_odd_requests_are_read_anyway(body: dict[str, Any]) -> None:
    assert read(Asked(path="/", body=body)).text == ""
