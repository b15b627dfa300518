"""Why each endpoint of a plan stands where it stands, in words: read off the ranks that the plan was made with, after the fact."""

from collections.abc import Mapping

from msgspec import Struct

from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.routing import Plan, Rank
from trunkline.routing.order import COLUMNS
from trunkline.routing.quality import DEPRIORITISED, UNMEASURED
from trunkline.routing.standings import DEGRADED, DOWN, OUTAGE

WORDS: Mapping[str, Mapping[float, str]] = {
    "shortfall": {1: "misses_preferred"},
    "credential": {0: "own_key", 2: "own_key_fallback"},
    "exacto": {UNMEASURED: "exacto_unmeasured", DEPRIORITISED: "exacto_deprioritised"},
    "health": {DEGRADED: "degraded", OUTAGE: "outage", DOWN: "down"},
    "drawn": {0: "drawn"},
}
"""What values of a column say of an endpoint by themselves."""
FLAGS = ("sticky", "service_tier")
"""Columns in which 0 says something, when another endpoint has 1."""


class Standing(Struct, frozen=True):
    """One attempt of a plan. `decided_by`: the column of `routing.order.COLUMNS` that puts it behind the one before (the first: ahead of
    the next); `alone` where there is no other, `given` where all is equal. `words`: what is special about it. `rank`: its row."""

    endpoint: Endpoint
    decided_by: str
    words: tuple[str, ...] = ()
    rank: Mapping[str, float] = {}


def explain(plan: Plan) -> tuple[Standing, ...]:
    """Every attempt of the plan, in order. Those left out explain themselves (`Plan.excluded`)."""
    if len(plan.ranks) < 2:
        return tuple(Standing(one, "alone") for one in plan.attempts)
    spread = {name for index, name in enumerate(COLUMNS) if len({rank[index] for rank in plan.ranks}) > 1}
    neighbours = (plan.ranks[1], *plan.ranks[:-1])
    return tuple(
        Standing(one, _decided(rank, other), _words(rank, spread), dict(zip(COLUMNS, rank, strict=True)))
        for one, rank, other in zip(plan.attempts, plan.ranks, neighbours, strict=True)
    )


def _decided(rank: Rank, other: Rank) -> str:
    """The first column in which two rows differ. Where the metric is the price, that is what it is called."""
    name = next((name for name, mine, its in zip(COLUMNS, rank, other, strict=True) if mine != its), "given")
    return "price" if name == "metric" and rank[-2:] == (rank[-1],) * 2 else name


def _words(rank: Rank, spread: set[str]) -> tuple[str, ...]:
    seen = dict(zip(COLUMNS, rank, strict=True))
    words = ["waiting"] if seen["wait"] else []
    words += [name for name in FLAGS if name in spread and not seen[name]]
    words += [meanings[seen[name]] for name, meanings in WORDS.items() if seen[name] in meanings]
    return tuple(words)
