from typing import Any

import msgspec
import pytest
from msgspec import Raw

from trunkline.dialects.converse import tools
from trunkline.dialects.hub.conversation import Conversation, Text, Tool, ToolCall, ToolChoice, ToolResult, Turn

SCHEMA = Raw(b'{"type":"object","properties":{}}')
HISTORY = (
    Turn(role="assistant", blocks=(Text(text="x"), ToolCall(id="1", name="old"), ToolCall(id="2", name="old"))),
    Turn(role="tool", blocks=(ToolResult(id="1", name="lost"),)),
)


def definitions(*offered: Tool, strict: bool = True) -> Any:
    conversation = Conversation(turns=(), tools=offered)
    made = tools.definitions(offered, tools.names_of(conversation), strict=strict)
    return [msgspec.json.decode(msgspec.json.encode(one)) for one, _ in made]


def test_a_function() -> None:
    tool = Tool(name="f", description="Does it.", parameters=SCHEMA, strict=True)
    spec = {"name": "f", "description": "Does it.", "inputSchema": {"json": {"type": "object", "properties": {}}}}
    assert definitions(tool) == [{"toolSpec": {**spec, "strict": True}}]
    assert definitions(tool, strict=False) == [{"toolSpec": spec}]


def test_a_blank_description_is_left_out() -> None:
    assert "description" not in definitions(Tool(name="f", description=" "))[0]["toolSpec"]


def test_a_tool_of_free_text_is_a_function_of_one_text() -> None:
    (made,) = definitions(Tool(name="f", kind="custom", strict=True))
    assert made["toolSpec"]["inputSchema"]["json"]["properties"] == {"input": {"type": "string"}}
    assert tools.text_of(bytes(tools.free_text("a\nb")).decode()) == "a\nb"
    assert tools.text_of("no object") == "no object"
    assert tools.text_of('{"other":1}') == '{"other":1}'


def test_the_upstreams_own_tools_go_as_they_are_and_others_stay_away() -> None:
    own = Tool(name="n", kind="server", dialect="converse", raw=Raw(b'{"systemTool":{"name":"n"}}'))
    foreign = Tool(name="m", kind="server", dialect="messages", raw=Raw(b"{}"))
    offered = tools.offered(Conversation(turns=(), tools=(own, foreign)))
    assert offered == (own,)
    assert definitions(own) == [{"systemTool": {"name": "n"}}]


def test_bug_19_names_fit_and_come_back() -> None:
    long, odd = "a" * 70, "a.b/c"
    names = tools.names_of(Conversation(turns=HISTORY, tools=(Tool(name=long), Tool(name=odd), Tool(name="ok"))))
    wire = [names.wire(one) for one in (long, odd, "ok", "old")]
    assert all(len(one) <= 64 and one.replace("_", "").replace("-", "").isalnum() for one in wire)
    assert [names.original(one) for one in wire] == [long, odd, "ok", "old"]


def test_tools_of_the_history_are_remembered_once_each() -> None:
    conversation = Conversation(turns=HISTORY)
    made = tools.remembered(conversation, tools.names_of(conversation))
    assert [one["toolSpec"]["name"] for one in made] == ["old", "lost"]  # type: ignore[index, call-overload]


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        (ToolChoice(), None),
        (ToolChoice(mode="none"), None),
        (ToolChoice(mode="required"), {"any": {}}),
        (ToolChoice(mode="function", name="a.b"), {"tool": {"name": "a_b_"}}),
    ],
)
def test_choices(choice: ToolChoice, sent: dict[str, Any] | None) -> None:
    names = tools.names_of(Conversation(turns=(), tools=(Tool(name="a.b"),)))
    made = tools.choice(choice, names)
    if sent is not None and "tool" in sent:
        assert made is not None
        assert made["tool"] == {"name": names.wire("a.b")}
    else:
        assert made == sent


def test_allowed_tools_narrow_the_offer() -> None:
    offer = (Tool(name="a"), Tool(name="b"))
    assert tools.offered(Conversation(turns=(), tools=offer, tool_choice=ToolChoice(allowed=("b",)))) == (offer[1],)


def test_without_calls_there_are_no_tools_unless_the_history_has_some() -> None:
    offer, never = (Tool(name="a"),), ToolChoice(mode="none")
    assert tools.offered(Conversation(turns=(), tools=offer, tool_choice=never)) == ()
    assert tools.offered(Conversation(turns=HISTORY, tools=offer, tool_choice=never)) == offer


@pytest.mark.parametrize("text", ['{"b": 1.0, "a": 12345678901234567890123}', "{}", '{"x":"\u00e9"}'])
def test_bug_11_arguments_keep_their_bytes(text: str) -> None:
    assert bytes(tools.object_of(text)) == text.encode()


@pytest.mark.parametrize("text", ["{", "[1]", "nonsense", "1"])
def test_arguments_that_are_no_object_are_wrapped(text: str) -> None:
    assert msgspec.json.decode(tools.object_of(text)) == {"INVALID_JSON": text}
    assert bytes(tools.object_of(" ")) == b"{}"
