from typing import Any

import pytest
from vendor_requests import Wish, messages

from trunkline.mock.call import Asked, Call
from trunkline.mock.reading.messages import read

TOOLS: dict[str, dict[str, Any]] = {"f": {"type": "object"}, "g": {"type": "object"}}


def call(wish: Wish, **more: Any) -> Call:
    path, body = messages(wish)
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


def test_choices_and_schemas() -> None:
    assert call(Wish(tools=TOOLS), tool_choice={"type": "tool", "name": "g"}).forced_tool == "g"
    assert call(Wish(schema={"type": "array"})).schema == {"type": "array"}
    assert call(Wish(), output_format={"type": "json_schema", "schema": {"type": "null"}}).schema == {"type": "null"}


def test_at_vertex_the_path_has_model_and_stream() -> None:
    _, body = messages(Wish())
    found = read(Asked(path="/", model="claude", verb="streamRawPredict", body=body))
    assert (found.model, found.stream) == ("claude", True)


@pytest.mark.parametrize("body", [{}, {"messages": 3, "tools": "x", "system": 4}, {"messages": [1, {"content": [2]}], "tools": [None]}])
def test_odd_requests_are_read_anyway(body: dict[str, Any]) -> None:
    assert read(Asked(path="/", body=body)).text == ""
