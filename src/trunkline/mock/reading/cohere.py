"""A request of Cohere's chat of version 2. Its messages and tools are much like those of Chat Completions."""

from msgspec import structs

from trunkline.mock.call import Asked, Call, pick_tool
from trunkline.mock.fields import joined, mapping, mappings
from trunkline.mock.reading import chat


def _result(content: object) -> str:
    """The text of a tool's result, whose parts may be documents."""
    if isinstance(content, str):
        return content
    parts = (mapping(part.get("document")).get("data", part.get("text")) for part in mappings(content))
    return " ".join(part if isinstance(part, str) else joined([part]) for part in parts if part)


def read(asked: Asked) -> Call:
    """The call of `/v2/chat`."""
    call = chat.read(asked)
    wanted = mapping(asked.body.get("response_format"))
    schema = wanted.get("json_schema", wanted.get("schema", {"type": "object"})) if wanted.get("type") == "json_object" else None
    messages = list(mappings(asked.body.get("messages")))
    texts = tuple(_result(message.get("content")) for message in messages[-len(call.results) :]) if call.results else ()
    return structs.replace(
        call,
        forced_tool=pick_tool(call.tools, forced=asked.body.get("tool_choice") == "REQUIRED"),
        schema=schema,
        text=" ".join(texts) or call.text,
        results=texts,
    )
