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


def chosen(*, without: tuple[str, ...] = (), fast: bool = False, before: str | None = None, **options: object) -> list[str]:
    models = [one for one in MODELS if one.id.lower() not in without]
    wishes = ParetoOptions(**options)  # type: ignore[arg-type]
    return [one.lower() for one in choose(models, SCORES, wishes, fast=fast, before=before)]


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


def test_a_price_is_that_of_the_list_or_what_input_came_to() -> None:
    models = [
        Contender("a/top", prompt_price=15 * MILLION, input_price=2.0 * MILLION),
        Contender("a/good", prompt_price=3 * MILLION, input_price=3.0 * MILLION),
    ]
    for source, found in ((None, ["a/good"]), ("prompt", ["a/good"]), ("weighted_avg", ["a/top", "a/good"])):
        assert choose(models, SCORES, ParetoOptions(max_price=4, price_source=source)) == found  # type: ignore[arg-type]
    assert choose(models, SCORES, ParetoOptions(max_price=2, price_source="weighted_avg")) == ["a/top"]


def test_a_conversation_goes_on_with_any_candidate() -> None:
    models = [Contender(f"a/{place}", prompt_price=place) for place in range(1, 6)]
    scores = dict.fromkeys((one.id for one in models), 0.9)
    assert choose(models, scores, ParetoOptions(), before="a/5") == ["a/5", "a/1", "a/2"]
    assert choose(models, scores, ParetoOptions(max_price=1), before="a/5") == ["a/5", "a/1", "a/2"]
    assert chosen(before="A/Top") == ["a/top", "a/good", "a/high"]
    assert chosen(before="A/Small") == ["a/good", "a/high", "a/top"]
    assert chosen(max_price=4, before="A/Top") == ["a/good", "a/fine", "a/mid"]
