"""What Converse refuses: turns that do not alternate, tools without a config, calls without results, blank texts."""

import base64
import binascii
import re
from collections.abc import Callable, Iterator

from trunkline.mock.call import Asked
from trunkline.mock.checks.signatures import is_sealed, is_signed
from trunkline.mock.fields import mapping, mappings, sequence, string
from trunkline.mock.reading.converse import Message, blocks_of
from trunkline.mock.reply import Refusal
from trunkline.mock.script import Scene

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_DOCUMENT = re.compile(r"(?!.*\s\s)[a-zA-Z0-9\s()\[\]-]{1,200}")
_PATTERN = "Member must satisfy regular expression pattern: [a-zA-Z0-9_-]+"
_ALTERNATE = (
    "A conversation must alternate between user and assistant roles. Make sure the conversation alternates between user and assistant "
    "roles and try again."
)
_START = "A conversation must start with a user message. Try again with a conversation that starts with a user message."


def _turns(messages: list[Message]) -> Iterator[str]:
    if not messages or messages[0].get("role") != "user":
        yield _START
    for index, message in enumerate(messages):
        if message.get("role") not in ("user", "assistant"):
            yield f"Value '{message.get('role')}' at 'messages.{index}.member.role' failed to satisfy constraint: [user, assistant]"
        if index and message.get("role") == messages[index - 1].get("role"):
            yield _ALTERNATE
        if not sequence(message.get("content")):
            yield f"The content field in the Message object at messages.{index} is empty. Add a ContentBlock object to the content field."
        yield from _blank(index, message)


def _blank(index: int, message: Message) -> Iterator[str]:
    blocks = list(mappings(message.get("content")))
    for at, block in enumerate(blocks):
        if "text" in block and not string(block["text"]).strip():
            where = f"messages.{index}.content.{at}"
            yield f"The text field in the ContentBlock object at {where} is blank. Add text to the text field, and try again."
        if "document" in block and not _DOCUMENT.fullmatch(string(mapping(block["document"]).get("name"))):
            yield (
                "The file name can only contain alphanumeric characters, whitespace characters, hyphens, parentheses, and square brackets. "
                "The name can't contain more than one consecutive whitespace character."
            )
    if any("document" in block for block in blocks) and not any("text" in block for block in blocks):
        yield "A text field is required when a document is included. Add a text ContentBlock and try again."


def _results(messages: list[Message]) -> Iterator[str]:
    wanted: list[str] = []
    for index, message in enumerate(messages):
        given = [string(result.get("toolUseId")) for result in blocks_of(message, "toolResult")]
        if len(given) > len(wanted):
            where = f"messages.{index}.content"
            yield f"The number of toolResult blocks at {where} exceeds the number of toolUse blocks of previous turn."
        if missing := [name for name in wanted if name not in given]:
            yield f"Expected toolResult blocks at messages.{index}.content for the following Ids: {', '.join(missing)}"
        wanted = [string(call.get("toolUseId")) for call in blocks_of(message, "toolUse")]
    if wanted:
        yield f"Expected toolResult blocks at messages.{len(messages)}.content for the following Ids: {', '.join(wanted)}"


def _tools(asked: Asked, messages: list[Message]) -> Iterator[str]:
    config = mapping(asked.body.get("toolConfig"))
    used = [call for message in messages for call in (*blocks_of(message, "toolUse"), *blocks_of(message, "toolResult"))]
    if used and not config:
        yield "The toolConfig field must be defined when using toolUse and toolResult content blocks."
    if "toolConfig" in asked.body and not config.get("tools"):
        yield "The tools field in toolConfig must hold at least one tool."
    for name in (string(call.get("toolUseId")) for call in used):
        if not _NAME.fullmatch(name):
            yield f"Value '{name}' at 'toolUseId' failed to satisfy constraint: {_PATTERN}"
    for tool in mappings(config.get("tools")):
        if "toolSpec" in tool and not _NAME.fullmatch(string(mapping(tool["toolSpec"]).get("name"))):
            yield f"Value at 'toolSpec.name' failed to satisfy constraint: {_PATTERN}"
    if any(name not in ("auto", "any", "tool") for name in mapping(config.get("toolChoice"))):
        yield "The toolChoice field must be one of auto, any, tool."


def _signatures(messages: list[Message], scene: Scene) -> Iterator[str]:
    for index, message in enumerate(messages):
        for at, block in enumerate(mappings(message.get("content"))):
            reasoning = mapping(block.get("reasoningContent"))
            text = mapping(reasoning.get("reasoningText"))
            where = f"The model returned the following errors: messages.{index}.content.{at}"
            if text and not is_signed(scene, text.get("signature"), text.get("text"), kind="thinking"):
                yield f"{where}: Invalid `signature` in `thinking` block"
            if "redactedContent" in reasoning and not is_sealed(scene, _opened(reasoning["redactedContent"]), kind="redacted"):
                yield f"{where}: Invalid `data` in `redacted_thinking` block"


def _opened(data: object) -> str:
    try:
        return base64.b64decode(string(data), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def check(asked: Asked, scene: Scene) -> Refusal | None:
    """What is wrong with a request of Converse."""
    messages = list(mappings(asked.body.get("messages")))
    looks: tuple[Callable[[], Iterator[str]], ...] = (
        lambda: _turns(messages),
        lambda: _tools(asked, messages),
        lambda: _results(messages),
        lambda: _signatures(messages, scene),
    )
    message = next((found for look in looks for found in look()), None)
    return None if message is None else Refusal(status=400, message=message)
