import msgspec
import pytest
from msgspec import Raw

from trunkline.dialects.chat.offers import choice_of, emulated, offer_fields, tool_names, tools_of, unwrapped_input, wrapped_input
from trunkline.dialects.hub.conversation import Conversation, Text, Tool, ToolCall, ToolChoice, Turn

PARAMETERS = b'{"z":1.0, "a":{"$ref":"#/x"},"a2":2}'
CUSTOM = b'{"type":"custom","custom":{"name":"patch","format":{"type":"grammar","grammar":{"syntax":"lark"}}}}'
SERVER = b'{"type":"openrouter:web_search","parameters":{"max_results":2}}'
WIRE = b'[{"type":"function","function":{"name":"f","description":"d","parameters":%b,"strict":true}},%b,%b]' % (PARAMETERS, CUSTOM, SERVER)


def offered(conversation: Conversation, *, marks: bool = False) -> dict[str, object]:
    fields = msgspec.json.decode(msgspec.json.encode(offer_fields(conversation, tool_names(conversation), marks=marks)))
    assert isinstance(fields, dict)
    return fields


def talk(tools: tuple[Tool, ...], choice: ToolChoice | None = None, *turns: Turn) -> Conversation:
    return Conversation(turns=turns, tools=tools, tool_choice=choice or ToolChoice())


def test_tools_of_all_kinds() -> None:
    function, custom, server = tools_of(Raw(WIRE))
    assert (function.name, function.description, function.strict) == ("f", "d", True)
    assert function.parameters is not None
    assert bytes(function.parameters) == PARAMETERS
    assert (custom.kind, custom.name) == ("custom", "patch")
    assert (server.kind, server.name, server.dialect) == ("server", "openrouter:web_search", "chat")
    assert tools_of(Raw(b"null")) == ()


def test_bug_11_tools_keep_their_order_and_their_bytes() -> None:
    conversation = talk(tools_of(Raw(WIRE)))
    sent = msgspec.json.encode(offer_fields(conversation, tool_names(conversation), marks=False)["tools"])
    assert PARAMETERS in sent
    assert sent.index(b'"f"') < sent.index(CUSTOM) < sent.index(SERVER)


def test_tools_of_other_dialects() -> None:
    tools = (
        Tool(name="patch", kind="custom", description="d", dialect="responses", raw=Raw(b"{}")),
        Tool(name="web_search", kind="server", dialect="responses", raw=Raw(b"{}")),
    )
    (sent,) = offered(talk(tools))["tools"]  # type: ignore[misc]
    assert sent["type"] == "function"
    assert sent["function"]["name"] == "patch"
    assert sent["function"]["parameters"]["required"] == ["input"]
    assert emulated(tools) == {"patch"}
    assert emulated(tools_of(Raw(WIRE))) == frozenset()
    assert offered(talk(tools[1:], ToolChoice(mode="required", parallel=True))) == {}


@pytest.mark.parametrize("text", ["", "plain", '{"a":1}', 'quote " and \\ \n'])
def test_an_emulated_input_comes_back(text: str) -> None:
    assert unwrapped_input(wrapped_input(text)) == text


@pytest.mark.parametrize(("arguments", "text"), [("{}", ""), ("raw text", "raw text"), ('{"input":[1]}', "[1]"), ("[1]", "[1]"), ("", "")])
def test_an_input_of_another_form_is_not_lost(arguments: str, text: str) -> None:
    assert unwrapped_input(arguments) == text


@pytest.mark.parametrize(
    ("wire", "choice"),
    [
        ("auto", ToolChoice()),
        ("none", ToolChoice(mode="none")),
        ("required", ToolChoice(mode="required")),
        (None, ToolChoice()),
        ({"type": "function", "function": {"name": "f"}}, ToolChoice(mode="function", name="f")),
        ({"type": "custom", "custom": {"name": "patch"}}, ToolChoice(mode="function", name="patch")),
        ({"type": "openrouter:web_search"}, ToolChoice(mode="function", name="openrouter:web_search")),
    ],
)
def test_choices_there_and_back(wire: object, choice: ToolChoice) -> None:
    read = choice_of(Raw(msgspec.json.encode(wire)), None)
    assert read == choice
    sent = offered(talk(tools_of(Raw(WIRE)), read))
    assert sent.get("tool_choice") == (None if wire == "auto" else wire)


def test_parallel_calls_and_allowed_tools() -> None:
    allowed = {"mode": "required", "tools": [{"type": "function", "function": {"name": "f"}}]}
    choice = choice_of(Raw(msgspec.json.encode({"type": "allowed_tools", "allowed_tools": allowed})), False)
    assert choice == ToolChoice(mode="required", allowed=("f",), parallel=False)
    sent = offered(talk(tools_of(Raw(WIRE)), choice))
    assert len(sent["tools"]) == 1  # type: ignore[arg-type]
    assert (sent["tool_choice"], sent["parallel_tool_calls"]) == ("required", False)
    assert choice_of(None, True) == ToolChoice(parallel=True)


def test_a_choice_of_a_tool_that_is_not_there_is_not_sent() -> None:
    assert "tool_choice" not in offered(talk((Tool(name="f"),), ToolChoice(mode="function", name="g")))


def test_bug_19_long_and_odd_names_fit_in_tools_choice_and_history() -> None:
    long, odd = "x" * 80, "mcp.server/tool"
    tools = (Tool(name=long), Tool(name=odd), Tool(name="ok"))
    history = Turn(role="assistant", blocks=(ToolCall(id="1", name="gone.tool"), Text(text="t")))
    conversation = talk(tools, ToolChoice(mode="function", name=odd), history)
    names = tool_names(conversation)
    sent = offered(conversation)
    wires = [tool["function"]["name"] for tool in sent["tools"]]  # type: ignore[attr-defined]
    assert all(len(wire) <= 64 and wire.replace("_", "").isalnum() for wire in wires)
    assert len(set(wires)) == 3
    assert sent["tool_choice"] == {"type": "function", "function": {"name": wires[1]}}
    assert [names.original(wire) for wire in wires] == [long, odd, "ok"]
    assert names.original(names.wire("gone.tool")) == "gone.tool"


def test_marks_of_tools() -> None:
    conversation = talk((Tool(name="f", cache="1h"),))
    assert offered(conversation, marks=True)["tools"][0]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}  # type: ignore[index]
    assert "cache_control" not in offered(conversation)["tools"][0]  # type: ignore[index]
