"""The tools on offer, the choice among them and the form of the answer, from a caller's request."""

import msgspec
from msgspec import Raw

from trunkline.dialects.hub.conversation import Format, Tool, ToolChoice
from trunkline.dialects.responses.fields import AllowedWire, FormatWire, ToolChoiceWire, ToolWire

_LIST = msgspec.json.Decoder(list[Raw] | None)
_TOOL = msgspec.json.Decoder(ToolWire)
_KEYS = msgspec.json.Decoder(dict[str, Raw])


def tools(raw: Raw | None) -> tuple[Tool, ...]:
    """The tools in the caller's order. Each keeps its definition, so that an endpoint of this dialect gets the caller's bytes."""
    return tuple(_tool(one) for one in (_LIST.decode(raw) if raw is not None else None) or ())


def _tool(raw: Raw) -> Tool:
    wire = _TOOL.decode(raw)
    if wire.type not in ("function", "custom"):
        return Tool(name=wire.name or wire.type, kind="server", dialect="responses", raw=raw)
    parameters = _KEYS.decode(raw).get("parameters") if wire.parameters is not None else None
    return Tool(
        name=wire.name or "",
        kind="function" if wire.type == "function" else "custom",
        description=wire.description,
        parameters=parameters,
        strict=wire.strict,
        dialect="responses",
        raw=raw,
    )


def tool_choice(choice: str | ToolChoiceWire | None, parallel: bool | None) -> ToolChoice:
    """The choice; one of a server tool counts as `required`."""
    match choice:
        case None | "auto":
            return ToolChoice(parallel=parallel)
        case "none":
            return ToolChoice(mode="none", parallel=parallel)
        case ToolChoiceWire(type="function" | "custom"):
            return ToolChoice(mode="function", name=choice.name, parallel=parallel)
        case ToolChoiceWire(type="allowed_tools"):
            return ToolChoice(mode=choice.mode or "auto", parallel=parallel, allowed=_allowed(choice.tools or []))
        case _:
            return ToolChoice(mode="required", parallel=parallel)


def _allowed(listed: list[AllowedWire]) -> tuple[str, ...]:
    return tuple(one.name or one.type for one in listed)


def answer_format(wire: FormatWire, text: Raw) -> Format | None:
    """The form of the answer; `text` is the raw object it stands in, for the schema's bytes. None for forms no other dialect has."""
    if wire.type == "text":
        return Format()
    if wire.type == "json_object":
        return Format(kind="json_object")
    if wire.type != "json_schema":
        return None
    raw = _KEYS.decode(_KEYS.decode(text)["format"])
    return Format(kind="json_schema", name=wire.name, description=wire.description, schema=raw.get("schema"), strict=wire.strict)
