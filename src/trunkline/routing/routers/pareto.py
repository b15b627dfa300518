"""`openrouter/pareto-code`: the cheapest models that write code well enough, by scores that the operator imported (contract 3.7)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from trunkline.routing.routers.contender import Contender, go_on
from trunkline.routing.routers.options import ParetoOptions

HIGH: Final = 0.66
MEDIUM: Final = 0.33
_PICO_PER_MILLION: Final = 1_000_000
"""USD per million tokens, times this, is pico-dollars a token."""
_NEIGHBOURS: Final = {2: (2, 1, 0), 1: (1, 2, 0), 0: (0, 1, 2)}
"""Where to look when a tier is empty: the nearest, the better of two."""


def tier(score: float) -> int:
    """2 = high, 1 = medium, 0 = low."""
    return 2 if score >= HIGH else 1 if score >= MEDIUM else 0


def choose(
    contenders: Sequence[Contender],
    scores: Mapping[str, float],
    options: ParetoOptions,
    *,
    fast: bool = False,
    before: str | None = None,
) -> list[str]:
    """The models to try, best first; none when no scored model is left. `scores` are from 0 to 1, by model id in lower case.

    `fast` orders a tier by throughput instead of price (`:nitro`). `before` is the model that served the conversation last: it stays first
    while it is a candidate.
    """
    scored = [(scores[one.id.lower()], one) for one in contenders if one.id.lower() in scores]
    if options.max_price is not None:
        price = _average if options.price_source == "weighted_avg" else _listed
        return go_on(_frontier(scored, options.max_price * _PICO_PER_MILLION, price), before)
    wanted = tier(HIGH if options.min_coding_score is None else options.min_coding_score)
    order = _by_throughput if fast else _by_price
    for nearest in _NEIGHBOURS[wanted]:
        found = [one for score, one in scored if tier(score) == nearest]
        if found:
            return go_on([one.id for one in sorted(found, key=order)], before)
    return []


def _frontier(scored: Sequence[tuple[float, Contender]], most: float, price: Callable[[Contender], float]) -> list[str]:
    """The models of the frontier whose `price` is no more than `most` (pico-dollars a prompt token), best score first, then the others.

    A model is on the frontier when none that is as cheap scores higher, and none that is cheaper as high.
    """
    affordable = [(score, one) for score, one in scored if price(one) <= most]
    affordable.sort(key=lambda pair: (price(pair[1]), -pair[0], pair[1].completion_price))
    best = -1.0
    frontier: list[tuple[float, Contender]] = []
    others: list[tuple[float, Contender]] = []
    for score, one in affordable:
        (frontier if score > best else others).append((score, one))
        best = max(best, score)
    others.sort(key=lambda pair: (-pair[0], price(pair[1])))
    return [one.id for _, one in (*reversed(frontier), *others)]


def _listed(one: Contender) -> float:
    return one.prompt_price


def _average(one: Contender) -> float:
    return one.input_price


def _by_price(one: Contender) -> tuple[float, str]:
    return one.cost, one.id


def _by_throughput(one: Contender) -> tuple[float, str]:
    return -(one.throughput or 0.0), one.id
