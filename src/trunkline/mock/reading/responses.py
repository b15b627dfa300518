"""A request of OpenAI's Responses."""

from trunkline.mock.call import Asked, Call, count_words, pick_tool
from trunkline.mock.fields import joined, mapping, mappings, number, string

Item = dict[str, object]


def items_of(asked: Asked) -> list[Item]:
    """The input as items; a plain text is a message of the user."""
    given = asked.body.get("input")
    return [{"role": "user", "content": given}] if isinstance(given, str) else list(mappings(given))


def _text(item: Item) -> str:
    return joined(item.get("output") if item.get("type") == "function_call_output" else item.get("content"))


def _rounds(items: list[Item]) -> tuple[int, tuple[str, ...]]:
    """Rounds of tool calls since the user's last words, and the results the input ends with."""
    rounds = 0
    results: list[str] = []
    after_output = False
    for item in reversed(items):
        kind = item.get("type", "message")
        if kind == "message" and item.get("role") == "user":
            break
        if kind == "function_call_output":
            rounds += not after_output
            after_output = True
            if rounds == 1:
                results.insert(0, _text(item))
        else:
            after_output = after_output and kind != "function_call"
    ended = bool(items) and items[-1].get("type") == "function_call_output"
    return rounds, tuple(results) if ended else ()


def read(asked: Asked) -> Call:
    """The call of a request of Responses."""
    request = asked.body
    items = items_of(asked)
    texts = [_text(item) for item in items]
    functions = [tool for tool in mappings(request.get("tools")) if tool.get("type") == "function"]
    tools = tuple((string(tool.get("name")), tool.get("parameters", {})) for tool in functions)
    choice = request.get("tool_choice")
    wanted = mapping(mapping(request.get("text")).get("format"))
    schemas = {"json_schema": wanted.get("schema", {}), "json_object": {"type": "object"}}
    rounds, results = _rounds(items)
    return Call(
        model=string(request.get("model")),
        stream=request.get("stream") is True,
        text=texts[-1] if texts else "",
        words=count_words(string(request.get("instructions")), *texts),
        max_tokens=number(request.get("max_output_tokens")),
        tools=tools,
        forced_tool=pick_tool(tools, forced=choice == "required", name=string(mapping(choice).get("name"))),
        schema=schemas.get(string(wanted.get("type"))),
        results=results,
        rounds=rounds,
        asked=asked,
    )
