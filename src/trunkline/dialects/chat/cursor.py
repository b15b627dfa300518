"""Requests to `/api/v1/cursor`: Cursor writes tools flat, as the Responses dialect does; they are nested, everything else keeps its bytes
(contract 1.1)."""

import msgspec
from msgspec import Raw

from trunkline.dialects.chat import request
from trunkline.dialects.chat.request import ChatRequest

_KEYS = msgspec.json.Decoder(dict[str, Raw])
_TOOLS = msgspec.json.Decoder(list[dict[str, Raw]])
_CHOICE = msgspec.json.Decoder(dict[str, Raw])
_OUTSIDE = ("type", "cache_control")
_FUNCTION = b'"function"'


def parse(body: bytes) -> ChatRequest:
    """Read a request whose tools may be flat. Raises as `request.parse` does."""
    return request.parse(_nested(body))


def _nested(body: bytes) -> bytes:
    """The body with nested tools; one that cannot be read stays as it is, for the check to name what is wrong."""
    try:
        fields = _KEYS.decode(body)
        changes: dict[str, Raw] = {}
        if "tools" in fields:
            changes["tools"] = Raw(msgspec.json.encode([_nest(tool) for tool in _TOOLS.decode(fields["tools"])]))
        if bytes(fields.get("tool_choice", b""))[:1] == b"{":
            changes["tool_choice"] = Raw(msgspec.json.encode(_nest(_CHOICE.decode(fields["tool_choice"]))))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return body
    return msgspec.json.encode({**fields, **changes}) if changes else body


def _nest(tool: dict[str, Raw]) -> dict[str, Raw]:
    if bytes(tool.get("type", b"")) != _FUNCTION or "function" in tool or "name" not in tool:
        return tool
    outside = {key: tool[key] for key in _OUTSIDE if key in tool}
    inside = {key: value for key, value in tool.items() if key not in _OUTSIDE}
    return {**outside, "function": Raw(msgspec.json.encode(inside))}
