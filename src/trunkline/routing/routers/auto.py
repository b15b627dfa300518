"""`openrouter/auto`: of the models that may be chosen, those of the wanted cost, the most used for the task first (contract 3.7)."""

from collections.abc import Mapping, Sequence
from typing import Final

from trunkline.protocol.traffic import Use
from trunkline.routing.routers.contender import Contender, go_on
from trunkline.routing.routers.options import AutoBetaOptions
from trunkline.routing.routers.patterns import Patterns
from trunkline.routing.routers.shares import NO_USE, by_spend, costs

BANDS: Final[Mapping[str, tuple[float, float]]] = {
    "low": (0, 20),
    "medium": (20, 40),
    "high": (40, 60),
    "xhigh": (60, 80),
    "max": (80, 101),
}
"""Percentiles of cost: from, and up to but without."""


def permitted(contenders: Sequence[Contender], options: AutoBetaOptions) -> list[Contender]:
    """The contenders that the caller's patterns leave; what is excluded stays out even where it is allowed."""
    kept = list(contenders)
    if options.allowed_models is not None:
        allowed = Patterns(options.allowed_models)
        kept = [one for one in kept if allowed.match(one.id)]
    if options.excluded_models:
        excluded = Patterns(options.excluded_models)
        kept = [one for one in kept if not excluded.match(one.id)]
    return kept


def choose(
    contenders: Sequence[Contender],
    options: AutoBetaOptions,
    table: Sequence[str] = (),
    *,
    used: Mapping[str, Use] = NO_USE,
    before: str | None = None,
    pinned: bool = False,
) -> list[str]:
    """The models to try, best first; none when the patterns leave none.

    `table` names the models for the task, best first, by patterns; when it names none that is left, as when it is empty, all are there,
    those on which most was spent here for whatever task first. `used` is what callers spent for this task (`shares.believed`): models in it
    come before the others, the most spent first. `before` is the model that served the conversation last: it stays first while it is a
    candidate, and `pinned` whatever it costs.
    """
    kept = permitted(contenders, options)
    ranked = by_spend(_by_table(kept, table) or _by_spend([one for one in kept if not one.free] or kept), used)
    survivors = [one.id for one in within(ranked, *_band(options), costs(ranked, used))]
    if pinned and any(one.id == before for one in kept):
        survivors.append(before or "")
    return go_on(survivors, before)


def within(ranked: Sequence[Contender], low: float, high: float, costs: Sequence[float]) -> list[Contender]:
    """The contenders whose percentile of cost is in [low, high), in their order; where there is none, those nearest to it.

    The percentile of a contender is the share of contenders that cost less than it; `costs` are theirs, in the same order.
    """
    percentiles = {cost: 100 * place / len(costs) for place, cost in reversed(list(enumerate(sorted(costs))))}
    distances = [_distance(percentiles[cost], low, high) for cost in costs]
    least = min(distances, default=0.0)
    return [one for one, distance in zip(ranked, distances, strict=True) if distance == least]


def _distance(percentile: float, low: float, high: float) -> float:
    if percentile < low:
        return low - percentile
    return 0.0 if percentile < high else percentile - high + 1e-9


def _band(options: AutoBetaOptions) -> tuple[float, float]:
    """The older setting is a ceiling: from the 90th percentile at 0 down to the 10th at 10."""
    if options.cost_tier is None and options.cost_quality_tradeoff is not None:
        return 0, 90 - 8 * options.cost_quality_tradeoff + 1e-9
    return BANDS[options.cost_tier or "low"]


def _by_table(contenders: Sequence[Contender], table: Sequence[str]) -> list[Contender]:
    """The contenders that the table names, in its order; those of one pattern by what was spent on them."""
    by_spend = _by_spend(contenders) if table else []
    ranked: dict[str, Contender] = {}
    for pattern in table:
        named = Patterns((pattern,))
        ranked |= {one.id: one for one in by_spend if one.id not in ranked and named.match(one.id)}
    return list(ranked.values())


def _by_spend(contenders: Sequence[Contender]) -> list[Contender]:
    """The most spent first; without traffic the dearer, which within a band of cost is the best guess at the better, then the newer."""
    return sorted(contenders, key=lambda one: (-one.spent_week, -one.cost, -one.created, one.id))
