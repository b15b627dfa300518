"""A request of Google's generateContent. Its fields may be written `inCamelCase` or `in_snake_case`, as protobuf's JSON has it."""

from trunkline.mock.call import Asked, Call, count_words, pick_tool
from trunkline.mock.content import encode
from trunkline.mock.fields import joined, mapping, mappings, number, string

Turn = dict[str, object]


def either(source: dict[str, object], name: str) -> object:
    """The field under its camel-case name or its snake-case one."""
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
    return source.get(name, source.get(snake))


def found(turn: Turn, name: str) -> list[dict[str, object]]:
    """What the parts of a turn hold under a name: `functionCall`, `functionResponse`."""
    return [mapping(either(part, name)) for part in mappings(turn.get("parts")) if either(part, name) is not None]


def _texts(turn: Turn) -> str:
    answers = (encode(response.get("response")).decode() for response in found(turn, "functionResponse"))
    return " ".join(text for text in (joined(turn.get("parts")), *answers) if text)


def _tools(request: dict[str, object]) -> tuple[tuple[str, object], ...]:
    declared = (function for tool in mappings(request.get("tools")) for function in mappings(either(tool, "functionDeclarations")))
    return tuple(
        (string(function.get("name")), either(function, "parametersJsonSchema") or function.get("parameters") or {})
        for function in declared
    )


def _forced(request: dict[str, object], tools: tuple[tuple[str, object], ...]) -> str:
    config = mapping(either(mapping(either(request, "toolConfig")), "functionCallingConfig"))
    allowed = either(config, "allowedFunctionNames")
    names = [string(name) for name in allowed] if isinstance(allowed, list) else []
    return pick_tool(tools, forced=True, name=names[0] if names else "") if config.get("mode") == "ANY" else ""


def _schema(config: dict[str, object]) -> object | None:
    if either(config, "responseMimeType") != "application/json":
        return None
    return either(config, "responseJsonSchema") or either(config, "responseSchema") or {"type": "object"}


def _rounds(turns: list[Turn]) -> int:
    rounds = 0
    for turn in reversed(turns):
        if turn.get("role") == "user" and not found(turn, "functionResponse"):
            break
        rounds += bool(found(turn, "functionCall"))
    return rounds


def read(asked: Asked) -> Call:
    """The call of `:generateContent`, `:streamGenerateContent` or `:countTokens`."""
    request = mapping(either(asked.body, "generateContentRequest")) or asked.body
    turns = list(mappings(request.get("contents")))
    texts = [_texts(turn) for turn in turns]
    config = mapping(either(request, "generationConfig"))
    tools = _tools(request)
    system = joined(mapping(either(request, "systemInstruction")).get("parts"))
    return Call(
        model=asked.model,
        stream=asked.verb == "streamGenerateContent",
        text=texts[-1] if texts else "",
        words=count_words(system, *texts),
        max_tokens=number(either(config, "maxOutputTokens")),
        tools=tools,
        forced_tool=_forced(request, tools),
        schema=_schema(config),
        results=tuple(encode(response.get("response")).decode() for response in found(turns[-1], "functionResponse")) if turns else (),
        rounds=_rounds(turns),
        asked=asked,
    )
