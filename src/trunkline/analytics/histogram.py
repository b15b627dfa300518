"""Distributions as counts in bins whose bounds grow by 4 %: small, added in a moment, merged without loss (storage notes, "log bins").

A value read from one is at most 2 % off. Whatever shows a percentile, in memory or from storage, reads it with `quantiles`.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import ceil, log
from typing import Final

Bins = dict[int, int]

GROWTH: Final = 1.04
LOWEST: Final = 0.001
"""Anything smaller, 0 included, is counted as this."""
_PER_LOG: Final = 1 / log(GROWTH)
_MIDDLE: Final = 2 / (1 + GROWTH)


def bin_of(value: float) -> int:
    """The bin that holds the values from above GROWTH ** (bin - 1) to GROWTH ** bin."""
    return ceil(log(value if value > LOWEST else LOWEST) * _PER_LOG)


def value_of(number: int) -> float:
    """The value that stands for a bin: none in it is more than 2 % away."""
    return float(GROWTH**number * _MIDDLE)


def add(bins: Bins, value: float) -> None:
    """Count one value."""
    number = ceil(log(value if value > LOWEST else LOWEST) * _PER_LOG)
    bins[number] = bins.get(number, 0) + 1


def merge(into: Bins, other: Mapping[int, int]) -> None:
    """Add the counts of `other`."""
    for number, count in other.items():
        into[number] = into.get(number, 0) + count


def total(bins: Mapping[int, int]) -> int:
    """How many values were counted."""
    return sum(bins.values())


def quantiles(bins: Mapping[int, int], fractions: Iterable[float]) -> Sequence[float]:
    """For each of the rising `fractions` (0.5 = median) the value that this share of all values does not exceed: the smallest one whose
    rank reaches it. Raises ValueError when nothing was counted."""
    count = total(bins)
    if not count:
        raise ValueError("nothing was counted")
    found: list[float] = []
    numbers = sorted(bins)
    at, seen = 0, bins[numbers[0]]
    for fraction in fractions:
        while seen < fraction * count and at < len(numbers) - 1:
            at += 1
            seen += bins[numbers[at]]
        found.append(value_of(numbers[at]))
    return found
