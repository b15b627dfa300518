"""A conversation of any dialect as the body of Converse (adapters 1.4, 2.4)."""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from trunkline.dialects.converse import FORMAT, marks, tools
from trunkline.dialects.converse.history import History, Rules
from trunkline.dialects.converse.structure import Structure, structure_of
from trunkline.dialects.converse.thinking import Thinking, plan
from trunkline.dialects.deviations import rename
from trunkline.dialects.hub import sampling
from trunkline.dialects.hub.conversation import Conversation, Sampling
from trunkline.dialects.names import Names
from trunkline.dialects.parameters import ALIASES
from trunkline.errors import ApiError
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.quirks import Quirks

Body = dict[str, object]

PASSED: Final = ("guardrailConfig", "performanceConfig", "requestMetadata", "promptVariables")
"""Keys of Converse's own that a caller may send beside those of its dialect."""
INFERENCE: Final = "inferenceConfig"
FIELDS: Final = "additionalModelRequestFields"
TIERS: Final[Mapping[str, str]] = {"default": "default", "flex": "flex", "priority": "priority", "fast": "priority"}


class Composer:
    """Writes the bodies for one endpoint. Quirks: `thinking`, `reasoning_effort_key`, `effort_map`, `reasoning_formats`, `json_schema`,
    `tools`, `cache_marks`, `media_in_tool_results`; `drop`, `rename` and `set` change keys of the body, of `inferenceConfig` and of
    `additionalModelRequestFields`; an object that is `set` is merged into what is there (`anthropic_beta`)."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._quirks = endpoint.quirks
        self._formats = frozenset(reasoning_formats(endpoint.quirks))
        self._supports = supports(endpoint)

    def compose(self, conversation: Conversation) -> bytes:
        """The upstream body. Raises ApiError("invalid_request") for what cannot be said to Converse at all."""
        if not conversation.turns:
            raise ApiError("invalid_request", "messages: there is nothing to send")
        names = tools.names_of(conversation)
        thinking, structure = decide(self._endpoint, conversation)
        rules = Rules(names, self._formats, self._quirks.media_in_tool_results, knows_tools(self._endpoint))
        history = History(rules)
        for turn in conversation.turns:
            history.add(turn)
        history.close()
        entries, config = self._tools(conversation, names, structure)
        system = history.system
        if structure is not None and structure.way == "words":
            system.append({"text": structure.instruction})
        if conversation.tool_choice.mode == "none" and entries and (structure is None or structure.way != "tool"):
            system.append({"text": tools.UNCALLED})
        self._mark(conversation, entries, history)
        body: Body = {"system": system} if system else {}
        body["messages"] = history.messages
        if entries:
            body["toolConfig"] = {"tools": entries, **config}
        self._tune(body, conversation, thinking, structure)
        return msgspec.json.encode(self._patched(body))

    def _tools(self, conversation: Conversation, names: Names, structure: Structure | None) -> tuple[list[object], Body]:
        """The entries of `toolConfig`, cache points among them, and what is said beside them."""
        if not knows_tools(self._endpoint):
            return [], {}
        entries: list[object] = []
        for definition, tool in tools.definitions(tools.offered(conversation), names, strict=self._quirks.json_schema == "native"):
            entries.append(definition)
            entries.extend([marks.point(tool.cache)] if tool.cache is not None else [])
        alone = not entries or conversation.tool_choice.mode == "none"
        entries = entries or list(tools.remembered(conversation, names))
        if structure is not None and structure.way == "tool":
            entries.append(structure.tool)
            return entries, {"toolChoice": {"tool": {"name": structure.name}} if alone else {"any": {}}}
        chosen = tools.choice(conversation.tool_choice, names) if self._supports("tool_choice") and not alone else None
        return entries, {} if chosen is None else {"toolChoice": chosen}

    def _mark(self, conversation: Conversation, entries: list[object], history: History) -> None:
        """Settle the cache points; a mark on the whole request ends its last message."""
        contents = [message["content"] for message in history.messages]
        lists = [content for content in contents if isinstance(content, list)]
        if conversation.cache is not None:
            lists[-1].append(marks.point(conversation.cache))
        marks.settle([entries, history.system, *lists], self._quirks.cache_marks)

    def _tune(self, body: Body, conversation: Conversation, thinking: Thinking, structure: Structure | None) -> None:
        """Everything that is neither content nor tools."""
        fields = dict(thinking.fields)
        drawn = sampling.fitted(conversation.sampling, self._supports, thinks=thinking.on)
        if drawn.top_k is not None:
            fields["top_k"] = drawn.top_k
        config = self._inference(conversation, thinking, drawn)
        if config:
            body[INFERENCE] = config
        if fields:
            body[FIELDS] = fields
        if structure is not None and structure.way == "native":
            body["outputConfig"] = {"textFormat": structure.config}
        tier = TIERS.get(conversation.service_tier or "")
        if tier is not None:
            body["serviceTier"] = {"type": tier}
        body.update({key: conversation.extra[key] for key in PASSED if key in conversation.extra})

    def _inference(self, conversation: Conversation, thinking: Thinking, drawn: Sampling) -> Body:
        """`inferenceConfig`."""
        config: Body = {}
        if thinking.max_tokens is not None:
            config["maxTokens"] = thinking.max_tokens
        if drawn.temperature is not None:
            config["temperature"] = drawn.temperature
        if drawn.top_p is not None:
            config["topP"] = drawn.top_p
        stops = [one for one in conversation.stop if one.strip()]
        if stops and self._supports("stop"):
            config["stopSequences"] = stops
        return config

    def _patched(self, body: Body) -> Body:
        quirks = self._quirks
        levels = [body, *(level for key in (INFERENCE, FIELDS) if isinstance(level := body.get(key), dict))]
        for level in levels:
            rename(level, quirks)
        for key, value in quirks.set.items():
            known = body.get(key)
            body[key] = {**known, **value} if isinstance(known, dict) and isinstance(value, dict) else value
        for key in (INFERENCE, FIELDS):
            if body.get(key) == {}:
                del body[key]
        return body


def decide(endpoint: Endpoint, conversation: Conversation) -> tuple[Thinking, Structure | None]:
    """How much to think, and how the form of the answer is asked for: the same for composer and decoder."""
    knows = supports(endpoint)
    asked = conversation if knows("reasoning") else msgspec.structs.replace(conversation, reasoning=None)
    asked = asked if knows("verbosity") else msgspec.structs.replace(asked, verbosity=None)
    forced = knows_tools(endpoint) and bool(conversation.tools) and conversation.tool_choice.mode in ("required", "function")
    thinking = plan(endpoint.quirks, asked, limit=endpoint.max_completion_tokens, forced=forced)
    return thinking, structure_of(endpoint.quirks, conversation, tools=knows_tools(endpoint), unforced=thinking.unforced)


def left_out(endpoint: Endpoint, conversation: Conversation) -> frozenset[str]:
    """The sampling parameters that an endpoint cannot get beside the rest of a conversation. Raises ApiError as `Composer.compose` does."""
    thinking, _ = decide(endpoint, conversation)
    asked = conversation.sampling
    return sampling.left_out(asked, sampling.fitted(asked, supports(endpoint), thinks=thinking.on))


def knows_tools(endpoint: Endpoint) -> bool:
    """Whether tools can be sent at all."""
    return endpoint.quirks.tools != "none" and supports(endpoint)("tools")


def reasoning_formats(quirks: Quirks) -> tuple[str, ...]:
    """Whose reasoning an endpoint takes and gives: Claude's, unless it thinks by levels or not at all."""
    return quirks.reasoning_formats or ((FORMAT,) if quirks.thinking in ("budget", "adaptive", "either") else ())


def supports(endpoint: Endpoint) -> Callable[[str], bool]:
    """Whether an endpoint knows a parameter (`dialects.parameters`)."""
    listed = endpoint.supported_parameters
    if listed is None:
        return lambda name: True
    known = {ALIASES.get(name, name) for name in listed}
    if "include_reasoning" in known:
        known.add("reasoning")
    return known.__contains__
