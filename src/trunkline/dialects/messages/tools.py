"""Tools and `tool_choice` for Anthropic: names within its alphabet, schemas within its rules, tools of free text as functions."""

from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Raw

from trunkline.dialects.hub.conversation import Conversation, Tool, ToolCall, ToolChoice, ToolResult
from trunkline.dialects.messages import marks
from trunkline.dialects.messages.arguments import TEXT_KEY
from trunkline.dialects.messages.content import DIALECT
from trunkline.dialects.messages.schemas import input_schema, is_recursive
from trunkline.dialects.names import Names

NAME_ALPHABET = "A-Za-z0-9_-"
NAME_LIMIT = 128
_FREE_TEXT = Raw(msgspec.json.encode({"type": "object", "properties": {TEXT_KEY: {"type": "string"}}, "required": [TEXT_KEY]}))
_MODES: Mapping[str, str] = {"auto": "auto", "none": "none", "required": "any", "function": "tool"}
_DEFINITION = msgspec.json.Decoder(dict[str, object])


def names_of(conversation: Conversation) -> Names:
    """The map between the caller's tool names and Anthropic's, of tools on offer and in the history."""
    return Names(_all_names(conversation), allowed=NAME_ALPHABET, limit=NAME_LIMIT)


def custom_names(conversation: Conversation) -> frozenset[str]:
    """The tools that take free text."""
    return frozenset(tool.name for tool in conversation.tools if tool.kind == "custom")


def offered(conversation: Conversation) -> tuple[Tool, ...]:
    """The tools that can be sent: those allowed, without other dialects' server tools."""
    allowed = conversation.tool_choice.allowed
    return tuple(
        tool
        for tool in conversation.tools
        if (tool.kind != "server" or tool.dialect == DIALECT) and (not allowed or tool.name in allowed or tool.kind == "server")
    )


def definitions(tools: Iterable[Tool], names: Names, *, strict: bool) -> list[marks.Block]:
    """The `tools` array, in the caller's order. `strict`: the endpoint knows strict tools."""
    return [marks.place(_definition(tool, names, strict=strict), tool.cache) for tool in tools]


def choice(wanted: ToolChoice, names: Names) -> dict[str, object] | None:
    """The `tool_choice`; None where the default says the same."""
    out: dict[str, object] = {"type": _MODES[wanted.mode]}
    if wanted.mode == "function":
        out["name"] = names.wire(wanted.name or "")
    if wanted.parallel is not None and wanted.mode != "none":
        out["disable_parallel_tool_use"] = not wanted.parallel
    return None if out == {"type": "auto"} else out


def _definition(tool: Tool, names: Names, *, strict: bool) -> marks.Block:
    if tool.raw is not None and tool.dialect == DIALECT:
        known = _DEFINITION.decode(tool.raw)
        known.pop(marks.KEY, None)
        return known
    custom = tool.kind == "custom"
    schema = _FREE_TEXT if custom else input_schema(tool.parameters)
    out: marks.Block = {"name": names.wire(tool.name)}
    if tool.description is not None:
        out["description"] = tool.description
    out["input_schema"] = schema
    if tool.strict is not None and strict and not custom and not (tool.strict and is_recursive(schema)):
        out["strict"] = tool.strict
    return out


def _all_names(conversation: Conversation) -> Iterable[str]:
    for tool in conversation.tools:
        if tool.kind != "server":
            yield tool.name
    for turn in conversation.turns:
        for block in turn.blocks:
            if isinstance(block, ToolCall | ToolResult) and block.name:
                yield block.name
