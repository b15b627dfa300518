"""Query fields: last one wins, and nonsense is a 400 that names the field."""

import pytest

from trunkline.api import queries
from trunkline.errors import ApiError


def test_the_last_of_a_repeated_field_counts() -> None:
    assert queries.only([("id", "a"), ("x", "b"), ("id", "c")], "id") == "c"
    assert queries.only([], "id") is None


@pytest.mark.parametrize(("text", "value"), [("true", True), ("TRUE", True), ("1", True), ("false", False), ("0", False), ("", False)])
def test_flags(text: str, value: bool) -> None:
    assert queries.flag([("include_disabled", text)], "include_disabled") is value


def test_an_absent_flag_is_false_and_an_absent_offset_zero() -> None:
    assert queries.flag([], "include_disabled") is False
    assert queries.offset([]) == 0
    assert queries.offset([("offset", "")]) == 0


def test_offsets_are_whole_numbers() -> None:
    assert queries.offset([("offset", "100")]) == 100


@pytest.mark.parametrize("text", ["-1", "1.5", "x", "٣", "²", "99999999999999999999", "2147483649", " 1", "1e3"])
def test_other_offsets_are_refused(text: str) -> None:
    with pytest.raises(ApiError, match="offset") as refused:
        queries.offset([("offset", text)])
    assert refused.value.metadata == {"field": "offset"}


def test_other_flags_are_refused() -> None:
    with pytest.raises(ApiError, match="include_disabled"):
        queries.flag([("include_disabled", "maybe")], "include_disabled")
