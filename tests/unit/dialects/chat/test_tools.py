import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.dialects.chat.request import ChatRequest, parse
from trunkline.dialects.chat.tools import CallUnwrapper, forced, forced_call, forced_name

F = {
    "type": "function",
    "function": {"name": "f", "description": "Does\n  f", "parameters": {"type": "object", "properties": {"b": {}, "a": {}}}},
}
G = {"type": "function", "function": {"name": "g"}}


def request(tools: list[object], choice: object) -> ChatRequest:
    return parse(msgspec.json.encode({"messages": [{"role": "user", "content": "x"}], "tools": tools, "tool_choice": choice}))


@pytest.mark.parametrize(
    ("choice", "name"), [("none", None), ("auto", None), ("required", ""), ({"type": "function", "function": {"name": "g"}}, "g")]
)
def test_whether_and_which_call_is_forced(choice: object, name: str | None) -> None:
    asked = request([F, G], choice)
    assert forced_name(asked) == name
    assert forced(asked) is (name is not None)
    assert (forced_call(asked) is None) is (name is None)


def test_one_tool_becomes_one_schema() -> None:
    call = forced_call(request([F], "required"))
    assert call is not None
    assert call.name == forced_name(request([F], "required")) == "f"
    schema = msgspec.json.decode(call.response_format)["json_schema"]["schema"]
    assert schema["properties"] == {"name": {"const": "f"}, "arguments": F["function"]["parameters"]}
    assert schema["required"] == ["name", "arguments"]
    assert b'{"b":{},"a":{}}' in bytes(call.response_format)
    assert "\n" not in call.instruction
    assert "f (Does f)" in call.instruction


def test_several_tools_become_alternatives() -> None:
    call = forced_call(request([F, G], "required"))
    assert call is not None
    schema = msgspec.json.decode(call.response_format)["json_schema"]["schema"]
    assert [one["properties"]["name"]["const"] for one in schema["anyOf"]] == ["f", "g"]
    assert schema["anyOf"][1]["properties"]["arguments"] == {"type": "object"}


WRAPPED = [
    ('{"name":"f","arguments":{"x":{"y":"}"}}}', "f", '{"x":{"y":"}"}}'),
    (' { "name" : "f" , "arguments" : {"x": 1 } } \n', "f", '{"x": 1 }'),
    ('{"name":"f\\u0041","arguments":{}}', "fA", "{}"),
]


@pytest.mark.parametrize(("text", "name", "arguments"), WRAPPED)
@given(data=st.data())
def test_unwraps_however_the_text_is_cut(text: str, name: str, arguments: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    unwrapper = CallUnwrapper()
    read = "".join(unwrapper.feed(text[start:end]) for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True))
    read += unwrapper.close()
    assert (unwrapper.name, read, unwrapper.failed) == (name, arguments, False)


@pytest.mark.parametrize("text", ["Sorry, no.", '{"other":1}', "", '{"name":"f"'])
def test_text_that_is_no_call_comes_out_as_it_is(text: str) -> None:
    unwrapper = CallUnwrapper()
    read = "".join(unwrapper.feed(letter) for letter in text) + unwrapper.close()
    assert (unwrapper.failed, read) == (True, text)


def test_a_long_text_is_not_held_back_for_ever() -> None:
    unwrapper = CallUnwrapper()
    assert unwrapper.feed("{" + "x" * 2000) == "{" + "x" * 2000
    assert unwrapper.feed("more") == "more"
