import pytest

from trunkline.dialects.chat.account import merge_usage, take_usage

USAGE = {"prompt_tokens": 5}


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"usage": USAGE}, ("usage",)),
        ({"x_groq": {"id": "r", "usage": USAGE}}, ("x_groq", "usage")),
        ({"usage": USAGE}, ("x_groq", "usage")),
        ({"choices": [{"index": 0, "usage": USAGE}]}, ("usage",)),
    ],
)
def test_takes_usage_out_wherever_it_is(document: dict[str, object], path: tuple[str, ...]) -> None:
    assert take_usage(document, path) == USAGE
    assert take_usage(document, path) is None
    assert "usage" not in str(document)


def test_usage_that_is_said_twice_is_removed_twice() -> None:
    document: dict[str, object] = {"x_groq": {"usage": {"total_tokens": 3}}, "usage": {"total_tokens": 4}}
    assert take_usage(document, ("x_groq", "usage")) == {"total_tokens": 3}
    assert document == {"x_groq": {}}


@pytest.mark.parametrize("document", [{}, {"usage": None}, {"usage": 3}, {"choices": []}, {"choices": [None]}, {"usage": {}}])
def test_no_usage(document: dict[str, object]) -> None:
    assert take_usage(document, ("usage",)) is None


def test_later_snapshots_replace_and_null_does_not() -> None:
    first = {"prompt_tokens": 5, "completion_tokens": 1, "details": {"cached": 4, "audio": 0}}
    second = {"prompt_tokens": None, "completion_tokens": 7, "details": {"audio": 2}, "cost": 0.1}
    merged = merge_usage(merge_usage(None, first), second)
    assert merged == {"prompt_tokens": 5, "completion_tokens": 7, "details": {"cached": 4, "audio": 2}, "cost": 0.1}
    assert first["details"] == {"cached": 4, "audio": 0}
    assert merge_usage(merged, second) == merged
