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

ROOM: Final = 4096
"""Tokens left for the answer where neither the caller nor the endpoint names an output limit."""

_DEFAULT: Final = "medium"
_LOWEST: Final = {"minimal": "low"}
Fields = dict[str, object]


class Thinking(Struct, frozen=True):
    """What to send: `fields`, and `max_tokens` where it must leave room. `on`: a Claude thinks, which rules out some parameters;
    `unforced`: nor may a call be demanded."""

    max_tokens: int | None = None
    fields: Fields = {}
    on: bool = False
    unforced: bool = False


def plan(quirks: Quirks, conversation: Conversation, *, limit: int | None, forced: bool) -> Thinking:
    """What a conversation asks of an endpoint. `limit`: its output limit in tokens; `forced`: a tool call is demanded, which a budget rules
    out: the demand wins. Raises ApiError when the budget that was asked for leaves no room below `max_tokens`."""
    wish, asked = conversation.reasoning, conversation.max_tokens
    if wish is None or quirks.thinking == "none":
        return Thinking(asked)
    off = wish.enabled is False or wish.effort == "none"
    if quirks.thinking == "level":
        return Thinking(asked, _level(quirks, "none" if off else _effort(wish, asked or limit)))
    if off:
        return Thinking(asked, {} if quirks.thinking == "budget" else {"thinking": {"type": "disabled"}})
    if quirks.thinking == "adaptive" or (quirks.thinking == "either" and wish.max_tokens is None):
        return Thinking(asked, _adaptive(quirks, wish, asked or limit), on=True)
    if forced or _lacks_thoughts(conversation):
        return Thinking(asked)
    return _budgeted(wish, asked, limit)


def _budgeted(wish: ReasoningWish, asked: int | None, limit: int | None) -> Thinking:
    room = asked or limit
    if wish.max_tokens is None:
        budget = efforts.budget_of(wish.effort or _DEFAULT, room or 2 * ROOM)
    else:
        budget = min(max(wish.max_tokens, efforts.LEAST_BUDGET), efforts.MOST_BUDGET)
    if room is None:
        room = asked = budget + ROOM
    if budget >= room:
        if wish.max_tokens is not None:
            raise ApiError("invalid_request", f"max_tokens: Must exceed the reasoning budget of {budget} tokens, got {room}")
        return Thinking(asked)
    fields: Fields = {"thinking": {"type": "enabled", "budget_tokens": budget}}
    return Thinking(asked, fields, on=True, unforced=True)


def _adaptive(quirks: Quirks, wish: ReasoningWish, room: int | None) -> Fields:
    shown = "omitted" if wish.exclude else wish.display
    fields: Fields = {"thinking": {"type": "adaptive", **({"display": shown} if shown else {})}}
    effort = wish.effort or (None if wish.max_tokens is None else efforts.effort_of(wish.max_tokens, room))
    word = "" if effort is None else quirks.effort_map.get(effort, _LOWEST.get(effort, effort))
    return {**fields, "output_config": {"effort": word}} if word else fields


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
