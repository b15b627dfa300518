"""What Responses refuse: items without their counterpart, encrypted reasoning of somebody else, ids of the wrong kind."""

from collections.abc import Callable, Iterator

from trunkline.mock.call import Asked
from trunkline.mock.checks.signatures import is_sealed
from trunkline.mock.fields import mappings, number, string
from trunkline.mock.reading.responses import Item, items_of
from trunkline.mock.reply import Refusal
from trunkline.mock.script import Scene

_PREFIXES = {"reasoning": "rs", "function_call": "fc", "message": "msg"}
_LEAST_OUTPUT = 16


def _refuse(message: str, param: str = "input", code: str = "") -> Refusal:
    return Refusal(status=400, code=code, message=message, param=param)


def _head(asked: Asked) -> Iterator[Refusal]:
    for name in ("model", "input"):
        if not asked.body.get(name):
            yield _refuse(f"Missing required parameter: '{name}'.", name, "missing_required_parameter")


def _reasoning(items: list[Item], scene: Scene) -> Iterator[Refusal]:
    for index, item in enumerate(items):
        if item.get("type") != "reasoning":
            continue
        data = item.get("encrypted_content")
        if data is not None and not is_sealed(scene, data, kind="encrypted"):
            reason = "could not be verified. Reason: Encrypted content could not be decrypted or parsed."
            text = f"The encrypted content {string(data)[:4]}... {reason}"
            yield _refuse(text, "", "invalid_encrypted_content")
        if "summary" not in item:
            yield _refuse(f"Missing required parameter: 'input[{index}].summary'.", f"input[{index}].summary", "missing_required_parameter")
        following = items[index + 1] if index + 1 < len(items) else {"role": "user"}
        if following.get("role") == "user" or following.get("type") == "function_call_output":
            yield _refuse(f"Item '{item.get('id')}' of type 'reasoning' was provided without its required following item.")


def _ids(items: list[Item]) -> Iterator[Refusal]:
    seen: set[str] = set()
    for index, item in enumerate(items):
        prefix = _PREFIXES.get(string(item.get("type")))
        name = string(item.get("id"))
        if name and prefix and not name.startswith(prefix):
            text = f"Invalid 'input[{index}].id': '{name}'. Expected an ID that begins with '{prefix}'."
            yield _refuse(text, f"input[{index}].id", "invalid_value")
        if name and name in seen:
            yield _refuse(f"Duplicate item found with id {name}. Remove duplicate items from your input and try again.")
        seen.add(name)


def _pairs(items: list[Item], asked: Asked) -> Iterator[Refusal]:
    calls = [string(item.get("call_id")) for item in items if item.get("type") == "function_call"]
    outputs = [string(item.get("call_id")) for item in items if item.get("type") == "function_call_output"]
    if asked.body.get("previous_response_id"):
        return
    for name in outputs:
        if name not in calls:
            yield _refuse(f"No tool call found for function call output with call_id {name}.")
    for name in calls:
        if name not in outputs:
            yield _refuse(f"No tool output found for function call {name}.")


def _shapes(asked: Asked) -> Iterator[Refusal]:
    """Tools and formats in the form of Chat Completions are a frequent mistake."""
    for index, tool in enumerate(mappings(asked.body.get("tools"))):
        if tool.get("type") == "function" and not tool.get("name"):
            yield _refuse(f"Missing required parameter: 'tools[{index}].name'.", f"tools[{index}].name", "missing_required_parameter")
    if "response_format" in asked.body:
        text = "Unsupported parameter: 'response_format'. In the Responses API, this parameter has moved to 'text.format'."
        yield _refuse(text, "response_format", "unsupported_parameter")
    for index, item in enumerate(items_of(asked)):
        wrong = "output_text" if item.get("role") in ("user", "system", "developer") else "input_text"
        for at, part in enumerate(mappings(item.get("content"))):
            if part.get("type") in (wrong, "text", "image_url"):
                where = f"input[{index}].content[{at}]"
                yield _refuse(f"Invalid value: '{part.get('type')}'.", where, "invalid_value")


def _limits(asked: Asked) -> Iterator[Refusal]:
    limit = number(asked.body.get("max_output_tokens"))
    if limit is not None and limit < _LEAST_OUTPUT:
        text = f"Invalid 'max_output_tokens': integer below minimum value. Expected a value >= {_LEAST_OUTPUT}, but got {limit} instead."
        yield _refuse(text, "max_output_tokens", "integer_below_min_value")


def check(asked: Asked, scene: Scene) -> Refusal | None:
    """What is wrong with a request of Responses."""
    items = items_of(asked)
    looks: tuple[Callable[[], Iterator[Refusal]], ...] = (
        lambda: _head(asked),
        lambda: _shapes(asked),
        lambda: _ids(items),
        lambda: _pairs(items, asked),
        lambda: _reasoning(items, scene),
        lambda: _limits(asked) if scene.strict else iter(()),
    )
    return next((found for look in looks for found in look()), None)
