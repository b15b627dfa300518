import json

import pytest

from trunkline.dialects.hub.conversation import Conversation, Reasoning, ReasoningWish, Text, ToolCall, ToolResult, Turn
from trunkline.dialects.messages.fields import Fields
from trunkline.dialects.messages.request import parse
from trunkline.dialects.messages.thinking import Thinking, adaptive, plan
from trunkline.errors import ApiError
from trunkline.protocol.quirks import Quirks

USER = Turn(role="user", blocks=(Text(text="hi"),))
CALL = Turn(role="assistant", blocks=(ToolCall(id="t", name="f"),))
RESULT = Turn(role="tool", blocks=(ToolResult(id="t"),))
SIGNED = Reasoning(text="x", signature="s", format="anthropic-claude-v1")


def planned(
    wish: ReasoningWish | None,
    kind: str = "budget",
    *,
    max_tokens: int | None = 10_000,
    limit: int | None = None,
    forced: bool = False,
    turns: tuple[Turn, ...] = (USER,),
    verbosity: str | None = None,
    dialect: str = "chat",
    **quirks: object,
) -> Thinking:
    conversation = Conversation(turns=turns, reasoning=wish, max_tokens=max_tokens, verbosity=verbosity, dialect=dialect)
    return plan(Quirks(thinking=kind, **quirks), conversation, limit=limit, forced=forced)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("max_tokens", "effort", "budget"),
    [(10_000, "high", 8000), (2000, "low", 1024), (200_000, "xhigh", 128_000), (10_000, "minimal", 1024), (10_000, None, 5000)],
)
def test_an_effort_is_a_share_of_the_output_limit(max_tokens: int, effort: str | None, budget: int) -> None:
    """The samples of OpenRouter's page about reasoning."""
    made = planned(ReasoningWish(effort=effort, enabled=True), max_tokens=max_tokens)  # type: ignore[arg-type]
    assert made == Thinking(max_tokens, {"type": "enabled", "budget_tokens": budget}, on=True)
    assert made.unforced


def test_a_budget_has_a_floor_and_a_ceiling() -> None:
    assert planned(ReasoningWish(max_tokens=10)).thinking == {"type": "enabled", "budget_tokens": 1024}
    assert planned(ReasoningWish(max_tokens=10**6), max_tokens=10**6).thinking == {"type": "enabled", "budget_tokens": 128_000}


@pytest.mark.parametrize(
    ("max_tokens", "limit", "expected"),
    [(None, None, 6096), (None, 64_000, 64_000), (5000, 64_000, 5000)],
)
def test_bug_21_the_output_limit_leaves_room(max_tokens: int | None, limit: int | None, expected: int) -> None:
    assert planned(ReasoningWish(max_tokens=2000), max_tokens=max_tokens, limit=limit).max_tokens == expected


def test_bug_21_a_budget_above_the_output_limit_is_refused_by_name() -> None:
    with pytest.raises(ApiError, match="max_tokens: Must exceed the reasoning budget of 2000 tokens, got 2000"):
        planned(ReasoningWish(max_tokens=2000), max_tokens=2000)


def test_bug_21_an_effort_without_room_is_not_sent() -> None:
    assert planned(ReasoningWish(effort="high"), max_tokens=1000) == Thinking(1000)


def test_bug_21_a_demanded_call_rules_out_a_budget_but_not_adaptive_thinking() -> None:
    assert planned(ReasoningWish(effort="high"), forced=True) == Thinking(10_000)
    made = planned(ReasoningWish(effort="high"), "adaptive", forced=True)
    assert (made.on, made.unforced) == (True, False)


@pytest.mark.parametrize("wish", [ReasoningWish(enabled=False), ReasoningWish(effort="none")])
def test_thinking_is_turned_off(wish: ReasoningWish) -> None:
    assert planned(wish).thinking is None
    assert planned(wish, "adaptive").thinking == {"type": "disabled"}
    assert not planned(wish, "adaptive").on


