"""Tools and `tool_choice` of a Messages request for the hub."""

from collections.abc import Mapping
from typing import Literal

import msgspec
from msgspec import Raw

from trunkline.dialects.hub.conversation import Tool, ToolChoice, Ttl
from trunkline.dialects.messages.content import DIALECT
from trunkline.dialects.messages.fields import CacheControl, ChoiceWire, Fields

_RAWS = msgspec.json.Decoder(list[Raw])
_SCHEMAS = msgspec.json.Decoder(dict[str, Raw])
_EXTRAS = ("defer_loading", "allowed_callers", "eager_input_streaming", "input_examples")
_MODES: Mapping[str, Literal["auto", "none", "required", "function"]] = {
    "auto": "auto",
    "any": "required",
    "none": "none",
    "tool": "function",
}


def tools(fields: Fields, raw: Raw | None) -> tuple[Tool, ...]:
    """The tools in the caller's order; `raw` is the array as sent. A function with fields that only Anthropic knows keeps its
    definition."""
    if not fields.tools or raw is None:
        return ()
    out = []
    for wire, definition in zip(fields.tools, _RAWS.decode(raw), strict=True):
        cache = ttl(wire.cache_control)
        if not wire.is_function:
            out.append(Tool(name=wire.name or wire.type or "", kind="server", cache=cache, dialect=DIALECT, raw=Raw(bytes(definition))))
            continue
        keys = _SCHEMAS.decode(definition)
        special = any(key in keys for key in _EXTRAS)
        out.append(
            Tool(
                name=wire.name or "",
                description=wire.description,
                parameters=Raw(bytes(keys["input_schema"])),
                strict=wire.strict,
                cache=cache,
                dialect=DIALECT if special else "",
                raw=Raw(bytes(definition)) if special else None,
            )
        )
    return tuple(out)


def choice(wire: ChoiceWire | None) -> ToolChoice:
    """The choice; `auto` when nothing is said."""
    if wire is None:
        return ToolChoice()
    parallel = None if wire.disable_parallel_tool_use is None else not wire.disable_parallel_tool_use
    return ToolChoice(mode=_MODES[wire.type], name=wire.name if wire.type == "tool" else None, parallel=parallel)


def ttl(control: CacheControl | None) -> Ttl | None:
    """The time to live of a cache mark; Anthropic's default is five minutes."""
    return None if control is None else control.ttl or "5m"
