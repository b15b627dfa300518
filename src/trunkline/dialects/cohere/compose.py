"""A conversation of any dialect as the body of Cohere's Chat API, version 2 (adapters 1.4)."""

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Raw

from trunkline.dialects.cohere import wishes
from trunkline.dialects.cohere.history import FREE_TEXT, History
from trunkline.dialects.deviations import rename
from trunkline.dialects.hub.conversation import Conversation, Sampling, Tool, ToolChoice
from trunkline.dialects.parameters import ALIASES
from trunkline.errors import ApiError
from trunkline.protocol.catalogue import Endpoint

Body = dict[str, object]

MAX_STOPS: Final = 5
PASSED: Final = ("citation_options", "safety_mode", "documents", "priority")
"""Keys of Cohere's own that a caller may send beside those of its dialect."""
_CHOICES: Final[Mapping[str, str]] = {"required": "REQUIRED", "function": "REQUIRED", "none": "NONE"}
_RANGES: Final[Mapping[str, tuple[str, float, float]]] = {
    "temperature": ("temperature", 0.0, 2.0),
    "top_p": ("p", 0.01, 0.99),
    "top_k": ("k", 0, 500),
    "frequency_penalty": ("frequency_penalty", 0.0, 1.0),
    "presence_penalty": ("presence_penalty", 0.0, 1.0),
}
"""Cohere's name of a parameter and the range it takes; beyond it lies an error."""
_ANYTHING: Final = Raw(b'{"type":"object","properties":{}}')
_FREE_TEXT: Final = Raw(msgspec.json.encode({"type": "object", "properties": {FREE_TEXT: {"type": "string"}}, "required": [FREE_TEXT]}))


class Composer:
    """Writes the bodies for one endpoint. Quirks: `thinking`, `reasoning_in`, `json_schema`, `tools`; `drop`, `rename` and `set` change
    top-level keys."""

    def __init__(self, endpoint: Endpoint) -> None:
        listed = endpoint.supported_parameters
        self._endpoint = endpoint
        self._quirks = endpoint.quirks
        self._known = None if listed is None else {ALIASES.get(name, name) for name in listed}

    def compose(self, conversation: Conversation) -> bytes:
        """The upstream body. Raises ApiError("invalid_request") for what cannot be said to Cohere at all."""
        history = History(thoughts=self._quirks.reasoning_in != "drop")
        for turn in conversation.turns:
            history.add(turn)
        messages = history.messages()
        if not messages:
            raise ApiError("invalid_request", "messages: there is nothing to send")
        tools = self._tools(conversation)
        documents = history.documents or conversation.extra.get("documents")
        alone = not tools and not documents
        told = wishes.wording(conversation.format, self._quirks, alone=alone)
        if told:
            messages.append({"role": "system", "content": told})
        body: Body = {"model": self._endpoint.upstream_model, "messages": messages, "stream": conversation.stream}
        body.update({key: conversation.extra[key] for key in PASSED if key in conversation.extra})
        if history.documents:
            body["documents"] = history.documents
        if tools:
            body.update(self._offered(tools, conversation.tool_choice))
        self._tune(body, conversation, alone=alone)
        return msgspec.json.encode(self._patched(body))

    def _tools(self, conversation: Conversation) -> list[Tool]:
        """The tools on offer; a call of one certain tool can only be demanded by offering no other."""
        if self._quirks.tools == "none" or not self._has("tools"):
            return []
        choice = conversation.tool_choice
        wanted = (choice.name,) if choice.mode == "function" else choice.allowed
        return [tool for tool in conversation.tools if tool.kind != "server" and (not wanted or tool.name in wanted)]

    def _offered(self, tools: list[Tool], choice: ToolChoice) -> Body:
        body: Body = {"tools": [_definition(tool) for tool in tools]}
        if all(tool.strict for tool in tools):
            body["strict_tools"] = True
        word = _CHOICES.get(choice.mode)
        if word is not None and self._has("tool_choice"):
            body["tool_choice"] = word
        return body

    def _tune(self, body: Body, conversation: Conversation, *, alone: bool) -> None:
        """Everything that is neither content nor tools."""
        body.update(self._sampling(conversation.sampling))
        if conversation.max_tokens is not None:
            body["max_tokens"] = conversation.max_tokens
        if conversation.stop and self._has("stop"):
            body["stop_sequences"] = list(conversation.stop[:MAX_STOPS])
        form = wishes.response_format(conversation.format, self._quirks, alone=alone)
        if form is not None:
            body["response_format"] = form
        thinking = wishes.thinking(conversation.reasoning, conversation.max_tokens, self._quirks) if self._has("reasoning") else None
        if thinking is not None:
            body["thinking"] = thinking

    def _sampling(self, asked: Sampling) -> Body:
        out: Body = {}
        for name, (key, least, most) in _RANGES.items():
            value = getattr(asked, name)
            if value is not None and self._has(name):
                out[key] = min(max(value, least), most)
        if asked.seed is not None and self._has("seed"):
            out["seed"] = asked.seed
        if asked.logprobs and self._has("logprobs"):
            out["logprobs"] = True
        return out

    def _has(self, name: str) -> bool:
        return self._known is None or name in self._known or (name == "reasoning" and "include_reasoning" in self._known)

    def _patched(self, body: Body) -> Body:
        rename(body, self._quirks)
        body.update(self._quirks.set)
        return body


def _definition(tool: Tool) -> Body:
    function: Body = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    parameters = _FREE_TEXT if tool.kind == "custom" else tool.parameters
    function["parameters"] = _ANYTHING if parameters is None or bytes(parameters) in (b"null", b"{}") else parameters
    return {"type": "function", "function": function}
