"""Distributions in logarithmic bins."""

import math
from statistics import quantiles as exact

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.analytics.histogram import GROWTH, LOWEST, Bins, add, bin_of, merge, quantiles, total, value_of

POSITIVE = st.floats(min_value=LOWEST, max_value=1e9)


@given(POSITIVE)
def test_the_value_of_a_bin_is_at_most_two_percent_off(value: float) -> None:
    assert value_of(bin_of(value)) == pytest.approx(value, rel=0.0201)


@given(POSITIVE)
def test_a_bin_ends_where_the_next_begins(value: float) -> None:
    number = bin_of(value)
    assert GROWTH ** (number - 1) * (1 - 1e-9) < value <= GROWTH**number * (1 + 1e-9)


@pytest.mark.parametrize("value", [0, 0.0, -5, LOWEST / 2])
def test_nothing_is_smaller_than_the_lowest(value: float) -> None:
    assert bin_of(value) == bin_of(LOWEST)


@given(st.lists(POSITIVE))
def test_adding_counts_each_value_in_its_bin(values: list[float]) -> None:
    bins = Bins()
    for value in values:
        add(bins, value)
    assert total(bins) == len(values)
    assert bins == {number: [bin_of(value) for value in values].count(number) for number in {bin_of(value) for value in values}}


@given(st.lists(POSITIVE), st.lists(POSITIVE))
def test_a_merge_is_as_if_all_had_been_added_to_one(ours: list[float], theirs: list[float]) -> None:
    one, other, both = Bins(), Bins(), Bins()
    for value in ours:
        add(one, value)
        add(both, value)
    for value in theirs:
        add(other, value)
        add(both, value)
    merge(one, other)
    assert one == both


@given(st.lists(POSITIVE, min_size=1), st.floats(min_value=0.01, max_value=1))
def test_a_quantile_is_the_smallest_value_that_its_share_does_not_exceed(values: list[float], fraction: float) -> None:
    bins = Bins()
    for value in values:
        add(bins, value)
    (found,) = quantiles(bins, [fraction])
    rank = max(1, math.ceil(fraction * len(values) - 1e-9))
    assert found == pytest.approx(sorted(values)[rank - 1], rel=0.0201)


def test_quantiles_agree_with_exact_ones_on_many_values() -> None:
    values = [10 * 1.003**number for number in range(2000)]
    bins = Bins()
    for value in values:
        add(bins, value)
    cuts = exact(values, n=100)
    wanted = [cuts[49], cuts[74], cuts[89], cuts[98]]
    assert quantiles(bins, (0.5, 0.75, 0.9, 0.99)) == pytest.approx(wanted, rel=0.025)


def test_nothing_has_no_quantiles() -> None:
    with pytest.raises(ValueError, match="nothing"):
        quantiles({}, [0.5])
