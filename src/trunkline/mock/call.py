"""What the mock reads of a chat request. Lenient: a mock that refuses odd requests could not show what a gateway sent."""

import msgspec
from msgspec import Struct


class Call(Struct, frozen=True, kw_only=True):
    """One chat request as far as the mock uses it. `words` counts the words of all messages; `text` is the last message as text."""

    model: str = ""
    stream: bool = False
    include_usage: bool = False
    text: str = ""
    words: int = 0
    max_tokens: int | None = None
    tools: tuple[tuple[str, object], ...] = ()
    forced_tool: str = ""
    schema: object | None = None


def _mapping(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _sequence(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _text(content: object) -> str:
    """The text of a message's content: a string, or the text parts of a list."""
    if isinstance(content, str):
        return content
    parts = (_mapping(part).get("text") for part in _sequence(content))
    return " ".join(part for part in parts if isinstance(part, str))


def _forced_tool(choice: object, tools: tuple[tuple[str, object], ...]) -> str:
    """The name of the tool that must be called: the named one, or the first for `required`; empty for none."""
    if choice == "required" and tools:
        return tools[0][0]
    name = _mapping(_mapping(choice).get("function")).get("name")
    return name if isinstance(name, str) else ""


def _schema(response_format: object) -> object | None:
    """The schema the reply must fit: `{}`-like for `json_object`, the given one for `json_schema`, None for plain text."""
    wanted = _mapping(response_format)
    if wanted.get("type") == "json_schema":
        return _mapping(wanted.get("json_schema")).get("schema", {})
    return {"type": "object"} if wanted.get("type") == "json_object" else None


def read(body: bytes) -> Call:
    """The call of a request body. Raises ValueError if it is not a JSON object."""
    request = msgspec.json.decode(body)
    if not isinstance(request, dict):
        raise ValueError("the body is not a JSON object")
    texts = [_text(_mapping(message).get("content")) for message in _sequence(request.get("messages"))]
    functions = (_mapping(_mapping(tool).get("function")) for tool in _sequence(request.get("tools")))
    tools = tuple((str(function.get("name", "")), function.get("parameters", {})) for function in functions)
    limit = request.get("max_completion_tokens", request.get("max_tokens"))
    return Call(
        model=str(request.get("model", "")),
        stream=request.get("stream") is True,
        include_usage=_mapping(request.get("stream_options")).get("include_usage") is True,
        text=texts[-1] if texts else "",
        words=sum(len(text.split()) for text in texts),
        max_tokens=limit if isinstance(limit, int) else None,
        tools=tools,
        forced_tool=_forced_tool(request.get("tool_choice"), tools),
        schema=_schema(request.get("response_format")),
    )
