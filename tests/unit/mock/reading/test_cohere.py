from typing import Any

import pytest
from vendor_requests import Wish, cohere

from trunkline.mock.call import Asked, Call
from trunkline.mock.reading.cohere import read

TOOLS: dict[str, dict[str, Any]] = {"f": {"type": "object"}, "g": {"type": "object"}}


def call(wish: Wish, **more: Any) -> Call:
    path, body = cohere(wish)
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


def test_formats_and_documents_as_results() -> None:
    assert call(Wish(schema={"type": "array"})).schema == {"type": "array"}
    assert call(Wish(), response_format={"type": "json_object", "schema": {"type": "null"}}).schema == {"type": "null"}
    result = {"role": "tool", "tool_call_id": "c", "content": [{"type": "document", "document": {"data": "sunny"}}, {"text": "warm"}]}
    turns = [{"role": "user", "content": "go"}, {"role": "assistant", "tool_calls": [{"id": "c"}]}, result]
    assert call(Wish(), messages=turns).results == ("sunny warm",)


@pytest.mark.parametrize("body", [{}, {"messages": 3, "tools": "x"}, {"messages": [1, {"content": [2]}], "tools": [None]}])
def test_odd_requests_are_read_anyway(body: dict[str, Any]) -> None:
    assert read(Asked(path="/", body=body)).text == ""
