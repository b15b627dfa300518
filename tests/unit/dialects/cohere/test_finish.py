import pytest

from trunkline.dialects.cohere.finish import failure_of, reason_of


@pytest.mark.parametrize(
    ("native", "called", "reason"),
    [
        ("COMPLETE", False, "stop"),
        ("STOP_SEQUENCE", False, "stop"),
        ("MAX_TOKENS", False, "length"),
        ("MAX_TOKENS", True, "length"),
        ("TOOL_CALL", True, "tool_calls"),
        ("COMPLETE", True, "tool_calls"),
        ("NEW_WORD", False, "stop"),
    ],
)
def test_bug_06_the_finish_says_what_happened(native: str, called: bool, reason: str) -> None:
    assert reason_of(native, called=called) == reason


@pytest.mark.parametrize(
    ("native", "kind"), [("ERROR", "server"), ("ERROR_TOXIC", "moderation"), ("ERROR_LIMIT", "context_length"), ("TIMEOUT", "server")]
)
def test_a_failed_answer_is_a_failure(native: str, kind: str) -> None:
    failure = failure_of(native, None)
    assert failure is not None
    assert (failure.kind, failure.code) == (kind, native)
    assert failure_of(native, "why").message == "why"  # type: ignore[union-attr]
    assert failure_of("COMPLETE", "x") is None
