import pytest

from trunkline.dialects.converse.stops import failure_of, reason_of


@pytest.mark.parametrize(
    ("native", "called", "reason"),
    [
        ("end_turn", False, "stop"),
        ("stop_sequence", False, "stop"),
        ("max_tokens", False, "length"),
        ("model_context_window_exceeded", False, "length"),
        ("tool_use", True, "tool_calls"),
        ("end_turn", True, "tool_calls"),
        ("max_tokens", True, "length"),
        ("content_filtered", False, "content_filter"),
        ("guardrail_intervened", True, "content_filter"),
        ("something_new", False, "stop"),
    ],
)
def test_bug_06_the_finish_says_what_happened(native: str, called: bool, reason: str) -> None:
    assert reason_of(native, called=called, emulated=False) == reason


def test_bug_23_a_structured_answer_in_disguise_is_no_call() -> None:
    assert reason_of("tool_use", called=False, emulated=True) == "stop"
    assert reason_of("tool_use", called=True, emulated=True) == "tool_calls"
    assert reason_of("max_tokens", called=False, emulated=True) == "length"


@pytest.mark.parametrize("native", ["malformed_model_output", "malformed_tool_use"])
def test_a_failed_answer_is_a_failure(native: str) -> None:
    failure = failure_of(native)
    assert failure is not None
    assert (failure.kind, failure.code) == ("malformed", native)
    assert failure_of("end_turn") is None
