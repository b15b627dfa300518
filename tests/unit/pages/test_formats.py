"""Prices, counts and dates as people read them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.pages import formats
from trunkline.pages.formats import Day

_SIZES = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12, "Q": 10**15}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, formats.NOTHING),
        (0, "0"),
        (999, "999"),
        (1000, "1K"),
        (4096, "4.1K"),
        (128_000, "128K"),
        (131_072, "131K"),
        (999_499, "999K"),
        (999_500, "1M"),
        (1_048_576, "1.05M"),
        (5_310_000_000, "5.31B"),
    ],
)
def test_counts_have_three_digits(value: int | None, text: str) -> None:
    assert formats.count(value) == text


@given(st.integers(min_value=1, max_value=10**17))
def test_a_count_is_right_to_half_a_percent(value: int) -> None:
    text = formats.count(value)
    number, suffix = (text[:-1], text[-1]) if text[-1].isalpha() else (text, "")
    assert abs(Decimal(number) * _SIZES[suffix] - value) <= Decimal(value) * Decimal("0.005")


@pytest.mark.parametrize(
    ("pico", "text"),
    [
        (None, formats.NOTHING),
        (0, "$0"),
        (1_750_000, "$1.75"),
        (14_000_000, "$14"),
        (22_500_000, "$22.50"),
        (75_000, "$0.075"),
        (500_000, "$0.50"),
        (1, "$0.000001"),
        (1_200_000_000, "$1,200"),
    ],
)
def test_prices_are_dollars_per_million_tokens(pico: int | None, text: str) -> None:
    assert formats.per_million(pico) == text


def test_prices_of_single_things_are_dollars_per_thousand() -> None:
    assert formats.per_thousand(10_000_000_000) == "$10"
    assert formats.per_thousand(None) == formats.NOTHING


def test_days() -> None:
    assert formats.day_of(1765389783) == Day("2025-12-10", "Dec 10, 2025")
    assert formats.day_of_iso("2026-08-10") == Day("2026-08-10", "Aug 10, 2026")
    assert formats.day_of_iso("2026-08-10T12:00:00Z") == Day("2026-08-10", "Aug 10, 2026")
    assert formats.day_of_iso("soon") == Day("soon", "soon")


def test_plurals() -> None:
    assert [formats.plural(number, "model") for number in (0, 1, 1204)] == ["0 models", "1 model", "1,204 models"]
