"""What Chat Completions refuse, with `strict` only: many servers speak chat, and most are lenient."""

from trunkline.mock.call import Asked
from trunkline.mock.fields import mappings, sequence, string
from trunkline.mock.reply import Refusal
from trunkline.mock.script import Scene

ROLES = ("system", "developer", "user", "assistant", "tool", "function")


def _refuse(message: str, param: str, code: str = "") -> Refusal:
    return Refusal(status=400, code=code, message=message, param=param)


def _pairs(messages: list[dict[str, object]]) -> Refusal | None:
    """Every call needs its result right behind it, every result its call right before it."""
    open_ids: list[str] = []
    for index, message in enumerate(messages):
        where = f"messages.[{index}].role"
        if message.get("role") == "tool":
            if string(message.get("tool_call_id")) not in open_ids:
                text = "messages with role 'tool' must be a response to a preceeding message with 'tool_calls'."
                return _refuse(f"Invalid parameter: {text}", where)
            open_ids.remove(string(message.get("tool_call_id")))
            continue
        if open_ids:
            break
        open_ids = [string(call.get("id")) for call in mappings(message.get("tool_calls"))]
    if not open_ids:
        return None
    text = "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'."
    return _refuse(f"{text} The following tool_call_ids did not have response messages: {', '.join(open_ids)}", "messages")


def check(asked: Asked, scene: Scene) -> Refusal | None:
    """What is wrong with a chat request."""
    if not scene.strict:
        return None
    if not sequence(asked.body.get("messages")):
        return _refuse("Missing required parameter: 'messages'.", "messages", "missing_required_parameter")
    if "max_tokens" in asked.body and "max_completion_tokens" in asked.body:
        return _refuse(
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.", "max_tokens", "invalid_parameter"
        )
    if "stream_options" in asked.body and asked.body.get("stream") is not True:
        return _refuse("The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options")
    messages = list(mappings(asked.body["messages"]))
    for index, message in enumerate(messages):
        if message.get("role") not in ROLES:
            return _refuse(f"Invalid value: '{message.get('role')}'.", f"messages[{index}].role", "invalid_value")
    return _pairs(messages)
