"""Tools, the choice among them, reasoning and the form of the answer, as an upstream of this dialect wants them."""

from collections.abc import Mapping

import msgspec
from msgspec import Raw

from trunkline.dialects.efforts import effort_of
from trunkline.dialects.hub.conversation import Conversation, Format, ReasoningWish, Tool, ToolCall, ToolChoice
from trunkline.dialects.names import Names
from trunkline.protocol.quirks import Quirks

_DIALECT = "responses"
_NAME_LETTERS = "A-Za-z0-9_-"
_NAME_LIMIT = 64
_NO_PARAMETERS = Raw(b'{"type":"object","properties":{}}')
_FLAT = ("name", "description", "format")

Object = dict[str, object]


def names_of(conversation: Conversation) -> Names:
    """The upstream's names of all tools that a conversation offers or has called."""
    offered = [tool.name for tool in conversation.tools if tool.kind != "server"]
    called = [block.name for turn in conversation.turns for block in turn.blocks if isinstance(block, ToolCall)]
    return Names([*offered, *called], allowed=_NAME_LETTERS, limit=_NAME_LIMIT)


def tools(conversation: Conversation, names: Names) -> list[object]:
    """The tools in the caller's order; server tools of other dialects are left out."""
    return [tool for tool in (_tool(one, names) for one in conversation.tools) if tool is not None]


def _tool(tool: Tool, names: Names) -> object | None:
    if tool.dialect == _DIALECT and tool.raw is not None and names.wire(tool.name) == tool.name:
        return tool.raw
    if tool.kind == "server":
        return None
    if tool.kind == "custom":
        return _custom(tool, names)
    return {
        "type": "function",
        "name": names.wire(tool.name),
        **({} if tool.description is None else {"description": tool.description}),
        "parameters": tool.parameters or _NO_PARAMETERS,
        "strict": tool.strict is True,
    }


def _custom(tool: Tool, names: Names) -> Object:
    """A custom tool; the chat dialect nests its definition under `custom`, and a grammar once more under `grammar`."""
    known = msgspec.json.decode(tool.raw, type=dict[str, object]) if tool.raw is not None else {}
    nested = known.get("custom")
    definition = nested if isinstance(nested, dict) else known
    out: Object = {"type": "custom", **{key: definition[key] for key in _FLAT if key in definition}, "name": names.wire(tool.name)}
    form = out.get("format")
    if isinstance(form, dict) and isinstance(form.get("grammar"), dict):
        out["format"] = {"type": "grammar", **form["grammar"]}
    return out


def choice(conversation: Conversation, names: Names, quirks: Quirks) -> object | None:
    """`tool_choice`; None when the upstream's own default says it."""
    asked = conversation.tool_choice
    kinds = {tool.name: tool.kind for tool in conversation.tools if tool.kind != "server" or tool.dialect == _DIALECT}
    if conversation.dialect == _DIALECT and "tool_choice" in conversation.extra:
        return conversation.extra["tool_choice"]
    if asked.mode == "function":
        return _named(asked.name or "", kinds, names)
    allowed = [_named(name, kinds, names) for name in asked.allowed if name in kinds]
    if allowed:
        return {"type": "allowed_tools", "mode": _allowed_mode(asked), "tools": allowed}
    return None if asked.mode == "auto" else quirks.tool_choice_map.get(asked.mode, asked.mode)


def _allowed_mode(asked: ToolChoice) -> str:
    return "required" if asked.mode == "required" else "auto"


def _named(name: str, kinds: Mapping[str, str], names: Names) -> Object:
    kind = kinds.get(name, "function")
    return {"type": name} if kind == "server" else {"type": kind, "name": names.wire(name)}


def text(conversation: Conversation, quirks: Quirks) -> Object:
    """`text`: the form of the answer and its verbosity; empty when neither is asked for."""
    out: Object = {}
    if conversation.format is not None and conversation.format.kind != "text":
        form = _format(conversation.format, quirks)
        if form is not None:
            out["format"] = form
    if conversation.verbosity is not None:
        out["verbosity"] = conversation.verbosity
    return out


def _format(form: Format, quirks: Quirks) -> Object | None:
    if quirks.json_schema == "none":
        return None
    if form.kind == "json_object" or form.schema is None or quirks.json_schema == "object":
        return {"type": "json_object"}
    optional = {"description": form.description, "strict": form.strict}
    given = {key: value for key, value in optional.items() if value is not None}
    return {"type": "json_schema", "name": form.name or "response", **given, "schema": form.schema}


def reasoning(wish: ReasoningWish, max_tokens: int | None, quirks: Quirks) -> Object:
    """`reasoning`: a budget becomes an effort unless the upstream takes budgets; empty when nothing is asked that it could know."""
    out: Object = {}
    effort = _effort(wish, max_tokens, native=quirks.native_reasoning)
    if effort is not None:
        effort = quirks.effort_map.get(effort, effort)
    if effort:
        out["effort"] = effort
    elif quirks.native_reasoning and wish.max_tokens is not None:
        out["max_tokens"] = wish.max_tokens
    if wish.summary is not None and effort != "none" and not wish.exclude and REASONING_SUMMARY not in quirks.drop:
        out["summary"] = wish.summary
    out.update({key: value for key, value in (("context", wish.context), ("mode", wish.mode)) if value is not None})
    return out


REASONING_SUMMARY = "reasoning.summary"
"""In `Quirks.drop`: the upstream refuses to be asked for summaries."""


def _effort(wish: ReasoningWish, max_tokens: int | None, *, native: bool) -> str | None:
    if wish.enabled is False:
        return "none"
    if wish.effort is not None or (wish.max_tokens is None and not wish.enabled):
        return wish.effort
    if wish.max_tokens is None:
        return "medium"
    return None if native else effort_of(wish.max_tokens, max_tokens)
