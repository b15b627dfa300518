"""A conversation as the body of generateContent."""

import msgspec

from trunkline.dialects.gemini import FORMAT
from trunkline.dialects.gemini.contents import Weaver
from trunkline.dialects.gemini.generation import generation_config, told_in_words, wording
from trunkline.dialects.gemini.parts import text_part
from trunkline.dialects.gemini.tools import ToolNames, calling_config, declared
from trunkline.dialects.hub.conversation import Conversation, Refusal, Text
from trunkline.errors import ApiError
from trunkline.protocol.catalogue import Endpoint

Body = dict[str, object]

_PASSED = {"safetySettings": "safetySettings", "safety_settings": "safetySettings"}
"""Keys of Gemini's own that a caller may send beside those of its dialect."""


class Composer:
    """Writes the bodies for one endpoint. Quirks: `thinking`, `tool_schema`, `json_schema`, `json_schema_with_tools`,
    `media_in_tool_results`, `tools`, `effort_map`, `reasoning_formats`; `drop` takes away and `set` sets keys of the body or of
    `generationConfig`."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._quirks = endpoint.quirks
        self._known = endpoint.supported_parameters
        self._formats = frozenset(endpoint.quirks.reasoning_formats or (FORMAT,))
        self._takes_tools = endpoint.quirks.tools != "none" and (self._known is None or "tools" in self._known)
        self._takes_choice = self._known is None or "tool_choice" in self._known

    def compose(self, conversation: Conversation) -> bytes:
        """The upstream body. Raises ApiError("invalid_request") for what cannot be said to Gemini at all."""
        if not conversation.turns:
            raise ApiError("invalid_request", "messages: there is nothing to send")
        names = ToolNames(conversation)
        quirks = self._quirks
        contents = Weaver(names, self._formats, media_in_results=quirks.media_in_tool_results).weave(conversation.turns)
        instruction = _instruction(conversation)
        if not contents:
            contents, instruction = [{"role": "user", "parts": instruction or [{"text": ""}]}], []
        if told_in_words(conversation, quirks) and conversation.format is not None:
            instruction.append({"text": wording(conversation.format)})
        body: Body = {"systemInstruction": {"parts": instruction}} if instruction else {}
        body["contents"] = contents
        if self._takes_tools:
            body.update(self._tools(conversation, names))
        config = generation_config(conversation, quirks, self._known)
        if config:
            body["generationConfig"] = config
        body.update({_PASSED[key]: value for key, value in conversation.extra.items() if key in _PASSED})
        for key in quirks.drop:
            body.pop(key, None)
            config.pop(key, None)
        body.update(quirks.set)
        return msgspec.json.encode(body)

    def _tools(self, conversation: Conversation, names: ToolNames) -> Body:
        tools = declared(conversation.tools, names, self._quirks)
        if not tools:
            return {}
        calling = calling_config(conversation.tool_choice, names) if self._takes_choice else None
        return {"tools": tools} if calling is None else {"tools": tools, "toolConfig": {"functionCallingConfig": calling}}


def _instruction(conversation: Conversation) -> list[object]:
    """All system turns, wherever they stood: Gemini knows one instruction."""
    blocks = (block for turn in conversation.turns if turn.role == "system" for block in turn.blocks)
    parts = (text_part(block.text) for block in blocks if isinstance(block, Text | Refusal))
    return [part for part in parts if part is not None]
