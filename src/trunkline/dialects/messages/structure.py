"""Structured answers at Anthropic (adapters 1.4; 2.4, class 23): its own `output_config.format`, a forced tool whose input is the answer,
or words in the system prompt.

Composer and decoder both ask `structure_of`, so that a tool that was made up for an answer is read back as text.
"""

from typing import Literal

from msgspec import Raw, Struct

from trunkline.dialects.hub.conversation import Conversation, Format
from trunkline.dialects.messages.schemas import answer_schema, is_object
from trunkline.protocol.quirks import Quirks

_TOOL = "structured_answer"
_JSON = "Answer with one JSON object and nothing else: no explanation, no code fence."
_SCHEMA = "Answer with JSON that follows this JSON schema and nothing else: no explanation, no code fence.\n"


class Structure(Struct, frozen=True):
    """How the form of an answer is asked for. `native`: `schema` goes to `output_config`; `tool`: it is the input of the tool `name`;
    `words`: `instruction` is added to the system prompt."""

    way: Literal["native", "tool", "words"]
    schema: Raw = Raw(b"{}")
    name: str = ""
    instruction: str = ""


def structure_of(quirks: Quirks, conversation: Conversation, *, thinks: bool) -> Structure | None:
    """How to ask for the wanted form; None when none is wanted, or when a call is demanded, whose input has a form of its own. `thinks`: a
    forced tool is out of the question."""
    wanted = conversation.format
    if wanted is None or wanted.kind == "text" or (conversation.tools and conversation.tool_choice.mode in ("required", "function")):
        return None
    if wanted.schema is None:
        return Structure("words", instruction=_JSON)
    schema = answer_schema(wanted.schema) if quirks.json_schema == "native" else None
    if schema is not None:
        return Structure("native", schema=schema)
    if quirks.json_schema in ("native", "tool") and is_object(wanted.schema) and not thinks:
        return Structure("tool", schema=wanted.schema, name=_name(conversation))
    return Structure("words", instruction=words(wanted.schema))


def words(schema: Raw) -> str:
    """The instruction that asks for an answer of a schema."""
    return _SCHEMA + bytes(schema).decode()


def description(wanted: Format | None) -> str:
    """What the made-up tool says of itself."""
    said = "" if wanted is None else (wanted.description or "")
    return f"Gives the answer. {said}".strip()


def _name(conversation: Conversation) -> str:
    taken = {tool.name for tool in conversation.tools}
    name = _TOOL
    while name in taken:
        name += "_"
    return name
