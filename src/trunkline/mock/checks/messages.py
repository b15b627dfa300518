"""What Messages refuse: a missing version or limit, blocks out of order, thinking that is not as it was given out."""

import re
from collections.abc import Callable, Iterable, Iterator

from trunkline.mock.call import Asked
from trunkline.mock.checks.signatures import is_sealed, is_signed
from trunkline.mock.fields import mapping, mappings, number, string, walk
from trunkline.mock.reading.messages import Message, calls_of, results_of
from trunkline.mock.reply import Refusal
from trunkline.mock.script import Scene

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_CACHE_MARKS = 4
_LEAST_BUDGET = 1024
_LATE_SYSTEM = (
    'messages: Unexpected role "system". The Messages API accepts a top-level `system` parameter, not "system" as an input message role.'
)


def _head(asked: Asked) -> Iterator[str]:
    """The version in a header, or in the body where the path names the model; and the fields that have no default."""
    if asked.model:
        if not asked.body.get("anthropic_version"):
            yield "anthropic_version: Field required"
        if "model" in asked.body:
            yield "model: Extra inputs are not permitted"
    elif not asked.headers.get("anthropic-version"):
        yield "anthropic-version: header is required"
    elif not asked.body.get("model"):
        yield "model: Field required"
    if asked.path.endswith("count_tokens"):
        return
    if (limit := asked.body.get("max_tokens")) is None:
        yield "max_tokens: Field required"
    elif number(limit) is None or number(limit) == 0:
        yield "max_tokens: Input should be a valid integer greater than 0"


def _roles(messages: list[Message], scene: Scene) -> Iterator[str]:
    if not messages:
        yield "messages: at least one message is required"
    for index, message in enumerate(messages):
        if message.get("role") == "system":
            yield from () if "system" in scene.allow else (_LATE_SYSTEM,)
        elif message.get("role") not in ("user", "assistant"):
            yield f"messages.{index}.role: Input should be 'user' or 'assistant'"
        elif not message.get("content") and not (message["role"] == "assistant" and index == len(messages) - 1):
            yield f"messages.{index}: all messages must have non-empty content except for the optional final assistant message"


def _texts(messages: list[Message]) -> Iterator[str]:
    for message in messages:
        for block in mappings(message.get("content")):
            if block.get("type") == "text" and not string(block.get("text")):
                yield "messages: text content blocks must be non-empty"
            elif block.get("type") == "text" and not string(block.get("text")).strip():
                yield "messages: text content blocks must contain non-whitespace text"


def _answered(messages: list[Message]) -> Iterator[str]:
    """Each call needs its result in the next message, before anything else there; each result its call in the one before."""
    wanted: list[str] = []
    for index, message in enumerate(messages):
        given = [string(result.get("tool_use_id")) for result in results_of(message)]
        for at, name in enumerate(given):
            if name not in wanted:
                yield (
                    f"messages.{index}.content.{at}: unexpected `tool_use_id` found in `tool_result` blocks: {name}. Each `tool_result` "
                    "block must have a corresponding `tool_use` block in the previous message."
                )
        if len(set(given)) < len(given):
            yield f"messages.{index}: each tool_use must have a single result. Found multiple `tool_result` blocks with id: {given[0]}"
        first = list(mappings(message.get("content")))[: len(given)]
        if (missing := [name for name in wanted if name not in given]) or any(block.get("type") != "tool_result" for block in first):
            yield _unanswered(index - 1, missing or given)
        wanted = [string(call.get("id")) for call in calls_of(message)]
    if wanted:
        yield _unanswered(len(messages) - 1, wanted)


def _unanswered(index: int, names: Iterable[str]) -> str:
    return (
        f"messages.{index}: `tool_use` ids were found without `tool_result` blocks immediately after: {', '.join(names)}. Each `tool_use` "
        "block must have a corresponding `tool_result` block in the next message."
    )


