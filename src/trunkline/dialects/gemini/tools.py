"""Functions on offer, whether they must be called, and their names in Gemini's alphabet (Gemini API reference, `FunctionDeclaration`)."""

import re
from typing import Final

from msgspec import Raw

from trunkline.dialects.gemini import DIALECT, schema
from trunkline.dialects.hub.conversation import Conversation, Tool, ToolCall, ToolChoice, ToolResult
from trunkline.dialects.names import Names
from trunkline.protocol.quirks import Quirks

INPUT: Final = "input"
"""The one argument of a function that stands in for a tool of free text."""

_ALPHABET: Final = "A-Za-z0-9_.-"
_LIMIT: Final = 64
_MARK: Final = "_\0"
_PREFIX: Final = re.compile(r"^default_api[.:]")
_FREE_TEXT: Final = Raw(b'{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}')
_MODES: Final = {"none": "NONE", "required": "ANY", "function": "ANY"}


class ToolNames:
    """The names of all tools of a conversation, offered or only called in its history, and back. A name must begin with a letter or `_`.

    `custom` holds the caller's names of the tools that take free text.
    """

    def __init__(self, conversation: Conversation) -> None:
        used = [tool.name for tool in conversation.tools if tool.kind != "server"]
        used += [block.name for turn in conversation.turns for block in turn.blocks if isinstance(block, ToolCall)]
        used += [block.name for turn in conversation.turns for block in turn.blocks if isinstance(block, ToolResult) and block.name]
        begun = {_begun(name): name for name in dict.fromkeys(used)}
        self._names = Names(begun, allowed=_ALPHABET, limit=_LIMIT)
        self._callers = {self._names.wire(one): name for one, name in begun.items()}
        self.custom = frozenset(tool.name for tool in conversation.tools if tool.kind == "custom")

    def wire(self, name: str) -> str:
        """The name that is sent."""
        return self._names.wire(_begun(name))

    def original(self, name: str) -> str:
        """The caller's name; one that was never sent, as it is. Models at times put `default_api` before a name."""
        return self._callers.get(name) or self._callers.get(_PREFIX.sub("", name), name)


def declared(tools: tuple[Tool, ...], names: ToolNames, quirks: Quirks) -> list[object]:
    """The `tools` of a request: one entry with all functions, and the upstream's own tools as they came."""
    functions = [_function(tool, names, quirks) for tool in tools if tool.kind != "server"]
    entries: list[object] = [{"functionDeclarations": functions}] if functions else []
    return entries + [tool.raw for tool in tools if tool.kind == "server" and tool.dialect == DIALECT and tool.raw is not None]


def calling_config(choice: ToolChoice, names: ToolNames) -> dict[str, object] | None:
    """`functionCallingConfig`; None where the model may do as it likes. A narrowed free choice is the mode VALIDATED."""
    wanted = (choice.name,) if choice.mode == "function" and choice.name is not None else choice.allowed
    if choice.mode == "none":
        return {"mode": "NONE"}
    mode = _MODES.get(choice.mode, "VALIDATED" if wanted else None)
    if mode is None:
        return None
    return {"mode": mode, "allowedFunctionNames": [names.wire(name) for name in wanted]} if wanted else {"mode": mode}


def _function(tool: Tool, names: ToolNames, quirks: Quirks) -> dict[str, object]:
    function: dict[str, object] = {"name": names.wire(tool.name)}
    if tool.description:
        function["description"] = tool.description
    parameters = _FREE_TEXT if tool.kind == "custom" else tool.parameters
    if parameters is None or bytes(parameters) in (b"null", b"{}"):
        return function
    if quirks.tool_schema == "native":
        function["parametersJsonSchema"] = schema.native(parameters, f"tools: {tool.name}")
        return function
    written = schema.subset(parameters, f"tools: {tool.name}")
    if written.get("type") != "object" or "properties" in written:
        function["parameters"] = written
    return function


def _begun(name: str) -> str:
    """A name that begins as it must. The mark lies outside the alphabet, so that `Names` makes the whole name unlike any other."""
    begins = name[:1].isascii() and (name[:1].isalpha() or name[:1] == "_")
    return name if begins and not name.startswith(_MARK) else _MARK + name
