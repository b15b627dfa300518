"""A request of Anthropic's Messages, at the vendor itself or at Vertex, where the path names the model and the verb the stream."""

from trunkline.mock.call import Asked, Call, count_words, pick_tool
from trunkline.mock.fields import joined, mapping, mappings, number, string

Message = dict[str, object]


def results_of(message: Message) -> list[dict[str, object]]:
    """The `tool_result` blocks of a message."""
    return [block for block in mappings(message.get("content")) if block.get("type") == "tool_result"]


def calls_of(message: Message) -> list[dict[str, object]]:
    """The `tool_use` blocks of a message."""
    return [block for block in mappings(message.get("content")) if block.get("type") == "tool_use"]


def _rounds(messages: list[Message]) -> int:
    rounds = 0
    for message in reversed(messages):
        if message.get("role") == "user" and not results_of(message):
            break
        rounds += bool(calls_of(message))
    return rounds


def _schema(request: dict[str, object]) -> object | None:
    """The schema of `output_config.format`, or of the older `output_format`."""
    wanted = mapping(mapping(request.get("output_config")).get("format") or request.get("output_format"))
    return wanted.get("schema") if wanted.get("type") == "json_schema" else None


def _text(message: Message) -> str:
    """The text of a message, that of its tool results too."""
    results = (joined(result.get("content")) for result in results_of(message))
    return " ".join(text for text in (joined(message.get("content")), *results) if text)


def read(asked: Asked) -> Call:
    """The call of a request of Messages."""
    request = asked.body
    messages = list(mappings(request.get("messages")))
    texts = [_text(message) for message in messages]
    tools = tuple((string(tool.get("name")), tool.get("input_schema", {})) for tool in mappings(request.get("tools")))
    choice = mapping(request.get("tool_choice"))
    last = messages[-1] if messages else {}
    return Call(
        model=asked.model or string(request.get("model")),
        stream=request.get("stream") is True or asked.verb == "streamRawPredict",
        text=texts[-1] if texts else "",
        words=count_words(joined(request.get("system")), *texts),
        max_tokens=number(request.get("max_tokens")),
        tools=tools,
        forced_tool=pick_tool(tools, forced=choice.get("type") == "any", name=string(choice.get("name"))),
        schema=_schema(request),
        results=tuple(joined(result.get("content")) for result in results_of(last)),
        rounds=_rounds(messages),
        asked=asked,
    )
