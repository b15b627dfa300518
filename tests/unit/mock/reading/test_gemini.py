from typing import Any

import pytest
from vendor_requests import Wish, gemini

from trunkline.mock.call import Asked, Call
from trunkline.mock.reading.gemini import read

TOOLS: dict[str, dict[str, Any]] = {"f": {"type": "object"}, "g": {"type": "object"}}


def call(wish: Wish, **more: Any) -> Call:
    path, body = gemini(wish)
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


def test_either_spelling() -> None:
    body: dict[str, Any] = {
        "contents": [{"parts": [{"text": "go"}]}],
        "system_instruction": {"parts": [{"text": "be brief"}]},
        "generation_config": {"max_output_tokens": 5, "response_mime_type": "application/json", "response_schema": {"type": "ARRAY"}},
        "tools": [{"function_declarations": [{"name": "f", "parameters_json_schema": {"type": "object"}}]}],
        "tool_config": {"function_calling_config": {"mode": "ANY", "allowed_function_names": ["f"]}},
    }
    found = read(Asked(path="/", body=body))
    assert (found.words, found.max_tokens, found.schema, found.forced_tool) == (3, 5, {"type": "ARRAY"}, "f")
    assert found.tools == (("f", {"type": "object"}),)


def test_the_verb_tells_the_stream_and_json_needs_no_schema() -> None:
    assert read(Asked(path="/", verb="streamGenerateContent")).stream
    assert call(Wish(), generationConfig={"responseMimeType": "application/json"}).schema == {"type": "object"}


def test_counting_may_wrap_the_request() -> None:
    _, body = gemini(Wish())
    assert read(Asked(path="/", verb="countTokens", body={"generateContentRequest": body})).words == 3


@pytest.mark.parametrize("body", [{}, {"contents": 3, "tools": "x"}, {"contents": [1, {"parts": [2]}], "tools": [None]}])
def test_odd_requests_are_read_anyway(body: dict[str, Any]) -> None:
    assert read(Asked(path="/", body=body)).text == ""
