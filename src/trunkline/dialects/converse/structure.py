"""Structured answers (adapters 1.4; 2.4, class 23): `outputConfig`, a forced tool whose input is the answer, or words in the system prompt.

Composer and decoder both ask `structure_of`, so that a tool that was made up for an answer is read back as text.
"""

from typing import Final, Literal

import msgspec
from msgspec import Raw, Struct

from trunkline.dialects.converse.schema import answer_schema, is_object
from trunkline.dialects.hub.conversation import Conversation, Format
from trunkline.dialects.names import fit
from trunkline.protocol.quirks import Quirks

_TOOL: Final = "structured_answer"
_JSON: Final = "Answer with one JSON object and nothing else: no explanation, no code fence."
_SCHEMA: Final = "Answer with JSON that follows this JSON schema and nothing else: no explanation, no code fence.\n"


class Structure(Struct, frozen=True):
    """How the form of an answer is asked for. `native`: `config` goes to `outputConfig`; `tool`: `schema` is the input of the tool `name`;
    `words`: `instruction` is added to the system prompt."""

    way: Literal["native", "tool", "words"]
    schema: Raw = Raw(b"{}")
    name: str = ""
    instruction: str = ""
    description: str = ""

    @property
    def config(self) -> dict[str, object]:
        """`textFormat`, whose schema is JSON in a string."""
        definition: dict[str, object] = {"name": self.name, "schema": bytes(self.schema).decode()}
        if self.description:
            definition["description"] = self.description
        return {"type": "json_schema", "structure": {"jsonSchema": definition}}

    @property
    def tool(self) -> dict[str, object]:
        """The made-up tool."""
        said = f"Gives the answer. {self.description}".strip()
        return {"toolSpec": {"name": self.name, "description": said, "inputSchema": {"json": self.schema}}}


def structure_of(quirks: Quirks, conversation: Conversation, *, tools: bool, unforced: bool) -> Structure | None:
    """How to ask for the wanted form; None when none is wanted, or when a call is demanded, whose input has a form of its own. `tools`: the
    endpoint knows tools; `unforced`: a forced call is out of the question."""
    wanted = conversation.format
    if wanted is None or wanted.kind == "text" or (conversation.tools and conversation.tool_choice.mode in ("required", "function")):
        return None
    if wanted.schema is None:
        return Structure("words", instruction=_JSON)
    said = wanted.description or ""
    native = answer_schema(wanted.schema) if quirks.json_schema == "native" else None
    if native is not None:
        return Structure("native", schema=native, name=_title(wanted), description=said)
    if quirks.json_schema in ("native", "tool") and tools and not unforced and is_object(wanted.schema):
        return Structure("tool", schema=wanted.schema, name=_free_name(conversation), description=said)
    return Structure("words", instruction=_SCHEMA + msgspec.json.format(bytes(wanted.schema), indent=-1).decode())


def _title(wanted: Format) -> str:
    return fit(wanted.name or "answer", allowed="A-Za-z0-9_-", limit=64)


def _free_name(conversation: Conversation) -> str:
    taken = {tool.name for tool in conversation.tools}
    name = _TOOL
    while name in taken:
        name += "_"
    return name
