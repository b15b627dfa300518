"""A request that was refused for something it can do without is tried once more without it."""

import pytest
from pipelines import served

from trunkline.dialects.hub.conversation import Conversation, Reasoning, ReasoningWish, Sampling, Text, ToolChoice, Turn
from trunkline.errors import UpstreamRefused
from trunkline.inference.repairs import repair_for

ENDPOINT = served("one", max_completion_tokens=100)
HISTORY = (
    Turn(role="user", blocks=(Text(text="hi"),)),
    Turn(role="assistant", blocks=(Reasoning(text="hm", signature="c2ln", format="anthropic-claude-v1"), Text(text="hello"))),
    Turn(role="assistant", blocks=(Reasoning(text="only this"),)),
)


def refused(kind: str, message: str = "no", raw: str = "") -> UpstreamRefused:
    return UpstreamRefused(kind, message, status=400, raw=raw)


def repaired(error: UpstreamRefused, conversation: Conversation) -> Conversation | None:
    repair = repair_for(error, lambda: conversation, ENDPOINT)
    return None if repair is None else repair(conversation)


def test_stale_reasoning_goes_and_the_text_stays() -> None:
    after = repaired(refused("stale_reasoning"), Conversation(turns=HISTORY))
    assert after is not None
    assert after.turns == (HISTORY[0], Turn(role="assistant", blocks=(Text(text="hello"),)))
    assert repaired(refused("stale_reasoning"), after) is None


@pytest.mark.parametrize(("asked", "sent"), [(500, 100), (50, None)])
def test_the_output_limit_is_lowered_or_left_to_the_upstream(asked: int, sent: int | None) -> None:
    after = repaired(refused("max_output"), Conversation(turns=HISTORY, max_tokens=asked))
    assert after is not None and after.max_tokens == sent


def test_without_a_limit_there_is_nothing_to_lower() -> None:
    assert repaired(refused("max_output"), Conversation(turns=HISTORY)) is None


@pytest.mark.parametrize(
    ("message", "raw"),
    [
        ("Unsupported parameter: 'temperature' is not supported with this model.", ""),
        ("Bad request", '{"error":{"param":"temperature"}}'),
    ],
)
def test_an_unsupported_wish_is_dropped(message: str, raw: str) -> None:
    asked = Conversation(turns=HISTORY, sampling=Sampling(temperature=0.5, top_p=0.9))
    after = repaired(refused("unsupported_param", message, raw), asked)
    assert after is not None and after.sampling == Sampling(top_p=0.9)


def test_wishes_beside_sampling_are_dropped_too() -> None:
    asked = Conversation(turns=HISTORY, reasoning=ReasoningWish(effort="high"), tool_choice=ToolChoice(parallel=True))
    without_effort = repaired(refused("unsupported_param", "unknown field `reasoning_effort`"), asked)
    assert without_effort is not None and without_effort.reasoning is None
    one_at_a_time = repaired(refused("unsupported_param", "'parallel_tool_calls' is not allowed"), asked)
    assert one_at_a_time is not None and one_at_a_time.tool_choice == ToolChoice()


@pytest.mark.parametrize("message", ["'temperature' is not supported", "'tools' is not supported", "no"])
def test_what_was_not_asked_or_must_not_go_is_not_dropped(message: str) -> None:
    assert repaired(refused("unsupported_param", message), Conversation(turns=HISTORY)) is None


def test_other_refusals_do_not_even_read_the_conversation() -> None:
    def unread() -> Conversation:
        raise AssertionError("read")

    assert repair_for(refused("server"), unread, ENDPOINT) is None
