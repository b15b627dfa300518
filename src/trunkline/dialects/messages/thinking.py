"""How much to think, in Anthropic's words (contract 2.7): a budget in tokens or `adaptive` with an effort, as the endpoint's quirk says."""

from msgspec import Struct

from trunkline.dialects.efforts import LEAST_BUDGET, MOST_BUDGET, budget_of, effort_of
from trunkline.dialects.hub.conversation import Conversation, Reasoning, ReasoningWish, ToolCall
from trunkline.dialects.messages.content import DIALECT
from trunkline.dialects.messages.fields import Fields, ThinkingOn
from trunkline.dialects.messages.seal import OWN
from trunkline.errors import ApiError
from trunkline.protocol.quirks import Quirks

DEFAULT_MAX_TOKENS = 4096
"""The output limit in tokens where neither the caller nor the endpoint names one: the least that any of Anthropic's
models allows, which is Claude 3 Haiku's (its models overview, "Max output")."""

DEFAULT_EFFORT = "medium"
_LOWEST = {"minimal": "low"}


class Thinking(Struct, frozen=True):
    """What to send: the `thinking` object and the effort, None = not sent; `on` = the model thinks, so that some parameters must not be
    sent; `unforced` = nor may a call be demanded; `max_tokens` leaves room for the answer."""

    max_tokens: int
    thinking: dict[str, object] | None = None
    effort: str | None = None
    on: bool = False

    @property
    def unforced(self) -> bool:
        return self.on and "budget_tokens" in (self.thinking or {})


def plan(quirks: Quirks, conversation: Conversation, *, limit: int | None, forced: bool) -> Thinking:
    """What a conversation asks of an endpoint that can think. `limit`: the endpoint's output limit in tokens; `forced`: a tool call is
    demanded, which thinking with a budget rules out (with `adaptive` it does not): the demand wins.

    Raises ApiError("invalid_request") when the budget that was asked for leaves no room below `max_tokens`.
    """
    wish = conversation.reasoning
    max_tokens = conversation.max_tokens or limit or DEFAULT_MAX_TOKENS
    adapts = quirks.thinking == "adaptive" or (quirks.thinking == "either" and (wish is None or wish.max_tokens is None))
    effort = _effort(quirks, conversation, max_tokens) if adapts else None
    if quirks.thinking == "none" or wish is None or (wish.enabled is None and conversation.dialect == DIALECT):
        return Thinking(max_tokens, effort=effort)
    if wish.enabled is False or wish.effort == "none":
        return Thinking(max_tokens, thinking=None if quirks.thinking == "budget" else {"type": "disabled"}, effort=effort)
    if adapts:
        shown = "omitted" if wish.exclude else wish.display or ("summarized" if conversation.dialect != DIALECT else None)
        return Thinking(max_tokens, {"type": "adaptive", **({"display": shown} if shown else {})}, effort, on=True)
    if forced or _lacks_thoughts(conversation, quirks.reasoning_formats or (OWN,)):
        return Thinking(max_tokens)
    return _budgeted(conversation, wish, max_tokens, limit)


def adaptive(quirks: Quirks, fields: Fields, max_tokens: int | None) -> tuple[dict[str, object], str | None] | None:
    """A budget of a Messages request as (`thinking`, effort) for an endpoint that knows no budgets; None when none is asked for."""
    wire = fields.thinking
    if not isinstance(wire, ThinkingOn):
        return None
    said = None if fields.output_config is None else fields.output_config.effort
    effort = said or effort_of(wire.budget_tokens, max_tokens)
    thinking: dict[str, object] = {"type": "adaptive", **({"display": wire.display} if wire.display else {})}
    return thinking, quirks.effort_map.get(effort, _LOWEST.get(effort, effort)) or None


def _effort(quirks: Quirks, conversation: Conversation, max_tokens: int) -> str | None:
    """The word for `output_config.effort`; `verbosity` wins over it."""
    wish = conversation.reasoning
    wanted: str | None = conversation.verbosity
    if wanted is None and wish is not None:
        wanted = wish.effort
        if wanted is None and wish.max_tokens is not None:
            wanted = effort_of(wish.max_tokens, max_tokens)
    if wanted is None or wanted == "none":
        return None
    return quirks.effort_map.get(wanted, _LOWEST.get(wanted, wanted)) or None


def _budgeted(conversation: Conversation, wish: ReasoningWish, max_tokens: int, limit: int | None) -> Thinking:
    asked = wish.max_tokens
    budget = budget_of(wish.effort or DEFAULT_EFFORT, max_tokens) if asked is None else min(max(asked, LEAST_BUDGET), MOST_BUDGET)
    if conversation.max_tokens is None and limit is None:
        max_tokens = max(max_tokens, budget + DEFAULT_MAX_TOKENS)
    if budget >= max_tokens:
        if asked is not None:
            raise ApiError("invalid_request", f"max_tokens: Must exceed the reasoning budget of {budget} tokens, got {max_tokens}")
        return Thinking(max_tokens)
    return Thinking(max_tokens, {"type": "enabled", "budget_tokens": budget}, on=True)


def _lacks_thoughts(conversation: Conversation, formats: tuple[str, ...]) -> bool:
    """Whether the last answer calls tools without thoughts that the endpoint accepts: going on from there, a model with a budget must not
    think."""
    for turn in reversed(conversation.turns):
        if turn.role == "assistant":
            calls = any(isinstance(block, ToolCall) for block in turn.blocks)
            thoughts = [block for block in turn.blocks if isinstance(block, Reasoning) and block.format in formats]
            return calls and not any(block.signature or block.data for block in thoughts)
        if turn.role != "tool":
            return False
    return False
