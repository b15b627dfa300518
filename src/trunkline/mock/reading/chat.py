"""A request of OpenAI's Chat Completions."""

from trunkline.mock.call import Asked, Call, count_words, pick_tool
from trunkline.mock.fields import joined, mapping, mappings, number, string


def _forced(choice: object) -> str:
    """The name that `tool_choice` gives, as object of either form (older clients send `{"function": {"name"}}` alone)."""
    return string(mapping(mapping(choice).get("function")).get("name"))


def _schema(response_format: object) -> object | None:
    """The schema the reply must fit: `{}`-like for `json_object`, the given one for `json_schema`, None for plain text."""
    wanted = mapping(response_format)
    if wanted.get("type") == "json_schema":
        return mapping(wanted.get("json_schema")).get("schema", {})
    return {"type": "object"} if wanted.get("type") == "json_object" else None


def _rounds(messages: list[dict[str, object]]) -> tuple[int, tuple[str, ...]]:
    """Rounds of tool calls since the user's last words, and the results of the last one when the conversation ends with them."""
    rounds = 0
    results: list[str] = []
    for message in reversed(messages):
        if message.get("role") == "user":
            break
        if message.get("tool_calls"):
            rounds += 1
        elif message.get("role") == "tool" and not rounds:
            results.insert(0, joined(message.get("content")))
    return rounds, tuple(results)


def read(asked: Asked) -> Call:
    """The call of a chat request."""
    request = asked.body
    messages = list(mappings(request.get("messages")))
    texts = [joined(message.get("content")) for message in messages]
    functions = (mapping(tool.get("function")) for tool in mappings(request.get("tools")))
    tools = tuple((string(function.get("name")), function.get("parameters", {})) for function in functions)
    choice = request.get("tool_choice")
    rounds, results = _rounds(messages)
    return Call(
        model=str(request.get("model", "")),
        stream=request.get("stream") is True,
        include_usage=mapping(request.get("stream_options")).get("include_usage") is True,
        text=texts[-1] if texts else "",
        words=count_words(*texts),
        max_tokens=number(request.get("max_completion_tokens", request.get("max_tokens"))),
        tools=tools,
        forced_tool=pick_tool(tools, forced=choice in ("required", "any"), name=_forced(choice)),
        schema=_schema(request.get("response_format")),
        results=results,
        rounds=rounds,
        asked=asked,
    )
