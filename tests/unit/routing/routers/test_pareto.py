import pytest

from trunkline.routing.routers.contender import Contender
from trunkline.routing.routers.options import ParetoOptions
from trunkline.routing.routers.pareto import choose, tier

MILLION = 1_000_000
SCORES = {"a/top": 0.95, "a/good": 0.7, "a/high": 0.66, "a/fine": 0.65, "a/mid": 0.33, "a/small": 0.32}
PRICES = {"a/top": 15, "a/good": 3, "a/high": 5, "a/fine": 2, "a/mid": 1, "a/small": 1.5, "a/unscored": 0.1}
SPEED = {"a/top": 20.0, "a/good": 90.0}
MODELS = [
    Contender(id.title(), prompt_price=int(usd * MILLION), completion_price=int(usd * MILLION), throughput=SPEED.get(id))
    for id, usd in PRICES.items()
]


def chosen(*, without: tuple[str, ...] = (), fast: bool = False, **options: float) -> list[str]:
    models = [one for one in MODELS if one.id.lower() not in without]
    return [one.lower() for one in choose(models, SCORES, ParetoOptions(**options), fast=fast)]  # type: ignore[arg-type]


@pytest.mark.parametrize(("score", "number"), [(1.0, 2), (0.66, 2), (0.659, 1), (0.33, 1), (0.329, 0), (0.0, 0)])
def test_thresholds(score: float, number: int) -> None:
    assert tier(score) == number


def test_a_tier_is_sorted_by_price_or_throughput() -> None:
    assert chosen() == chosen(min_coding_score=0.66) == ["a/good", "a/high", "a/top"]
    assert chosen(fast=True) == ["a/good", "a/top", "a/high"]
    assert chosen(min_coding_score=0.5) == ["a/mid", "a/fine"]
    assert chosen(min_coding_score=0.1) == ["a/small"]


def test_an_empty_tier_gives_way_to_its_neighbour() -> None:
    assert chosen(without=("a/top", "a/good", "a/high")) == ["a/mid", "a/fine"]
    assert chosen(min_coding_score=0.4, without=("a/mid", "a/fine")) == ["a/good", "a/high", "a/top"]
    assert chosen(min_coding_score=0.0, without=("a/small",)) == ["a/mid", "a/fine"]
    assert chosen(without=tuple(SCORES)) == []


def test_a_price_selects_on_the_frontier() -> None:
    assert chosen(max_price=100) == ["a/top", "a/good", "a/fine"]
    assert chosen(max_price=4) == ["a/good", "a/fine", "a/mid"]
    assert chosen(max_price=1.5) == ["a/mid", "a/small"]
    assert chosen(max_price=0.5) == []
    assert chosen(max_price=2, min_coding_score=1.0) == ["a/fine", "a/mid", "a/small"]
