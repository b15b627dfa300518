"""How much to think (bug class 21)."""

from typing import Any

import pytest

from trunkline.dialects.converse.thinking import plan
from trunkline.dialects.hub.conversation import Conversation, Reasoning, ReasoningWish, Text, ToolCall, ToolResult, Turn
from trunkline.errors import ApiError
from trunkline.protocol.quirks import Quirks

USER = Turn(role="user", blocks=(Text(text="q"),))


def fields(thinking: Any, wish: ReasoningWish | None, *, max_tokens: int | None = None, limit: int | None = None, **quirks: Any) -> Any:
    conversation = Conversation(turns=(USER,), reasoning=wish, max_tokens=max_tokens)
    return plan(Quirks(thinking=thinking, **quirks), conversation, limit=limit, forced=False).fields


def budget(tokens: int) -> dict[str, Any]:
    return {"thinking": {"type": "enabled", "budget_tokens": tokens}}


@pytest.mark.parametrize(
    ("wish", "max_tokens", "limit", "sent"),
    [
        (None, None, None, {}),
        (ReasoningWish(max_tokens=2000), None, None, budget(2000)),
        (ReasoningWish(max_tokens=10), None, None, budget(1024)),
        (ReasoningWish(effort="high"), 10_000, None, budget(8000)),
        (ReasoningWish(effort="high"), None, 20_000, budget(16_000)),
        (ReasoningWish(enabled=True), None, None, budget(4096)),
        (ReasoningWish(effort="low"), 1000, None, {}),
        (ReasoningWish(enabled=False), 10_000, None, {}),
        (ReasoningWish(effort="none"), 10_000, None, {}),
    ],
)
def test_budgets(wish: ReasoningWish | None, max_tokens: int | None, limit: int | None, sent: dict[str, Any]) -> None:
    assert fields("budget", wish, max_tokens=max_tokens, limit=limit) == sent


def test_bug_21_a_budget_leaves_room() -> None:
    with pytest.raises(ApiError, match="max_tokens: Must exceed the reasoning budget of 2000"):
        fields("budget", ReasoningWish(max_tokens=2000), max_tokens=2000)


@pytest.mark.parametrize(
    ("wish", "sent"),
    [
        (ReasoningWish(enabled=True), {"thinking": {"type": "adaptive"}}),
        (ReasoningWish(effort="high"), {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}),
        (ReasoningWish(effort="minimal"), {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}}),
        (
            ReasoningWish(effort="low", exclude=True),
            {"thinking": {"type": "adaptive", "display": "omitted"}, "output_config": {"effort": "low"}},
        ),
        (ReasoningWish(enabled=False), {"thinking": {"type": "disabled"}}),
    ],
)
def test_adaptive(wish: ReasoningWish, sent: dict[str, Any]) -> None:
    assert fields("adaptive", wish) == sent
    assert fields("either", wish) == sent


def test_verbosity_is_an_effort_of_its_own() -> None:
    def sent(thinking: Any, wish: ReasoningWish | None) -> Any:
        conversation = Conversation(turns=(USER,), reasoning=wish, verbosity="low")
        return plan(Quirks(thinking=thinking), conversation, limit=None, forced=False).fields

    assert sent("adaptive", None) == sent("either", None) == {"output_config": {"effort": "low"}}
    assert sent("adaptive", ReasoningWish(effort="high"))["output_config"] == {"effort": "low"}
    assert sent("budget", None) == sent("none", None) == sent("level", None) == {}


def test_either_takes_a_budget_too() -> None:
    assert fields("either", ReasoningWish(max_tokens=2000)) == budget(2000)
    assert fields("adaptive", ReasoningWish(max_tokens=2000))["thinking"] == {"type": "adaptive"}


def test_levels_stand_under_the_models_own_key() -> None:
    assert fields("level", ReasoningWish(effort="high")) == {"reasoning_effort": "high"}
    assert fields("level", ReasoningWish(enabled=True), reasoning_effort_key="reasoning_config") == {"reasoning_config": "medium"}
    assert fields("level", ReasoningWish(max_tokens=900), max_tokens=1000)["reasoning_effort"] == "high"
    nova = {"reasoning_effort_key": "reasoningConfig.maxReasoningEffort", "effort_map": {"xhigh": "high", "minimal": ""}}
    assert fields("level", ReasoningWish(effort="xhigh"), **nova) == {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "high"}}
    assert fields("level", ReasoningWish(effort="minimal"), **nova) == {}
    assert fields("level", ReasoningWish(effort="none"), **nova) == {}
    assert fields("level", ReasoningWish(exclude=True)) == {}
    assert fields("none", ReasoningWish(effort="high")) == {}


def test_bug_21_a_demanded_call_wins_over_a_budget() -> None:
    conversation = Conversation(turns=(USER,), reasoning=ReasoningWish(max_tokens=2000))
    assert plan(Quirks(), conversation, limit=None, forced=True).fields == {}
    assert plan(Quirks(), conversation, limit=None, forced=False).unforced
    adaptive = plan(Quirks(thinking="adaptive"), conversation, limit=None, forced=True)
    assert adaptive.on
    assert not adaptive.unforced


def test_a_call_without_its_thoughts_ends_thinking() -> None:
    call = ToolCall(id="1", name="f")
    result = Turn(role="tool", blocks=(ToolResult(id="1"),))
    wish = ReasoningWish(max_tokens=2000)
    bare = Conversation(turns=(USER, Turn(role="assistant", blocks=(call,)), result), reasoning=wish)
    assert not plan(Quirks(), bare, limit=None, forced=False).on
    signed = Turn(role="assistant", blocks=(Reasoning(text="t", signature="s"), call))
    assert plan(Quirks(), Conversation(turns=(USER, signed, result), reasoning=wish), limit=None, forced=False).on
    over = Conversation(turns=(USER, Turn(role="assistant", blocks=(call,)), result, USER), reasoning=wish)
    assert plan(Quirks(), over, limit=None, forced=False).on
