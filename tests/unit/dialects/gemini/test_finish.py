"""Every word for an end."""

import pytest

from trunkline.dialects.gemini.finish import FAILURES, REASONS, UNSAID, failure_of, reason_of
from trunkline.inference.verdicts import VERDICTS


@pytest.mark.parametrize(
    ("native", "reason"),
    [
        *(("STOP", "stop"), ("MAX_TOKENS", "length"), ("SAFETY", "content_filter"), ("RECITATION", "content_filter")),
        *(("SPII", "content_filter"), ("IMAGE_SAFETY", "content_filter"), ("MODEL_ARMOR", "content_filter"), ("NEW_WORD", "stop")),
    ],
)
def test_reasons(native: str, reason: str) -> None:
    assert reason_of(native, called=False) == reason
    assert failure_of(native, None) is None


def test_bug_06_a_stop_with_calls_is_tool_calls_and_a_truncation_stays_one() -> None:
    assert reason_of("STOP", called=True) == "tool_calls"
    assert reason_of("MAX_TOKENS", called=True) == "length"
    assert reason_of("SAFETY", called=True) == "content_filter"


@pytest.mark.parametrize("native", FAILURES)
def test_failures_have_a_verdict(native: str) -> None:
    error = failure_of(native, "the model's own words")
    assert error is not None
    assert error.kind in VERDICTS
    assert (error.code, error.message) == (native, "the model's own words")
    assert native in str(failure_of(native, None))


def test_no_word_is_in_two_tables() -> None:
    assert not REASONS.keys() & FAILURES.keys()
    assert not UNSAID & (REASONS.keys() | FAILURES.keys())
