"""The names of request parameters that endpoints may lack, in the words of the chat dialect (contract 5.13)."""

from collections.abc import Mapping
from typing import Final

PARAMETERS = frozenset(
    (
        *("temperature", "top_p", "top_k", "min_p", "top_a", "frequency_penalty", "presence_penalty", "repetition_penalty", "seed", "stop"),
        *("max_tokens", "max_completion_tokens", "logit_bias", "logprobs", "top_logprobs", "prediction", "response_format"),
        *("structured_outputs", "tools", "tool_choice", "parallel_tool_calls", "include_reasoning", "reasoning", "reasoning_effort"),
        *("web_search_options", "verbosity"),
    )
)
"""The vocabulary of `supported_parameters` (contract 5.13)."""

ALIASES = {"max_completion_tokens": "max_tokens", "reasoning_effort": "reasoning"}
"""Parameters that ask for the same ability under another name."""

SAMPLING: Final = frozenset(("temperature", "top_p", "top_k"))
"""Parameters that some models take only one beside another, or not while they think (`hub.sampling`)."""

_CHAT_ONLY: Final = ("min_p", "top_a", "repetition_penalty", "logit_bias", "prediction", "web_search_options")
_ANTHROPIC: Final = (*_CHAT_ONLY, "frequency_penalty", "presence_penalty", "logprobs", "top_logprobs", "seed")
WORDLESS: Final[Mapping[str, frozenset[str]]] = {
    "messages": frozenset(_ANTHROPIC),
    "converse": frozenset((*_ANTHROPIC, "parallel_tool_calls")),
    "responses": frozenset((*_CHAT_ONLY, "seed", "stop")),
    "gemini": frozenset((*_CHAT_ONLY, "parallel_tool_calls", "verbosity")),
    "cohere": frozenset((*_CHAT_ONLY, "parallel_tool_calls", "verbosity", "top_logprobs")),
}
"""By dialect: the parameters that a body of it has no word for, whatever an endpoint supports. They are lost in translation."""
ONLY_LISTED: Final[Mapping[str, frozenset[str]]] = {"responses": frozenset(("top_k", "frequency_penalty", "presence_penalty"))}
"""By dialect: parameters that its author does not have, but others who speak it. They are sent only to endpoints that list them."""
_NONE: Final[frozenset[str]] = frozenset()


def lost(dialect: str, listed: frozenset[str] | None) -> frozenset[str]:
    """What a translation to an endpoint of this dialect leaves out. `listed` are its supported parameters, None = not known."""
    return WORDLESS.get(dialect, _NONE) | (ONLY_LISTED.get(dialect, _NONE) - (listed or _NONE))
