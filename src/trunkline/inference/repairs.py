"""What can be changed about a request that an upstream refused, so that the same endpoint may take it: once for each attempt.

A repaired request goes by way of the hub also where client and endpoint speak one dialect. The next endpoint gets the request as it came.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from msgspec import structs

from trunkline.dialects.hub.conversation import Conversation, Reasoning, ToolChoice
from trunkline.errors import UpstreamError, UpstreamRefused
from trunkline.protocol.catalogue import Endpoint

Repair = Callable[[Conversation], Conversation]

_NAMED: Final = re.compile(r"""["'`]([a-z][a-z_.]{2,40})["'`]""")
_SAMPLING: Final = frozenset(
    (
        *("temperature", "top_p", "top_k", "min_p", "top_a", "frequency_penalty", "presence_penalty", "repetition_penalty", "seed"),
        *("logit_bias", "logprobs", "top_logprobs"),
    )
)
_WISHES: Final[Mapping[str, dict[str, object]]] = {
    "verbosity": {"verbosity": None},
    "prediction": {"prediction": None},
    "service_tier": {"service_tier": None},
    "prompt_cache_key": {"prompt_cache_key": None},
    "stop": {"stop": ()},
    "stop_sequences": {"stop": ()},
    "reasoning": {"reasoning": None},
    "reasoning_effort": {"reasoning": None},
    "reasoning.effort": {"reasoning": None},
    "thinking": {"reasoning": None},
}
"""Parameters that only wish: without them the answer is still an answer to what was asked. A tool or a format is not among them."""


def repair_for(error: UpstreamError, conversation: Callable[[], Conversation], endpoint: Endpoint) -> Repair | None:
    """How to repair what was refused; None when nothing can be changed. `conversation` is called only for kinds that have a repair."""
    maker = _MAKERS.get(error.kind)
    return None if maker is None else maker(error, conversation(), endpoint)


def without_reasoning(conversation: Conversation) -> Conversation:
    """The conversation without what models thought in it."""
    turns = [
        structs.replace(turn, blocks=tuple([one for one in turn.blocks if not isinstance(one, Reasoning)])) for turn in conversation.turns
    ]
    return structs.replace(conversation, turns=tuple([turn for turn in turns if turn.blocks]))


def _stale_reasoning(_error: UpstreamError, conversation: Conversation, _endpoint: Endpoint) -> Repair | None:
    """Signatures of another organisation or model are refused for good: the text of the conversation is worth more (bug class 2)."""
    thought = any(isinstance(block, Reasoning) for turn in conversation.turns for block in turn.blocks)
    return without_reasoning if thought else None


def _too_much_output(_error: UpstreamError, conversation: Conversation, endpoint: Endpoint) -> Repair | None:
    """The limit is lowered to the endpoint's, or left to it."""
    asked, most = conversation.max_tokens, endpoint.max_completion_tokens
    if asked is None:
        return None
    return partial(structs.replace, max_tokens=most if most is not None and most < asked else None)


def _unsupported(error: UpstreamError, conversation: Conversation, _endpoint: Endpoint) -> Repair | None:
    """A wish that the upstream does not know is dropped, when its refusal names one that was made."""
    said = error.message + (error.raw if isinstance(error, UpstreamRefused) else "")
    for name in dict.fromkeys(_NAMED.findall(said)):
        if name in _SAMPLING and getattr(conversation.sampling, name) is not None:
            return partial(structs.replace, sampling=structs.replace(conversation.sampling, **{name: None}))
        if name == "parallel_tool_calls" and conversation.tool_choice.parallel is not None:
            choice: ToolChoice = structs.replace(conversation.tool_choice, parallel=None)
            return partial(structs.replace, tool_choice=choice)
        changes = _WISHES.get(name)
        if changes is not None and any(getattr(conversation, field) for field in changes):
            return partial(structs.replace, **changes)
    return None


_MAKERS: Final = {
    "stale_reasoning": _stale_reasoning,
    "max_output": _too_much_output,
    "unsupported_param": _unsupported,
}
