from typing import Any

import pytest
from vendor_requests import Wish, converse

from trunkline.mock.call import Asked, Call
from trunkline.mock.reading.converse import read

TOOLS: dict[str, dict[str, Any]] = {"f": {"type": "object"}, "g": {"type": "object"}}


def call(wish: Wish, **more: Any) -> Call:
    path, body = converse(wish)
    return read(Asked(path=path, body=body | more, model=wish.model))


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
    config = converse(Wish(tools=TOOLS))[1]["toolConfig"] | {"toolChoice": {"tool": {"name": "g"}}}
    assert call(Wish(), toolConfig=config).forced_tool == "g"
    wanted = {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": '{"type": "array"}'}}}}
    assert call(Wish(), outputConfig=wanted).schema == {"type": "array"}
    wanted["textFormat"]["structure"] = {"jsonSchema": {"schema": "{"}}
    assert call(Wish(), outputConfig=wanted).schema == {}


def test_results_in_json_and_the_stream_by_its_verb() -> None:
    blocks = [{"toolResult": {"toolUseId": "c", "content": [{"json": {"a": 1}}, {"text": "x"}]}}]
    assert call(Wish(), messages=[{"role": "user", "content": blocks}]).results == ('{"a":1} x',)
    assert read(Asked(path="/", verb="converse-stream")).stream


@pytest.mark.parametrize("body", [{}, {"messages": 3, "toolConfig": "x"}, {"messages": [1, {"content": [2]}]}])
def test_odd_requests_are_read_anyway(body: dict[str, Any]) -> None:
    assert read(Asked(path="/", body=body)).text == ""
