"""Functions, names and the duty to call (adapters 2.4, classes 18, 19 and 21)."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from trunkline.dialects.gemini.tools import ToolNames, calling_config, declared
from trunkline.dialects.hub.conversation import Conversation, Tool, ToolCall, ToolChoice, ToolResult, Turn
from trunkline.protocol.quirks import Quirks

SCHEMA = Raw(b'{"type":"object","properties":{"a":{"type":["string","null"]}}}')
WIRE = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")


def names(*tools: Tool) -> ToolNames:
    return ToolNames(Conversation(turns=(), tools=tools))


@pytest.mark.parametrize("name", ["get_it", "a.b-c", "_x", "_", "Z9", "x" * 64])
def test_names_that_fit(name: str) -> None:
    found = names(Tool(name=name))
    assert found.wire(name) == name
    assert found.original(name) == name


def test_bug_19_names_outside_the_alphabet_go_and_come_back() -> None:
    long = "x" * 70
    found = names(Tool(name="mcp:files/read"), Tool(name="größe"), Tool(name=long), Tool(name="1"), Tool(name="_1"), Tool(name="_\0001"))
    wires = [found.wire(name) for name in ("mcp:files/read", "größe", long, "1", "_1", "_\0001")]
    assert len(set(wires)) == 6
    assert all(WIRE.fullmatch(wire) for wire in wires)
    assert [found.original(wire) for wire in wires] == ["mcp:files/read", "größe", long, "1", "_1", "_\0001"]
    assert found.original("never_sent") == "never_sent"
    assert found.original(f"default_api:{wires[0]}") == "mcp:files/read"
    assert found.original("default_api.other") == "default_api.other"


def test_bug_19_history_and_choice_use_the_same_names() -> None:
    turns = (
        Turn(role="assistant", blocks=(ToolCall(id="1", name="old/tool"),)),
        Turn(role="tool", blocks=(ToolResult(id="1", name="other/tool"),)),
    )
    found = ToolNames(Conversation(turns=turns, tools=(Tool(name="new/tool"),)))
    for name in ("old/tool", "new/tool", "other/tool"):
        assert found.original(found.wire(name)) == name
        assert WIRE.fullmatch(found.wire(name))
    assert calling_config(ToolChoice(mode="function", name="new/tool"), found) == {
        "mode": "ANY",
        "allowedFunctionNames": [found.wire("new/tool")],
    }


@given(st.lists(st.text(min_size=1, max_size=80), max_size=6, unique=True))
def test_any_names_are_one_to_one(wanted: list[str]) -> None:
    found = names(*(Tool(name=name) for name in wanted))
    wires = [found.wire(name) for name in wanted]
    assert [found.original(wire) for wire in wires] == wanted
    assert all(WIRE.fullmatch(wire) for wire in wires)


@pytest.mark.parametrize(
    ("choice", "config"),
    [
        (ToolChoice(), None),
        (ToolChoice(parallel=False), None),
        (ToolChoice(mode="none"), {"mode": "NONE"}),
        (ToolChoice(mode="none", allowed=("f",)), {"mode": "NONE"}),
        (ToolChoice(mode="required"), {"mode": "ANY"}),
        (ToolChoice(mode="required", allowed=("f", "g")), {"mode": "ANY", "allowedFunctionNames": ["f", "g"]}),
        (ToolChoice(mode="function", name="f"), {"mode": "ANY", "allowedFunctionNames": ["f"]}),
        (ToolChoice(allowed=("f",)), {"mode": "VALIDATED", "allowedFunctionNames": ["f"]}),
    ],
)
def test_bug_21_tool_choice(choice: ToolChoice, config: dict[str, object] | None) -> None:
    assert calling_config(choice, names()) == config


def test_declarations() -> None:
    server = Tool(name="s", kind="server", dialect="gemini", raw=Raw(b'{"googleSearch":{}}'))
    foreign = Tool(name="t", kind="server", dialect="messages", raw=Raw(b"{}"))
    tools = (
        Tool(name="f", description="does", parameters=SCHEMA, strict=True),
        Tool(name="bare"),
        Tool(name="empty", parameters=Raw(b"{}"), description=""),
        Tool(name="free", kind="custom"),
        server,
        foreign,
    )
    found = names(*tools)
    assert found.custom == {"free"}
    assert declared(tools, found, Quirks()) == [
        {
            "functionDeclarations": [
                {"name": "f", "description": "does", "parametersJsonSchema": SCHEMA},
                {"name": "bare"},
                {"name": "empty"},
                {
                    "name": "free",
                    "parametersJsonSchema": Raw(b'{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}'),
                },
            ]
        },
        Raw(b'{"googleSearch":{}}'),
    ]
    assert declared((foreign,), found, Quirks()) == []


def test_declarations_in_the_subset() -> None:
    tools = (Tool(name="f", parameters=SCHEMA), Tool(name="none", parameters=Raw(b'{"type":"object","properties":{}}')))
    assert declared(tools, names(*tools), Quirks(tool_schema="subset")) == [
        {
            "functionDeclarations": [
                {"name": "f", "parameters": {"type": "object", "properties": {"a": {"type": "string", "nullable": True}}}},
                {"name": "none"},
            ]
        }
    ]
