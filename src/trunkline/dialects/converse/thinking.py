"""How much to think (contract 2.7), in the words of the model behind Converse: they go to `additionalModelRequestFields`.

The quirk `thinking` says which: `budget` and `adaptive` are Claude's, `level` is an effort under the quirk `reasoning_effort_key`; a key
with a dot (`reasoningConfig.maxReasoningEffort`, Nova's) names an object, which is of type `enabled`.
"""

from typing import Final

from msgspec import Struct

from trunkline.dialects import efforts
from trunkline.dialects.hub.conversation import Conversation, Reasoning, ReasoningWish, ToolCall
from trunkline.errors import ApiError
from trunkline.protocol.quirks import Quirks

ROOM: Final = 8192
"""The output limit in tokens that an effort is a share of where neither the caller nor the endpoint names one: smaller than that of any
model with budgets. Bedrock's own limit is then the model's greatest."""

_DEFAULT: Final = "medium"
_LOWEST: Final = {"minimal": "low"}
Fields = dict[str, object]


class Thinking(Struct, frozen=True):
    """What to send: `fields`, and `max_tokens`. `on`: a Claude thinks, which rules out some parameters;
    `unforced`: nor may a call be demanded."""

    max_tokens: int | None = None
    fields: Fields = {}
    on: bool = False
    unforced: bool = False


def plan(quirks: Quirks, conversation: Conversation, *, limit: int | None, forced: bool) -> Thinking:
    """What a conversation asks of an endpoint. `limit`: its output limit in tokens; `forced`: a tool call is demanded, which a budget rules
    out: the demand wins. Raises ApiError when the budget that was asked for leaves no room below `max_tokens`."""
    wish, asked = conversation.reasoning, conversation.max_tokens
    adapts = quirks.thinking == "adaptive" or (quirks.thinking == "either" and (wish is None or wish.max_tokens is None))
    effort = _worded(quirks, wish, conversation.verbosity, asked or limit) if adapts else {}
    if wish is None or quirks.thinking == "none":
        return Thinking(asked, effort)
    off = wish.enabled is False or wish.effort == "none"
    if quirks.thinking == "level":
        return Thinking(asked, _level(quirks, "none" if off else _effort(wish, asked or limit)))
    if off:
        return Thinking(asked, {} if quirks.thinking == "budget" else {"thinking": {"type": "disabled"}, **effort})
    if adapts:
        shown = "omitted" if wish.exclude else wish.display
        return Thinking(asked, {"thinking": {"type": "adaptive", **({"display": shown} if shown else {})}, **effort}, on=True)
    if forced or _lacks_thoughts(conversation):
        return Thinking(asked)
    return _budgeted(wish, asked, limit)


def _budgeted(wish: ReasoningWish, asked: int | None, limit: int | None) -> Thinking:
    room = asked or limit
    if wish.max_tokens is None:
        budget = efforts.budget_of(wish.effort or _DEFAULT, room or ROOM)
    else:
        budget = min(max(wish.max_tokens, efforts.LEAST_BUDGET), efforts.MOST_BUDGET)
    if room is not None and budget >= room:
        if wish.max_tokens is not None:
            raise ApiError("invalid_request", f"max_tokens: Must exceed the reasoning budget of {budget} tokens, got {room}")
        return Thinking(asked)
    fields: Fields = {"thinking": {"type": "enabled", "budget_tokens": budget}}
    return Thinking(asked, fields, on=True, unforced=True)


def _worded(quirks: Quirks, wish: ReasoningWish | None, verbosity: str | None, room: int | None) -> Fields:
    """The effort of a Claude that decides for itself; `verbosity` wins over the one of reasoning."""
    effort = verbosity or (wish.effort if wish is not None else None)
    if effort is None and wish is not None and wish.max_tokens is not None:
        effort = efforts.effort_of(wish.max_tokens, room)
    if effort is None or effort == "none":
        return {}
    word = quirks.effort_map.get(effort, _LOWEST.get(effort, effort))
    return {"output_config": {"effort": word}} if word else {}


def _effort(wish: ReasoningWish, room: int | None) -> str | None:
    if wish.effort is not None:
        return wish.effort
    if wish.max_tokens is not None:
        return efforts.effort_of(wish.max_tokens, room)
    return _DEFAULT if wish.enabled else None


def _level(quirks: Quirks, effort: str | None) -> Fields:
    """The effort in the upstream's word; `none` is sent only where it has one."""
    word = "" if effort is None else quirks.effort_map.get(effort, "" if effort == "none" else effort)
    if not word or not quirks.reasoning_effort_key:
        return {}
    parent, dot, key = quirks.reasoning_effort_key.rpartition(".")
    return {parent: {"type": "enabled", key: word}} if dot else {key: word}


def _lacks_thoughts(conversation: Conversation) -> bool:
    """Whether the last answer calls tools without signed thoughts: going on from there, a Claude with a budget must not think."""
    for turn in reversed(conversation.turns):
        if turn.role == "assistant":
            calls = any(isinstance(block, ToolCall) for block in turn.blocks)
            signed = any(isinstance(block, Reasoning) and (block.signature or block.data) for block in turn.blocks)
            return calls and not signed
        if turn.role != "tool":
            return False
    return False
