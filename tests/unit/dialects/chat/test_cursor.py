import msgspec
import pytest

from trunkline.dialects.chat.cursor import parse
from trunkline.errors import ApiError

MESSAGES = b'[{"role":"user","content":"h\\u0069"}]'


def body(**fields: object) -> bytes:
    return msgspec.json.encode({"model": "a/b", "messages": msgspec.Raw(MESSAGES), **fields})


def test_flat_tools_are_nested() -> None:
    schema = msgspec.Raw(b'{"type":"object", "properties":{"z":{},"a":{}}}')
    flat = {"type": "function", "name": "f", "description": "d", "parameters": schema, "strict": False}
    request = parse(body(tools=[flat], tool_choice={"type": "function", "name": "f"}))
    assert msgspec.json.decode(request.fields["tools"]) == [
        {"type": "function", "function": {"name": "f", "description": "d", "parameters": msgspec.json.decode(schema), "strict": False}}
    ]
    assert bytes(schema) in bytes(request.fields["tools"])
    assert (request.tool_choice, request.chosen_tool) == ("function", "f")
    assert bytes(request.fields["messages"]) == MESSAGES


def test_nested_and_server_tools_stay() -> None:
    tools = [{"type": "function", "function": {"name": "f"}}, {"type": "openrouter:web_search"}]
    request = parse(body(tools=tools, tool_choice="auto"))
    assert msgspec.json.decode(request.fields["tools"]) == tools
    assert parse(body()).fields["messages"] == msgspec.Raw(MESSAGES)


@pytest.mark.parametrize("wrong", [b"{", b"[]", b'{"tools":5}', b'{"messages":[],"tools":[{"type":"function"}]}', b"\xff"])
def test_what_is_wrong_is_named_as_everywhere(wrong: bytes) -> None:
    with pytest.raises(ApiError):
        parse(wrong)
