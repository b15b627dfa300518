"""A `Conversation` as the body of an upstream of this dialect (OpenAI, Azure, xAI and others).

The gateway keeps the history, so upstreams store nothing, and encrypted reasoning is asked for where a model reasons.
"""

from collections.abc import Mapping

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from trunkline.dialects.deviations import rename
from trunkline.dialects.hub.conversation import Conversation, Reasoning
from trunkline.dialects.names import Names
from trunkline.dialects.responses import demands
from trunkline.dialects.responses.history import History, with_one_system
from trunkline.dialects.responses.support import Support
from trunkline.protocol.catalogue import Endpoint

LEAST_OUTPUT = 16
"""The smallest `max_output_tokens` that OpenAI takes."""

ENCRYPTED = "reasoning.encrypted_content"
LOGPROBS = "message.output_text.logprobs"
TIERS = {"fast": "priority"}
"""OpenRouter's word for a service tier, and the dialect's."""

EXTRAS = ("truncation", "prompt_cache_options", "prompt_cache_retention", "max_tool_calls", "context_management", "moderation")
"""Keys of a caller's request in this dialect that the hub does not carry and an upstream may get."""

_INCLUDES = msgspec.json.Decoder(list[str] | None)
Body = dict[str, object]


class Composer:
    """Writes upstream bodies for one endpoint."""

    def __init__(self, endpoint: Endpoint) -> None:
        quirks = endpoint.quirks
        self._model = endpoint.upstream_model
        self._quirks = quirks
        self._support = Support(endpoint)
        self._constants = {name: Raw(msgspec.json.encode(value)) for name, value in quirks.set.items()}

    def compose(self, conversation: Conversation) -> bytes:
        """The upstream's body. What it has no word for is left out."""
        if self._quirks.merge_system:
            conversation = with_one_system(conversation)
        own = conversation.dialect == "responses"
        names = demands.names_of(conversation)
        history = History(
            conversation,
            names,
            formats=self._support.formats,
            breakpoints=own and "prompt_cache_options" in conversation.extra,
            system_role=self._quirks.system_role,
        )
        body: Body = {"model": self._model, "input": history.items(), "store": False, "stream": conversation.stream}
        body.update(self._tools(conversation, names))
        body.update(self._limits(conversation))
        body.update(self._thinking(conversation))
        if own:
            body.update({name: conversation.extra[name] for name in EXTRAS if name in conversation.extra})
        return msgspec.json.encode(self._patched(body))

    def _tools(self, conversation: Conversation, names: Names) -> Body:
        if self._quirks.tools != "native" or not self._support.takes("tools"):
            return {}
        offered = demands.tools(conversation, names)
        if not offered:
            return {}
        out: Body = {"tools": offered}
        chosen = demands.choice(conversation, names, self._quirks)
        if chosen is not None and self._support.takes("tool_choice"):
            out["tool_choice"] = chosen
        if conversation.tool_choice.parallel is not None and self._support.takes("parallel_tool_calls"):
            out["parallel_tool_calls"] = conversation.tool_choice.parallel
        return out

    def _limits(self, conversation: Conversation) -> Body:
        sampling = conversation.sampling
        tier = conversation.service_tier
        wanted: Mapping[str, object] = {
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "top_k": sampling.top_k,
            "frequency_penalty": sampling.frequency_penalty,
            "presence_penalty": sampling.presence_penalty,
            "top_logprobs": sampling.top_logprobs,
        }
        body: Body = {name: value for name, value in wanted.items() if value is not None and self._support.takes(name)}
        if conversation.max_tokens is not None:
            body["max_output_tokens"] = max(conversation.max_tokens, LEAST_OUTPUT)
        if tier is not None:
            body["service_tier"] = TIERS.get(tier, tier)
        if conversation.prompt_cache_key is not None:
            body["prompt_cache_key"] = conversation.prompt_cache_key
        return body

    def _thinking(self, conversation: Conversation) -> Body:
        body: Body = {}
        text = demands.text(conversation, self._quirks)
        if not self._support.takes("response_format"):
            text.pop("format", None)
        if not self._support.takes("verbosity"):
            text.pop("verbosity", None)
        if text:
            body["text"] = text
        asked = self._reasoning(conversation)
        if asked and self._support.takes("reasoning"):
            body["reasoning"] = asked
        include = self._include(conversation, reasons="reasoning" in body and asked.get("effort") != "none")
        if include:
            body["include"] = include
        return body

    def _reasoning(self, conversation: Conversation) -> Body:
        """Other dialects show reasoning unless told not to, so a summary is asked for them; this one shows it only when asked."""
        wish = conversation.reasoning
        if wish is None:
            return {}
        if wish.summary is None and conversation.dialect != "responses":
            wish = replace(wish, summary="auto")
        return demands.reasoning(wish, conversation.max_tokens, self._quirks)

    def _include(self, conversation: Conversation, *, reasons: bool) -> list[str]:
        asked = conversation.extra.get("include") if conversation.dialect == "responses" else None
        include = (_INCLUDES.decode(asked) or []) if asked is not None else []
        if conversation.sampling.logprobs and self._support.takes("logprobs"):
            include.append(LOGPROBS)
        if self._support.knows_reasoning or reasons or _has_reasoned(conversation, self._support.formats):
            include.append(ENCRYPTED)
        return list(dict.fromkeys(include))

    def _patched(self, body: Body) -> Body:
        rename(body, self._quirks)
        return {**body, **self._constants}


def _has_reasoned(conversation: Conversation, formats: tuple[str, ...]) -> bool:
    blocks = (block for turn in conversation.turns for block in turn.blocks)
    return any(isinstance(block, Reasoning) and block.kind == "encrypted" and block.format in formats for block in blocks)