def _tools(request: dict[str, object]) -> Iterator[str]:
    for index, tool in enumerate(mappings(request.get("tools"))):
        if not _NAME.fullmatch(string(tool.get("name"))):
            yield f"tools.{index}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'"
        if tool.get("type", "custom") == "custom" and mapping(tool.get("input_schema")).get("type") != "object":
            yield f"tools.{index}.custom.input_schema.type: Field required"
    if request.get("tool_choice") is not None and not request.get("tools"):
        yield "tool_choice: `tool_choice` may only be specified while providing `tools`."
    for message in mappings(request.get("messages")):
        for call in calls_of(message):
            if not isinstance(call.get("input"), dict):
                yield "messages: `tool_use.input`: Input should be a valid dictionary"
            if not _NAME.fullmatch(string(call.get("id"))):
                yield "messages: `tool_use.id`: String should match pattern '^[a-zA-Z0-9_-]+$'"


def _cache(request: dict[str, object]) -> Iterator[str]:
    marks = sum("cache_control" in found and isinstance(found["cache_control"], dict) for found in walk(request))
    if marks > _CACHE_MARKS:
        yield f"A maximum of {_CACHE_MARKS} blocks with cache_control may be provided. Found {marks}."
    for found in walk(request.get("messages")):
        if "cache_control" in found and found.get("type") == "text" and not found.get("text"):
            yield "messages: cache_control cannot be set for empty text blocks"


def _thinking(request: dict[str, object]) -> Iterator[str]:
    """What goes with thinking and what does not."""
    thinking = mapping(request.get("thinking"))
    if thinking.get("type") not in ("enabled", "adaptive"):
        return
    budget, limit = number(thinking.get("budget_tokens")), number(request.get("max_tokens"))
    if thinking["type"] == "enabled" and (budget is None or budget < _LEAST_BUDGET):
        yield f"thinking.enabled.budget_tokens: Input should be greater than or equal to {_LEAST_BUDGET}"
    elif budget is not None and limit is not None and budget >= limit:
        yield "`max_tokens` must be greater than `thinking.budget_tokens`."
    if request.get("temperature", 1) != 1:
        yield "`temperature` may only be set to 1 when thinking is enabled."
    if mapping(request.get("tool_choice")).get("type") in ("any", "tool"):
        yield "Thinking may not be enabled when tool_choice forces tool use."
    yield from _opening_block(request)


def _opening_block(request: dict[str, object]) -> Iterator[str]:
    """An assistant's turn whose tools were just answered must begin with its thinking."""
    messages = list(mappings(request.get("messages")))
    if len(messages) < 2 or not results_of(messages[-1]):
        return
    kind = next(iter(mappings(messages[-2].get("content"))), {}).get("type")
    if mapping(request.get("thinking"))["type"] == "enabled" and kind not in ("thinking", "redacted_thinking"):
        yield (
            f"messages.{len(messages) - 2}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `{kind}`. When "
            "`thinking` is enabled, a final `assistant` message must start with a thinking block."
        )


def _signatures(messages: list[Message], scene: Scene) -> Iterator[str]:
    for index, message in enumerate(messages):
        for at, block in enumerate(mappings(message.get("content"))):
            where = f"messages.{index}.content.{at}"
            if block.get("type") == "thinking" and not is_signed(scene, block.get("signature"), block.get("thinking"), kind="thinking"):
                yield f"{where}: Invalid `signature` in `thinking` block"
            if block.get("type") == "redacted_thinking" and not is_sealed(scene, block.get("data"), kind="redacted"):
                yield f"{where}: Invalid `data` in `redacted_thinking` block"


def check(asked: Asked, scene: Scene) -> Refusal | None:
    """What is wrong with a request of Messages."""
    messages = list(mappings(asked.body.get("messages")))
    looks: tuple[Callable[[], Iterator[str]], ...] = (
        lambda: _head(asked),
        lambda: _roles(messages, scene),
        lambda: _texts(messages),
        lambda: _answered(messages),
        lambda: _tools(asked.body),
        lambda: _cache(asked.body),
        lambda: _thinking(asked.body),
        lambda: _signatures(messages, scene),
    )
    message = next((found for look in looks for found in look()), None)
    return None if message is None else Refusal(status=400, message=message)
