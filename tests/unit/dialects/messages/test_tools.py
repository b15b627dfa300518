import json

from msgspec import Raw, to_builtins

from trunkline.dialects.hub.conversation import Conversation, Text, Tool, ToolCall, ToolChoice, Turn
from trunkline.dialects.messages.tools import choice, custom_names, definitions, names_of, offered
from trunkline.dialects.names import Names

USER = Turn(role="user", blocks=(Text(text="hi"),))
SCHEMA = Raw(b'{"type": "object", "properties": {"z": {}, "a": {}}}')


def conversation(*tools: Tool, turns: tuple[Turn, ...] = (USER,), chosen: ToolChoice | None = None) -> Conversation:
    return Conversation(turns=turns, tools=tools, tool_choice=chosen or ToolChoice())


def defined(*tools: Tool, strict: bool = True) -> list[dict[str, object]]:
    made = definitions(tools, names_of(conversation(*tools)), strict=strict)
    return [{key: json.loads(bytes(value)) if isinstance(value, Raw) else value for key, value in tool.items()} for tool in made]


def test_bug_19_names_fit_anthropics_alphabet_and_stay_apart() -> None:
    long = "x" * 200
    names = names_of(conversation(Tool(name="get.weather"), Tool(name="get weather"), Tool(name=long), Tool(name="ok-1_A")))
    wires = [names.wire(name) for name in ("get.weather", "get weather", long, "ok-1_A")]
    assert len(set(wires)) == 4
    assert all(len(wire) <= 128 and wire.replace("-", "").replace("_", "").isalnum() for wire in wires)
    assert wires[3] == "ok-1_A"
    assert [names.original(wire) for wire in wires] == ["get.weather", "get weather", long, "ok-1_A"]


def test_bug_19_names_of_the_history_are_mapped_too() -> None:
    past = Turn(role="assistant", blocks=(ToolCall(id="t", name="old.tool"),))
    assert names_of(conversation(turns=(USER, past))).wire("old.tool") != "old.tool"


def test_bug_11_order_and_schema_bytes_are_the_callers() -> None:
    made = definitions([Tool(name="z", parameters=SCHEMA), Tool(name="a")], Names([], allowed="a-z", limit=9), strict=True)
    assert [tool["name"] for tool in made] == ["z", "a"]
    assert made[0]["input_schema"] is SCHEMA


def test_bug_09_marks_of_tools_are_kept() -> None:
    made = defined(
        Tool(name="f", cache="1h"), Tool(name="web_search", kind="server", dialect="messages", raw=Raw(b'{"type":"x"}'), cache="5m")
    )
    assert [tool["cache_control"] for tool in made] == ["1h", "5m"]


def test_bug_18_strict_is_sent_where_it_is_known_and_possible() -> None:
    recursive = Raw(b'{"type":"object","properties":{"next":{"$ref":"#"}}}')
    assert defined(Tool(name="f", parameters=SCHEMA, strict=True))[0]["strict"] is True
    assert "strict" not in defined(Tool(name="f", parameters=SCHEMA, strict=True), strict=False)[0]
    assert "strict" not in defined(Tool(name="f", parameters=recursive, strict=True))[0]
    assert defined(Tool(name="f", parameters=recursive, strict=False))[0]["strict"] is False


def test_a_tool_of_free_text_becomes_a_function() -> None:
    free = Tool(name="f", kind="custom", description="d")
    (made,) = defined(free)
    assert made["input_schema"] == {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}
    assert custom_names(conversation(free, Tool(name="g"))) == {"f"}


def test_definitions_of_this_dialect_pass() -> None:
    raw = Raw(b'{"name":"f","input_schema":{"type":"object"},"defer_loading":true,"cache_control":{"type":"ephemeral"}}')
    (made,) = definitions([Tool(name="f", dialect="messages", raw=raw)], Names([], allowed="a-z", limit=9), strict=True)
    assert to_builtins(made) == {"name": "f", "input_schema": {"type": "object"}, "defer_loading": True}


def test_server_tools_of_other_dialects_are_not_offered() -> None:
    own = Tool(name="web_search", kind="server", dialect="messages", raw=Raw(b"{}"))
    other = Tool(name="file_search", kind="server", dialect="responses", raw=Raw(b"{}"))
    assert offered(conversation(own, other, Tool(name="f"))) == (own, Tool(name="f"))


def test_allowed_tools_narrow_the_offer() -> None:
    made = offered(conversation(Tool(name="f"), Tool(name="g"), chosen=ToolChoice(allowed=("g",))))
    assert made == (Tool(name="g"),)


def test_choices() -> None:
    names = Names(["a.b"], allowed="a-z_0-9", limit=20)
    assert choice(ToolChoice(), names) is None
    assert choice(ToolChoice(mode="required", parallel=True), names) == {"type": "any", "disable_parallel_tool_use": False}
    assert choice(ToolChoice(parallel=False), names) == {"type": "auto", "disable_parallel_tool_use": True}
    assert choice(ToolChoice(mode="none", parallel=False), names) == {"type": "none"}


def test_bug_19_a_chosen_tool_has_its_wire_name() -> None:
    names = Names(["a.b"], allowed="a-z_0-9", limit=20)
    assert choice(ToolChoice(mode="function", name="a.b"), names) == {"type": "tool", "name": names.wire("a.b")}
    assert names.wire("a.b") != "a.b"