def test_nothing_is_asked_where_nothing_was_asked() -> None:
    for kind in ("budget", "either", "adaptive", "none"):
        assert planned(None, kind) == Thinking(10_000)
    assert planned(ReasoningWish(effort="high"), "none") == Thinking(10_000)


@pytest.mark.parametrize(("effort", "word"), [("minimal", "low"), ("high", "high"), ("max", "max"), (None, None)])
def test_adaptive_thinking_has_an_effort(effort: str | None, word: str | None) -> None:
    made = planned(ReasoningWish(effort=effort, enabled=True), "adaptive")  # type: ignore[arg-type]
    assert made == Thinking(10_000, {"type": "adaptive", "display": "summarized"}, word, on=True)


def test_efforts_that_a_model_lacks_are_mapped_by_data() -> None:
    assert planned(ReasoningWish(effort="xhigh"), "adaptive", effort_map={"xhigh": "high"}).effort == "high"
    assert planned(ReasoningWish(effort="low"), "adaptive", effort_map={"low": ""}).effort is None


def test_verbosity_wins_over_effort() -> None:
    assert planned(ReasoningWish(effort="low"), "adaptive", verbosity="high").effort == "high"
    assert planned(None, "adaptive", verbosity="high") == Thinking(10_000, effort="high")
    assert planned(None, "budget", verbosity="high").effort is None


def test_a_budget_is_an_effort_where_budgets_are_unknown() -> None:
    made = planned(ReasoningWish(max_tokens=5000), "adaptive")
    assert (made.thinking, made.effort) == ({"type": "adaptive", "display": "summarized"}, "medium")


def test_a_model_of_both_kinds_takes_a_budget_where_one_is_asked_for() -> None:
    assert planned(ReasoningWish(max_tokens=5000), "either").thinking == {"type": "enabled", "budget_tokens": 5000}
    assert planned(ReasoningWish(effort="high"), "either").effort == "high"


def test_how_much_is_shown() -> None:
    assert planned(ReasoningWish(exclude=True), "adaptive").thinking == {"type": "adaptive", "display": "omitted"}
    wish = ReasoningWish(enabled=True, adaptive=True)
    assert planned(wish, "adaptive", dialect="messages").thinking == {"type": "adaptive"}


def test_an_effort_alone_does_not_turn_thinking_on_for_a_messages_client() -> None:
    made = planned(ReasoningWish(effort="high"), "adaptive", dialect="messages")
    assert (made.thinking, made.effort) == (None, "high")


def test_bug_21_a_tool_loop_without_thoughts_goes_on_without() -> None:
    wish = ReasoningWish(effort="high")
    assert planned(wish, turns=(USER, CALL, RESULT)).thinking is None
    assert planned(wish, turns=(USER, Turn(role="assistant", blocks=(SIGNED, *CALL.blocks)), RESULT)).on
    foreign = Reasoning(kind="encrypted", data="d", format="openai-responses-v1")
    assert planned(wish, turns=(USER, Turn(role="assistant", blocks=(foreign, *CALL.blocks)), RESULT)).thinking is None
    assert planned(wish, turns=(USER, CALL, RESULT, USER)).on
    assert planned(wish, turns=(USER, Turn(role="assistant", blocks=(Text(text="x"),)))).on
    assert planned(wish, turns=(RESULT,)).on


def fields(**wire: object) -> Fields:
    return parse(json.dumps({"messages": [{"role": "user", "content": "x"}], **wire}).encode()).wire


def test_a_budget_of_a_request_as_an_effort() -> None:
    budget = {"type": "enabled", "budget_tokens": 2000}
    assert adaptive(Quirks(), fields(thinking=budget), 10_000) == ({"type": "adaptive"}, "low")
    assert adaptive(Quirks(effort_map={"high": "max"}), fields(thinking=budget, output_config={"effort": "high"}), None) == (
        {"type": "adaptive"},
        "max",
    )
    assert adaptive(Quirks(), fields(thinking={"type": "adaptive"}), None) is None
    assert adaptive(Quirks(), fields(), None) is None
