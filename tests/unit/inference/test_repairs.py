"""A request that was refused for something it can do without is tried once more without it."""

import pytest
from pipelines import served

from trunkline.dialects.hub.conversation import Conversation, Reasoning, ReasoningWish, Sampling, Text, ToolChoice, Turn
from trunkline.errors import UpstreamRefused
from trunkline.inference.repairs import repair_for, wish_of, without_wish

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
        ("Malformed input request: #: extraneous key [temperature] is not permitted, please reformat your input and try again.", ""),
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


SUMMARY = "Your organization must be verified to generate reasoning summaries."
SUMMARY_RAW = '{"error":{"message":"...","param":"reasoning.summary","code":"unsupported_value"}}'


@pytest.mark.parametrize(
    ("wish", "dialect"), [(ReasoningWish(effort="high", summary="detailed"), "responses"), (ReasoningWish(effort="high"), "chat")]
)
def test_a_summary_that_is_refused_goes_alone(wish: ReasoningWish, dialect: str) -> None:
    asked = Conversation(turns=HISTORY, reasoning=wish, dialect=dialect)
    after = repaired(refused("unsupported_param", SUMMARY, SUMMARY_RAW), asked)
    assert after is not None and after.reasoning is not None
    assert (after.reasoning.effort, after.reasoning.summary, after.reasoning.exclude) == ("high", None, True)
    assert repaired(refused("unsupported_param", SUMMARY, SUMMARY_RAW), after) is None


def test_a_summary_that_was_not_asked_for_is_not_dropped() -> None:
    asked = Conversation(turns=HISTORY, reasoning=ReasoningWish(effort="high"), dialect="responses")
    assert repaired(refused("unsupported_param", SUMMARY, SUMMARY_RAW), asked) is None


def test_a_repair_says_what_it_drops_and_whether_that_will_last() -> None:
    asked = Conversation(turns=HISTORY, sampling=Sampling(temperature=0.5), max_tokens=500)
    known = repair_for(refused("unsupported_param", "'temperature'"), lambda: asked, ENDPOINT)
    assert known is not None and (known.names, known.lasting, known.by_value) == (("temperature",), True, False)
    value = UpstreamRefused("unsupported_param", "'temperature'", status=400, code="unsupported_value")
    by_value = repair_for(value, lambda: asked, ENDPOINT)
    assert by_value is not None and by_value.by_value
    lowered = repair_for(refused("max_output"), lambda: asked, ENDPOINT)
    assert lowered is not None and (lowered.names, lowered.lasting) == (("max_tokens",), False)


def test_repairs_add_up() -> None:
    asked = Conversation(turns=HISTORY, sampling=Sampling(temperature=0.5, top_p=0.9, seed=1))
    first = repair_for(refused("unsupported_param", "'temperature'"), lambda: asked, ENDPOINT)
    second = repair_for(refused("unsupported_param", "'top_p'"), lambda: asked, ENDPOINT)
    assert first is not None and second is not None
    both = second.after(first)
    assert both.names == ("temperature", "top_p")
    assert both(asked).sampling == Sampling(seed=1)
    assert second.after(None) is second


@pytest.mark.parametrize("name", ["temperature", "parallel_tool_calls", "reasoning.summary", "stop", "verbosity", "tools", "unknown"])
def test_nothing_wished_is_nothing_to_drop(name: str) -> None:
    empty = Conversation(turns=HISTORY)
    assert wish_of(name, empty) is None
    assert without_wish(name, empty) == empty
