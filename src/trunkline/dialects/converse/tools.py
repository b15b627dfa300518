"""`toolConfig`: tools within Bedrock's alphabet, and whether they must be called (Bedrock API reference, `ToolConfiguration`)."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec
from msgspec import Raw

from trunkline.dialects import loose
from trunkline.dialects.converse import DIALECT
from trunkline.dialects.converse.schema import input_schema
from trunkline.dialects.hub.conversation import Conversation, Tool, ToolCall, ToolChoice, ToolResult
from trunkline.dialects.names import Names

Wire = dict[str, object]

INPUT: Final = "input"
"""The one argument of a function that stands in for a tool of free text."""
PAST: Final = "A tool of an earlier part of this conversation. It can no longer be called."
UNCALLED: Final = "Answer without calling a tool."
"""What is said where calls are ruled out: Converse has no word for it."""

ALPHABET: Final = "A-Za-z0-9_-"
LIMIT: Final = 64
_ANYTHING: Final = Raw(b'{"type":"object","properties":{}}')
_FREE_TEXT: Final = Raw(b'{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}')


def names_of(conversation: Conversation) -> Names:
    """The map between the caller's tool names and Bedrock's, of tools on offer and in the history."""
    return Names((*_offered_names(conversation.tools), *used(conversation)), allowed=ALPHABET, limit=LIMIT)


def custom_names(conversation: Conversation) -> frozenset[str]:
    """The tools that take free text."""
    return frozenset(tool.name for tool in conversation.tools if tool.kind == "custom")


def used(conversation: Conversation) -> tuple[str, ...]:
    """The tools that the history calls or has results of, each once."""
    blocks = (block for turn in conversation.turns for block in turn.blocks)
    return tuple(dict.fromkeys(block.name for block in blocks if isinstance(block, ToolCall | ToolResult) and block.name))


def offered(conversation: Conversation) -> tuple[Tool, ...]:
    """The tools that can be sent: those allowed, without other dialects' server tools; none where calls are ruled out and the history has
    none either."""
    choice = conversation.tool_choice
    if choice.mode == "none" and not used(conversation):
        return ()
    return tuple(
        tool
        for tool in conversation.tools
        if (tool.dialect == DIALECT and tool.raw is not None)
        or (tool.kind != "server" and (not choice.allowed or tool.name in choice.allowed))
    )


def definitions(tools: Iterable[Tool], names: Names, *, strict: bool) -> list[tuple[Wire | Raw, Tool]]:
    """The tools, each with what it is made of, in the caller's order. `strict`: the endpoint knows strict tools. Raises ApiError for a
    schema that is none."""
    return [(_definition(tool, names, strict=strict), tool) for tool in tools]


def remembered(conversation: Conversation, names: Names) -> list[Wire]:
    """Tools of the history where none is on offer: without a `toolConfig` their calls would be refused."""
    return [
        {"toolSpec": {"name": names.wire(name), "description": PAST, "inputSchema": {"json": _ANYTHING}}} for name in used(conversation)
    ]


def choice(wanted: ToolChoice, names: Names) -> Wire | None:
    """`toolChoice`; None where the default says the same, and for `none`, which Converse does not know."""
    if wanted.mode == "function" and wanted.name is not None:
        return {"tool": {"name": names.wire(wanted.name)}}
    return {"any": {}} if wanted.mode == "required" else None


def object_of(arguments: str) -> Raw:
    """The `input` object of a call, byte for byte. Text that is no JSON object is wrapped: `{"INVALID_JSON": <the text>}`."""
    text = arguments.strip()
    if not text:
        return Raw(b"{}")
    data = text.encode("utf-8", "replace")
    try:
        msgspec.json.decode(data, type=dict[str, object])
        return Raw(data)
    except loose.FAILURES:
        return Raw(msgspec.json.encode({"INVALID_JSON": data.decode()}))


def free_text(text: str) -> Raw:
    """The `input` object of a tool that takes free text."""
    return Raw(msgspec.json.encode({INPUT: text.encode("utf-8", "replace").decode()}))


def text_of(arguments: str) -> str:
    """The free text inside an `input` object; the arguments themselves when they hold none."""
    try:
        value = loose.decode(arguments.encode("utf-8", "replace"))
    except ValueError:
        return arguments
    text = value.get(INPUT) if isinstance(value, Mapping) else None
    return text if isinstance(text, str) else arguments


def _definition(tool: Tool, names: Names, *, strict: bool) -> Wire | Raw:
    if tool.raw is not None and tool.dialect == DIALECT:
        return tool.raw
    custom = tool.kind == "custom"
    spec: Wire = {"name": names.wire(tool.name)}
    if tool.description and tool.description.strip():
        spec["description"] = tool.description
    spec["inputSchema"] = {"json": _FREE_TEXT if custom else input_schema(tool.parameters, f"tools: {tool.name}")}
    if tool.strict and strict and not custom:
        spec["strict"] = True
    return {"toolSpec": spec}


def _offered_names(tools: Iterable[Tool]) -> Iterable[str]:
    return (tool.name for tool in tools if tool.kind != "server")
