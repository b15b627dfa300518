import pytest

from trunkline.dialects.chat.finish import FINISH_REASONS, finish_reason

OURS = {"stop", "length", "tool_calls", "content_filter", "error"}


@pytest.mark.parametrize(
    ("native", "called", "ours"),
    [
        ("stop", False, "stop"),
        ("stop", True, "tool_calls"),
        ("", True, "tool_calls"),
        (None, False, "stop"),
        ("end_turn", False, "stop"),
        ("eos", False, "stop"),
        ("model_length", False, "length"),
        ("MAX_TOKENS", True, "length"),
        ("function_call", False, "tool_calls"),
        ("sensitive", False, "content_filter"),
        ("SAFETY", False, "content_filter"),
        ("insufficient_system_resource", False, "error"),
        ("network_error", True, "error"),
        ("something new", False, "stop"),
    ],
)
def test_maps_upstream_words(native: str | None, called: bool, ours: str) -> None:
    assert finish_reason(native, called=called) == ours


def test_table_uses_only_our_words_and_lower_case_keys() -> None:
    assert set(FINISH_REASONS.values()) == OURS
    assert all(key == key.lower() for key in FINISH_REASONS)
