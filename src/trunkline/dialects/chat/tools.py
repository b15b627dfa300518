"""A forced tool call where the upstream has no tools of its own: asked for as a JSON schema, and read back as a call (adapters 2.2, quirk
`schema`).

The schema demands `{"name": <the tool>, "arguments": {...}}`; `CallUnwrapper` reads exactly that.
"""

import re

import msgspec
from msgspec import Raw, Struct

from trunkline.dialects.chat.request import ChatRequest

_ANY_OBJECT = Raw(b'{"type":"object"}')


class _Function(Struct):
    name: str
    description: str | None = None
    parameters: Raw = _ANY_OBJECT


class _Tool(Struct):
    function: _Function | None = None


_TOOLS = msgspec.json.Decoder(list[_Tool])


class ForcedCall(Struct, frozen=True):
    """A call that must be made: what to send as `response_format` and as the instruction. `name` is empty while the model may choose a
    tool."""

    name: str
    response_format: Raw
    instruction: str


def forced(request: ChatRequest) -> bool:
    """Whether the caller demands a tool call."""
    return request.tool_choice == "required" or (request.tool_choice == "function" and request.chosen_tool is not None)


def forced_name(request: ChatRequest) -> str | None:
    """The name of the tool that must be called, "" when the model may choose one of several, None when no call is demanded."""
    if not forced(request):
        return None
    if request.chosen_tool is not None:
        return request.chosen_tool
    functions = _functions(request)
    return functions[0].name if len(functions) == 1 else ""


def forced_call(request: ChatRequest) -> ForcedCall | None:
    """The demanded call as a JSON schema; None when the caller demands none."""
    if not forced(request):
        return None
    functions = [item for item in _functions(request) if request.chosen_tool in (None, item.name)]
    variants = [
        {
            "type": "object",
            "properties": {"name": {"const": item.name}, "arguments": _schema(item.parameters)},
            "required": ["name", "arguments"],
            "additionalProperties": False,
        }
        for item in functions
    ]
    schema = variants[0] if len(variants) == 1 else {"anyOf": variants}
    wanted = {"type": "json_schema", "json_schema": {"name": "tool_call", "strict": True, "schema": schema}}
    offers = "; ".join(f"{item.name} ({item.description})" if item.description else item.name for item in functions)
    return ForcedCall(
        name=functions[0].name if len(functions) == 1 else "",
        response_format=Raw(msgspec.json.encode(wanted)),
        instruction=f'Answer only with a JSON object {{"name": ..., "arguments": ...}} that calls this tool: {" ".join(offers.split())}.',
    )


def _functions(request: ChatRequest) -> list[_Function]:
    tools = request.fields.get("tools")
    return [] if tools is None else [tool.function for tool in _TOOLS.decode(tools) if tool.function is not None]


def _schema(parameters: Raw) -> Raw:
    return parameters if bytes(parameters)[:1] == b"{" else _ANY_OBJECT


_OPENING = re.compile(r'\s*\{\s*"name"\s*:\s*("(?:[^"\\]|\\.)*")\s*,\s*"arguments"\s*:\s*(?=\S)')
_OPENING_LIMIT = 1024


class CallUnwrapper:
    """Reads the text of a wrapped call piece by piece. `name` is known once the opening was read; `failed` = the text is no such object."""

    def __init__(self) -> None:
        self.name: str | None = None
        self.failed = False
        self._held = ""

    @property
    def holds_back(self) -> bool:
        return bool(self._held)

    def feed(self, text: str) -> str:
        """Take the next piece; returns what it adds to the arguments, or the text itself once `failed`."""
        if self.failed:
            return text
        self._held += text
        if self.name is None:
            match = _OPENING.match(self._held)
            if match is None:
                self.failed = len(self._held) > _OPENING_LIMIT or self._held.lstrip()[:1] not in ("", "{")
                return self._release() if self.failed else ""
            self.name = msgspec.json.decode(match[1], type=str)
            self._held = self._held[match.end() :]
        kept = len(self._held.rstrip("} \t\r\n"))
        arguments, self._held = self._held[:kept], self._held[kept:]
        return arguments

    def close(self) -> str:
        """The rest at the end of the answer: of the arguments, without the wrapper's own brace, or of the text when no call was read."""
        self.failed = self.name is None
        rest = self._release()
        if self.failed:
            return rest
        rest = rest.rstrip()
        return rest[:-1].rstrip() if rest.endswith("}") else rest

    def _release(self) -> str:
        held, self._held = self._held, ""
        return held
