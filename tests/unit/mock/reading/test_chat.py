import msgspec
import pytest

from trunkline.mock.call import Asked, Call
from trunkline.mock.reading import chat


def read(body: bytes) -> Call:
    """The call without the request it was made of."""
    return msgspec.structs.replace(chat.read(Asked(path="/", body=msgspec.json.decode(body))), asked=Asked(path=""))


def test_reads_what_the_answer_depends_on() -> None:
    call = read(
        b"""{"model": "m", "stream": true, "stream_options": {"include_usage": true}, "max_tokens": 9, "tool_choice": {"type": "function",
        "function": {"name": "f"}}, "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
        "messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": [{"type": "text", "text": "a b"},
        {"type": "image_url", "image_url": {"url": "x"}}, {"type": "text", "text": "c"}]}]}"""
    )
    assert call == Call(
        model="m", stream=True, include_usage=True, text="a b c", words=5, max_tokens=9, tools=(("f", {"type": "object"}),), forced_tool="f"
    )


def test_required_forces_the_first_tool_and_auto_none() -> None:
    tools = b'"tools": [{"type": "function", "function": {"name": "f"}}, {"type": "function", "function": {"name": "g"}}]'
    assert read(b'{"tool_choice": "required", ' + tools + b"}").forced_tool == "f"
    assert read(b'{"tool_choice": "auto", ' + tools + b"}").forced_tool == ""
    assert read(b'{"tool_choice": "required"}').forced_tool == ""


def test_the_newer_token_limit_wins() -> None:
    assert read(b'{"max_tokens": 3, "max_completion_tokens": 5}').max_tokens == 5


def test_response_formats() -> None:
    assert read(b'{"response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "array"}}}}').schema == {
        "type": "array"
    }
    assert read(b'{"response_format": {"type": "json_object"}}').schema == {"type": "object"}
    assert read(b'{"response_format": {"type": "text"}}').schema is None


@pytest.mark.parametrize("body", [b'{"messages": 3, "tools": "x", "stream": "yes"}', b'{"messages": [1, {"content": 2}], "tools": [null]}'])
def test_odd_requests_are_read_anyway(body: bytes) -> None:
    assert read(body).text == ""


def test_results_at_the_end_and_the_rounds_before() -> None:
    call = read(
        b"""{"messages": [{"role": "user", "content": "go"}, {"role": "assistant", "tool_calls": [{"id": "1"}, {"id": "2"}]},
        {"role": "tool", "content": "one"}, {"role": "tool", "content": [{"type": "text", "text": "two"}]}]}"""
    )
    assert (call.results, call.rounds) == (("one", "two"), 1)
    assert (
        read(b'{"messages": [{"role": "assistant", "tool_calls": [{}]}, {"role": "tool"}, {"role": "user", "content": "x"}]}').rounds == 0
    )
