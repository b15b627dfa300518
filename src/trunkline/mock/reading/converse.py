"""A request of Amazon's Converse."""

import msgspec

from trunkline.mock.call import Asked, Call, count_words, pick_tool
from trunkline.mock.content import encode
from trunkline.mock.fields import joined, mapping, mappings, number, string

Message = dict[str, object]


def blocks_of(message: Message, name: str) -> list[dict[str, object]]:
    """What the blocks of a message hold under a name: `toolUse`, `toolResult`."""
    return [mapping(block[name]) for block in mappings(message.get("content")) if name in block]


def _result_text(result: dict[str, object]) -> str:
    texts = (string(part["text"]) if "text" in part else encode(part.get("json")).decode() for part in mappings(result.get("content")))
    return " ".join(texts)


def _text(message: Message) -> str:
    results = (_result_text(result) for result in blocks_of(message, "toolResult"))
    return " ".join(text for text in (joined(message.get("content")), *results) if text)


def _rounds(messages: list[Message]) -> int:
    rounds = 0
    for message in reversed(messages):
        if message.get("role") == "user" and not blocks_of(message, "toolResult"):
            break
        rounds += bool(blocks_of(message, "toolUse"))
    return rounds


def _schema(request: dict[str, object]) -> object | None:
    """The schema of `outputConfig.textFormat`, which is JSON inside of a text."""
    wanted = mapping(mapping(mapping(request.get("outputConfig")).get("textFormat")).get("structure"))
    given = mapping(wanted.get("jsonSchema")).get("schema")
    return _parsed(given) if isinstance(given, str) else given


def _parsed(text: str) -> object:
    try:
        found: object = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return {}
    return found


def read(asked: Asked) -> Call:
    """The call of `/converse` or `/converse-stream`."""
    request = asked.body
    messages = list(mappings(request.get("messages")))
    texts = [_text(message) for message in messages]
    config = mapping(request.get("toolConfig"))
    specs = [mapping(tool["toolSpec"]) for tool in mappings(config.get("tools")) if "toolSpec" in tool]
    tools = tuple((string(spec.get("name")), mapping(spec.get("inputSchema")).get("json", {})) for spec in specs)
    choice = mapping(config.get("toolChoice"))
    return Call(
        model=asked.model,
        stream=asked.verb == "converse-stream",
        text=texts[-1] if texts else "",
        words=count_words(joined(request.get("system")), *texts),
        max_tokens=number(mapping(request.get("inferenceConfig")).get("maxTokens")),
        tools=tools,
        forced_tool=pick_tool(tools, forced="any" in choice, name=string(mapping(choice.get("tool")).get("name"))),
        schema=_schema(request),
        results=tuple(_result_text(result) for result in blocks_of(messages[-1], "toolResult")) if messages else (),
        rounds=_rounds(messages),
        asked=asked,
    )
