"""What can be changed about a request that an upstream refused, so that the same endpoint may take it: once for each attempt.

A repaired request goes by way of the hub also where client and endpoint speak one dialect. The next endpoint gets the request as it came.
`refused_wishes` remembers what was left out, so that later requests need not fail first.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

from msgspec import Struct, structs

from trunkline.dialects.hub.conversation import Conversation, Reasoning
from trunkline.errors import UpstreamError, UpstreamRefused
from trunkline.protocol.catalogue import Endpoint

Change = Callable[[Conversation], Conversation]


class Repair(Struct, frozen=True):
    """A change of a request. `names` are the parameters that it leaves out or lowers, in the order in which that was decided.

    `learned`: by what earlier requests met, so that this one may be repaired once more. `lasting`: the endpoint would refuse the last name
    of any other request too; `by_value`: only with the same value.
    """

    change: Change
    names: tuple[str, ...]
    learned: bool = False
    lasting: bool = False
    by_value: bool = False

    def __call__(self, conversation: Conversation) -> Conversation:
        """The changed conversation."""
        return self.change(conversation)

    def after(self, first: "Repair | None") -> "Repair":
        """This repair on top of another one."""
        if first is None:
            return self
        both = partial(_one_by_one, (first.change, self.change))
        return structs.replace(self, change=both, names=(*first.names, *self.names))


def _one_by_one(changes: Sequence[Change], conversation: Conversation) -> Conversation:
    for change in changes:
        conversation = change(conversation)
    return conversation


_VALUE_CODES: Final = frozenset(("unsupported_value",))
"""Codes of refusals that speak of a parameter's value, not of the parameter."""
_NAMED: Final = re.compile(r"""["'`\[]([a-z][a-z_.]{2,40})["'`\]]""")
"""A parameter as refusals name it, Bedrock in square brackets."""
_SAMPLING: Final = frozenset(
    (
        *("temperature", "top_p", "top_k", "min_p", "top_a", "frequency_penalty", "presence_penalty", "repetition_penalty", "seed"),
        *("logit_bias", "logprobs", "top_logprobs"),
    )
)
_FIELDS: Final[Mapping[str, tuple[str, object]]] = {
    "verbosity": ("verbosity", None),
    "prediction": ("prediction", None),
    "service_tier": ("service_tier", None),
    "prompt_cache_key": ("prompt_cache_key", None),
    "stop": ("stop", ()),
    "stop_sequences": ("stop", ()),
    "reasoning": ("reasoning", None),
    "reasoning_effort": ("reasoning", None),
    "reasoning.effort": ("reasoning", None),
    "thinking": ("reasoning", None),
}
"""Parameters that only wish: without them the answer is still an answer to what was asked. A tool or a format is not among them."""


def repair_for(error: UpstreamError, conversation: Callable[[], Conversation], endpoint: Endpoint) -> Repair | None:
    """How to repair what was refused; None when nothing can be changed. `conversation` is called only for kinds that have a repair."""
    maker = _MAKERS.get(error.kind)
    return None if maker is None else maker(error, conversation(), endpoint)


def wish_of(name: str, conversation: Conversation) -> object | None:
    """What a conversation wishes by the name of a parameter; None = nothing, or nothing that may be left out."""
    if name in _SAMPLING:
        wish: object = getattr(conversation.sampling, name)
        return wish
    if name == "parallel_tool_calls":
        return conversation.tool_choice.parallel
    if name == "reasoning.summary":
        return _summary(conversation)
    field = _FIELDS.get(name)
    return None if field is None else getattr(conversation, field[0]) or None


def without_wish(name: str, conversation: Conversation) -> Conversation:
    """The conversation without what it wishes by the name of a parameter."""
    if name in _SAMPLING:
        return structs.replace(conversation, sampling=structs.replace(conversation.sampling, **{name: None}))
    if name == "parallel_tool_calls":
        return structs.replace(conversation, tool_choice=structs.replace(conversation.tool_choice, parallel=None))
    if name == "reasoning.summary" and conversation.reasoning is not None:
        return structs.replace(conversation, reasoning=structs.replace(conversation.reasoning, summary=None, exclude=True))
    field = _FIELDS.get(name)
    return conversation if field is None else structs.replace(conversation, **dict((field,)))


def without_reasoning(conversation: Conversation) -> Conversation:
    """The conversation without what models thought in it."""
    turns = [
        structs.replace(turn, blocks=tuple([one for one in turn.blocks if not isinstance(one, Reasoning)])) for turn in conversation.turns
    ]
    return structs.replace(conversation, turns=tuple([turn for turn in turns if turn.blocks]))


def _summary(conversation: Conversation) -> str | None:
    """The summary that is asked for: callers of other dialects than responses get one without a word, unless they exclude it."""
    wish = conversation.reasoning
    if wish is None or wish.exclude:
        return None
    return wish.summary or (None if conversation.dialect == "responses" else "auto")


def _stale_reasoning(_error: UpstreamError, conversation: Conversation, _endpoint: Endpoint) -> Repair | None:
    """Signatures of another organisation or model are refused for good: the text of the conversation is worth more (bug class 2)."""
    thought = any(isinstance(block, Reasoning) for turn in conversation.turns for block in turn.blocks)
    return Repair(without_reasoning, ("reasoning_details",)) if thought else None


def _too_much_output(_error: UpstreamError, conversation: Conversation, endpoint: Endpoint) -> Repair | None:
    """The limit is lowered to the endpoint's, or left to it."""
    asked, most = conversation.max_tokens, endpoint.max_completion_tokens
    if asked is None:
        return None
    limit = most if most is not None and most < asked else None
    return Repair(partial(structs.replace, max_tokens=limit), ("max_tokens",))


def _unsupported(error: UpstreamError, conversation: Conversation, _endpoint: Endpoint) -> Repair | None:
    """A wish that the upstream does not know is dropped, when its refusal names one that was made."""
    said = error.message + (error.raw if isinstance(error, UpstreamRefused) else "")
    for name in dict.fromkeys(_NAMED.findall(said)):
        if wish_of(name, conversation) is not None:
            by_value = isinstance(error, UpstreamRefused) and error.code in _VALUE_CODES
            return Repair(partial(without_wish, name), (name,), lasting=True, by_value=by_value)
    return None


_MAKERS: Final = {
    "stale_reasoning": _stale_reasoning,
    "max_output": _too_much_output,
    "unsupported_param": _unsupported,
}
