"""A conversation of any dialect as the body of a Messages upstream (adapters 1.4, 2.4)."""

from collections.abc import Callable, Sequence

import msgspec

from trunkline.dialects.deviations import rename
from trunkline.dialects.hub import sampling
from trunkline.dialects.hub.conversation import Conversation, Sampling, Tool, ToolChoice
from trunkline.dialects.messages import marks, tools
from trunkline.dialects.messages.content import DIALECT
from trunkline.dialects.messages.history import History, Rules
from trunkline.dialects.messages.schemas import input_schema
from trunkline.dialects.messages.seal import OWN
from trunkline.dialects.messages.structure import Structure, description, structure_of
from trunkline.dialects.messages.thinking import Thinking, plan
from trunkline.dialects.names import Names
from trunkline.dialects.parameters import ALIASES
from trunkline.protocol.catalogue import Endpoint

Body = dict[str, object]

EXTRAS = ("context_management", "container", "mcp_servers", "speed", "inference_geo")
"""Anthropic's own keys, which only a caller of its dialect can have sent."""
TIERS = {"auto": "auto", "priority": "auto", "fast": "auto", "standard_only": "standard_only"}
_THINKING_TOP_P = 0.95
_DRAWN = ("temperature", "top_p", "top_k")
_OBJECT = msgspec.json.Decoder(dict[str, object])


class Composer:
    """Writes upstream bodies for one endpoint."""

    def __init__(self, endpoint: Endpoint) -> None:
        quirks = endpoint.quirks
        self._endpoint = endpoint
        self._quirks = quirks
        self._formats = frozenset(quirks.reasoning_formats or (OWN,))
        self._supports = supports(endpoint)

    def compose(self, conversation: Conversation) -> bytes:
        """The body. Raises ApiError("invalid_request") for media that Anthropic cannot take, and for a budget above the output limit."""
        offered = self._offered(conversation)
        names = tools.names_of(conversation)
        thinking = self.thinking(conversation, forced=_forces(conversation, offered))
        structure = structure_of(self._quirks, conversation, thinks=thinking.unforced)
        history = History(Rules(names, self._formats, self._quirks.late_system))
        for turn in conversation.turns:
            history.add(turn)
        history.close()
        defined = tools.definitions(offered, names, strict=self._quirks.json_schema == "native")
        body: Body = {"model": self._endpoint.upstream_model, "max_tokens": thinking.max_tokens}
        if structure is not None and structure.way == "words":
            history.system.append({"type": "text", "text": structure.instruction})
        if structure is not None and structure.way == "tool":
            defined.append(
                {"name": structure.name, "description": description(conversation.format), "input_schema": input_schema(structure.schema)}
            )
        if history.system:
            body["system"] = history.system
        messages = [{"role": draft.role, "content": draft.content()} for draft in history.drafts]
        body["messages"] = messages
        if defined:
            body["tools"] = defined
            self._choose(body, conversation.tool_choice, names, structure)
        self._tune(body, conversation, thinking, structure)
        written = [block for draft in history.drafts for block in draft.content() if isinstance(block, dict)]
        self._cache(body, conversation, [*defined, *history.system, *written])
        return msgspec.json.encode(self._patched(body))

    def left_out(self, conversation: Conversation) -> frozenset[str]:
        """The sampling parameters that cannot be sent beside the rest of this conversation. Raises ApiError as `compose` does."""
        thinking = self.thinking(conversation, forced=_forces(conversation, self._offered(conversation)))
        return sampling.left_out(conversation.sampling, self._sampling(conversation, thinks=thinking.on))

    def _offered(self, conversation: Conversation) -> Sequence[Tool]:
        return tools.offered(conversation) if self._quirks.tools != "none" and self._supports("tools") else ()

    def thinking(self, conversation: Conversation, *, forced: bool) -> Thinking:
        """What is asked of thinking."""
        if not self._supports("reasoning"):
            conversation = msgspec.structs.replace(conversation, reasoning=None, verbosity=None)
        return plan(self._quirks, conversation, limit=self._endpoint.max_completion_tokens, forced=forced)

    def _choose(self, body: Body, wanted: ToolChoice, names: Names, structure: Structure | None) -> None:
        if structure is not None and structure.way == "tool":
            alone = len(body["tools"]) == 1 or wanted.mode == "none"  # type: ignore[arg-type]
            body["tool_choice"] = {"type": "tool", "name": structure.name} if alone else {"type": "any"}
            return
        if not self._supports("tool_choice") and wanted.mode in ("required", "function"):
            wanted = ToolChoice(parallel=wanted.parallel)
        if not self._supports("parallel_tool_calls"):
            wanted = ToolChoice(mode=wanted.mode, name=wanted.name)
        chosen = tools.choice(wanted, names)
        if chosen is not None:
            body["tool_choice"] = chosen

    def _tune(self, body: Body, conversation: Conversation, thinking: Thinking, structure: Structure | None) -> None:
        """Everything that is neither content nor tools."""
        drawn = self._sampling(conversation, thinks=thinking.on)
        body.update({key: value for key in _DRAWN if (value := getattr(drawn, key)) is not None})
        stops = [one for one in conversation.stop if one.strip()]
        if stops and self._supports("stop"):
            body["stop_sequences"] = stops
        if thinking.thinking is not None:
            body["thinking"] = thinking.thinking
        own = conversation.dialect == DIALECT
        config: Body = _OBJECT.decode(conversation.extra["output_config"]) if own and "output_config" in conversation.extra else {}
        if thinking.effort is not None:
            config["effort"] = thinking.effort
        if structure is not None and structure.way == "native":
            config["format"] = {"type": "json_schema", "schema": structure.schema}
        if config:
            body["output_config"] = config
        tier = TIERS.get(conversation.service_tier or "")
        if tier is not None:
            body["service_tier"] = tier
        if own:
            body.update({key: conversation.extra[key] for key in EXTRAS if key in conversation.extra})
        if conversation.stream:
            body["stream"] = True

    def _sampling(self, conversation: Conversation, *, thinks: bool) -> Sampling:
        """A model that thinks takes nothing of it but a `top_p` near 1."""
        return sampling.fitted(conversation.sampling, self._supports, thinks=thinks, least_top_p=_THINKING_TOP_P)

    def _cache(self, body: Body, conversation: Conversation, blocks: list[marks.Block]) -> None:
        style = self._quirks.cache_marks
        everywhere = conversation.cache if style != "none" else None
        marks.settle(blocks, style, reserved=0 if everywhere is None else 1)
        if everywhere is not None:
            body[marks.KEY] = marks.written(everywhere, style)

    def _patched(self, body: Body) -> Body:
        rename(body, self._quirks)
        body.update(self._quirks.set)
        return body


def left_out(endpoint: Endpoint, conversation: Conversation) -> frozenset[str]:
    """The parameters that an endpoint cannot get beside the rest of a conversation."""
    return Composer(endpoint).left_out(conversation)


def _forces(conversation: Conversation, offered: Sequence[Tool]) -> bool:
    return bool(offered) and conversation.tool_choice.mode in ("required", "function")


def supports(endpoint: Endpoint) -> Callable[[str], bool]:
    """Whether an endpoint knows a parameter (`dialects.parameters`)."""
    listed = endpoint.supported_parameters
    if listed is None:
        return lambda name: True
    known = {ALIASES.get(name, name) for name in listed}
    if "include_reasoning" in known:
        known.add("reasoning")
    if "tools" in known:
        known.add("parallel_tool_calls")
    return known.__contains__
