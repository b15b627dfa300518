"""Effort and budget, the two ways to say how much to reason (contract 2.7)."""

from typing import Final

SHARES: Final = {"max": 0.95, "xhigh": 0.95, "high": 0.80, "medium": 0.50, "low": 0.20, "minimal": 0.10}
"""The share of the output limit that an effort may spend on reasoning."""

LEAST_BUDGET: Final = 1024
MOST_BUDGET: Final = 128_000
RANKS: Final = ("max", "xhigh", "high", "medium", "low", "minimal", "none")
"""Efforts, the greatest first."""

_FALLING = ("high", "medium", "low", "minimal")
_BUDGETS = {"high": 16_000, "medium": 4_000, "low": 1_024, "minimal": 0}
"""Without an output limit there is no share: the least budget in tokens that counts as an effort, our own choice."""


def budget_of(effort: str, max_tokens: int) -> int:
    """The reasoning budget in tokens of an effort under an output limit: its share, at least 1024, at most 128000."""
    return max(min(int(max_tokens * SHARES[effort]), MOST_BUDGET), LEAST_BUDGET)


def effort_of(budget: int, max_tokens: int | None) -> str:
    """The highest effort whose share a budget covers."""
    if max_tokens is None:
        return next(word for word in _FALLING if budget >= _BUDGETS[word])
    return next((word for word in _FALLING if budget / max_tokens >= SHARES[word]), "minimal")


def nearest(effort: str, supported: tuple[str, ...] | None) -> str:
    """The supported effort nearest to the one asked for, the lower of two as near; as it is where any is supported."""
    if not supported or effort in supported or effort not in RANKS:
        return effort
    wanted = RANKS.index(effort)
    return min(
        (one for one in supported if one in RANKS and one != "none"),
        key=lambda one: (abs(RANKS.index(one) - wanted), -RANKS.index(one)),
        default=effort,
    )
