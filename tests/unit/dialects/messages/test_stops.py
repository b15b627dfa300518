import pytest

from trunkline.dialects.hub.events import Finish
from trunkline.dialects.messages.stops import REASONS, finish_of, stop_reason


@pytest.mark.parametrize(
    ("native", "reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("pause_turn", "stop"),
        ("compaction", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
        ("something_new", "stop"),
        (None, "stop"),
    ],
)
def test_every_native_word_has_a_reason(native: str | None, reason: str) -> None:
    assert finish_of(native) == Finish(reason, native)  # type: ignore[arg-type]


def test_bug_06_a_call_with_a_stop_is_tool_calls() -> None:
    assert finish_of("end_turn", called=True).reason == "tool_calls"
    assert finish_of("max_tokens", called=True).reason == "length"


def test_bug_23_a_structured_answer_is_no_call() -> None:
    assert finish_of("tool_use", emulated=True) == Finish("stop", "tool_use")
    assert finish_of("tool_use", emulated=True, called=True).reason == "tool_calls"


@pytest.mark.parametrize("native", [word for word in REASONS if word != "stop_sequence"])
def test_bug_06_anthropics_own_words_come_back(native: str) -> None:
    assert stop_reason(finish_of(native)) == native


@pytest.mark.parametrize(
    ("finish", "word"),
    [
        (None, "end_turn"),
        (Finish("stop", "eos"), "end_turn"),
        (Finish("length", "length"), "max_tokens"),
        (Finish("tool_calls", "stop"), "tool_use"),
        (Finish("tool_calls", "end_turn"), "tool_use"),
        (Finish("stop", "tool_use"), "end_turn"),
        (Finish("content_filter", "SAFETY"), "refusal"),
        (Finish("stop", "stop", "END"), "stop_sequence"),
        (Finish("stop", "stop_sequence"), "end_turn"),
    ],
)
def test_other_words_are_translated(finish: Finish | None, word: str) -> None:
    assert stop_reason(finish) == word


def test_a_refusal_in_words_is_a_refusal() -> None:
    assert stop_reason(Finish("stop", "stop"), refused=True) == "refusal"
    assert stop_reason(Finish("length", "length"), refused=True) == "max_tokens"
