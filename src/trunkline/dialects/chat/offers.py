"""Tools on offer and the choice among them, both ways (contract 2.8).

A custom tool, whose argument is free text, exists at few chat servers. One that came in another dialect is offered as a function with the
one argument `input`; `decoder` takes the text out again.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Raw, Struct

from trunkline.dialects.chat.parts import cache_control, ttl_of
from trunkline.dialects.hub.conversation import Conversation, Tool, ToolCall, ToolChoice
from trunkline.dialects.names import Names

ALLOWED: Final = "A-Za-z0-9_-"
NAME_LIMIT: Final = 64
INPUT: Final = "input"
_INPUT_SCHEMA = Raw(b'{"type":"object","properties":{"input":{"type":"string"}},"required":["input"],"additionalProperties":false}')
_LIST = msgspec.json.Decoder(list[Raw] | None)


class FunctionIn(Struct):
    name: str = ""
    description: str | None = None
    parameters: Raw = Raw(b"null")
    strict: bool | None = None


class ToolIn(Struct):
    type: str
    function: FunctionIn | None = None
    custom: FunctionIn | None = None
    cache_control: object = None


class ChosenIn(Struct):
    """`allowed_tools` is OpenAI's way to offer a part of the tools."""

    type: str
    function: FunctionIn | None = None
    custom: FunctionIn | None = None
    allowed_tools: "AllowedIn | None" = None


class AllowedIn(Struct):
    mode: str = "auto"
    tools: list[ChosenIn] = []


_TOOL = msgspec.json.Decoder(ToolIn)
_CHOICE = msgspec.json.Decoder(str | ChosenIn | None)


def tools_of(tools: Raw) -> tuple[Tool, ...]:
    """The tools of a request. Types other than `function` and `custom` are server tools, named by their type."""
    return tuple(map(_tool, _LIST.decode(tools) or ()))


def _tool(raw: Raw) -> Tool:
    tool = _TOOL.decode(raw)
    cache = ttl_of(tool.cache_control)
    if tool.type == "function" and tool.function is not None:
        function = tool.function
        schema = None if bytes(function.parameters) == b"null" else Raw(bytes(function.parameters))
        return Tool(name=function.name, description=function.description, parameters=schema, strict=function.strict, cache=cache)
    own = Raw(bytes(raw))
    if tool.type == "custom" and tool.custom is not None:
        return Tool(name=tool.custom.name, kind="custom", description=tool.custom.description, dialect="chat", raw=own, cache=cache)
    return Tool(name=tool.type, kind="server", dialect="chat", raw=own, cache=cache)


def choice_of(choice: Raw | None, parallel: bool | None) -> ToolChoice:
    """What is to be called. A server tool is chosen by its type."""
    chosen = None if choice is None else _CHOICE.decode(choice)
    if chosen is None:
        return ToolChoice(parallel=parallel)
    if isinstance(chosen, str):
        return ToolChoice(mode="none" if chosen == "none" else "required" if chosen == "required" else "auto", parallel=parallel)
    if chosen.allowed_tools is not None:
        allowed = tuple(_chosen_name(tool) for tool in chosen.allowed_tools.tools)
        return ToolChoice(mode="required" if chosen.allowed_tools.mode == "required" else "auto", allowed=allowed, parallel=parallel)
    return ToolChoice(mode="function", name=_chosen_name(chosen), parallel=parallel)


def _chosen_name(chosen: ChosenIn) -> str:
    named = chosen.function or chosen.custom
    return chosen.type if named is None else named.name


def tool_names(conversation: Conversation) -> Names:
    """The names of all functions, on offer and in the history, within what chat servers accept."""
    offered = [tool.name for tool in conversation.tools if tool.kind != "server"]
    called = [block.name for turn in conversation.turns for block in turn.blocks if isinstance(block, ToolCall)]
    return Names([*offered, *called], allowed=ALLOWED, limit=NAME_LIMIT)


def emulated(tools: Sequence[Tool]) -> frozenset[str]:
    """The names of custom tools that are offered as functions."""
    return frozenset(tool.name for tool in tools if tool.kind == "custom" and tool.dialect != "chat")


def offer_fields(conversation: Conversation, names: Names, *, marks: bool) -> dict[str, object]:
    """`tools`, `tool_choice` and `parallel_tool_calls` as sent; nothing when no tool can be offered. `marks` = cache marks are sent."""
    choice = conversation.tool_choice
    offered = [tool for tool in conversation.tools if not choice.allowed or tool.name in choice.allowed]
    sent = [(tool, wire) for tool in offered if (wire := _offer(tool, names, marks=marks)) is not None]
    if not sent:
        return {}
    fields: dict[str, object] = {"tools": [wire for _, wire in sent]}
    if choice.mode == "function":
        tool = next((tool for tool, _ in sent if tool.name == choice.name), None)
        if tool is not None:
            fields["tool_choice"] = _named(tool, names)
    elif choice != ToolChoice(parallel=choice.parallel):
        fields["tool_choice"] = choice.mode
    if choice.parallel is not None:
        fields["parallel_tool_calls"] = choice.parallel
    return fields


def _offer(tool: Tool, names: Names, *, marks: bool) -> object:
    if tool.kind != "function" and tool.dialect == "chat":
        return tool.raw
    if tool.kind == "server":
        return None
    schema = _INPUT_SCHEMA if tool.kind == "custom" else tool.parameters
    said = {"name": names.wire(tool.name), "description": tool.description, "parameters": schema, "strict": tool.strict}
    function = {key: value for key, value in said.items() if value is not None}
    wire: dict[str, object] = {"type": "function", "function": function}
    if marks and tool.cache is not None:
        wire["cache_control"] = cache_control(tool.cache)
    return wire


def _named(tool: Tool, names: Names) -> object:
    if tool.kind == "server":
        return {"type": tool.name}
    if tool.kind == "custom" and tool.dialect == "chat":
        return {"type": "custom", "custom": {"name": tool.name}}
    return {"type": "function", "function": {"name": names.wire(tool.name)}}


def wrapped_input(text: str) -> str:
    """The arguments of an emulated custom call."""
    return msgspec.json.encode({INPUT: text}).decode()


def unwrapped_input(arguments: str) -> str:
    """The text of an emulated custom call; arguments of another form are the text themselves."""
    try:
        read = msgspec.json.decode(arguments)
    except msgspec.MsgspecError:
        return arguments
    text = read.get(INPUT, "") if isinstance(read, dict) else arguments
    return text if isinstance(text, str) else msgspec.json.encode(text).decode()
