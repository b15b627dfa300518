"""What Cohere's chat refuses: missing fields, results without calls, tool choices it does not know."""

from collections.abc import Callable, Iterator

from trunkline.mock.call import Asked
from trunkline.mock.fields import mappings, string
from trunkline.mock.reply import Refusal
from trunkline.mock.script import Scene


def _head(asked: Asked) -> Iterator[str]:
    for name in ("model", "messages"):
        if not asked.body.get(name):
            yield f"invalid request: {name} is required"
    if asked.body.get("tool_choice") not in (None, "REQUIRED", "NONE"):
        yield "invalid request: tool_choice must be one of 'REQUIRED', 'NONE'"
    if asked.body.get("tool_choice") and not asked.body.get("tools"):
        yield "invalid request: tool_choice can only be used with tools"


def _messages(messages: list[dict[str, object]]) -> Iterator[str]:
    calls: list[str] = []
    for index, message in enumerate(messages):
        role = message.get("role")
        if role not in ("system", "user", "assistant", "tool"):
            yield f"invalid request: message at index {index} has an invalid role '{role}'"
        if role == "tool" and string(message.get("tool_call_id")) not in calls:
            yield f"invalid request: tool call id not found in previous tool calls: {message.get('tool_call_id')}"
        if role in ("user", "system") and not message.get("content"):
            yield f"invalid request: message at index {index} must have non-empty content"
        calls += [string(call.get("id")) for call in mappings(message.get("tool_calls"))]


def check(asked: Asked, _scene: Scene) -> Refusal | None:
    """What is wrong with a request of `/v2/chat`."""
    looks: tuple[Callable[[], Iterator[str]], ...] = (
        lambda: _head(asked),
        lambda: _messages(list(mappings(asked.body.get("messages")))),
    )
    message = next((found for look in looks for found in look()), None)
    return None if message is None else Refusal(status=400, message=message)
