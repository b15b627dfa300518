import pytest

from trunkline.protocol.traffic import Use
from trunkline.routing.routers.contender import Contender
from trunkline.routing.routers.shares import LEAST_REQUESTS, NO_USE, believed, by_spend, costs

BUSY = {"a/often": Use(95, 9500, 1900, 0, 10), "a/once": Use(4, 400, 80, 0, 10**9), "a/some": Use(5, 500, 100, 0, 20)}


@pytest.mark.parametrize(
    ("used", "least", "models"),
    [
        (BUSY, LEAST_REQUESTS, ["a/often", "a/some"]),
        (BUSY, 105, NO_USE),
        (BUSY, 104, ["a/often", "a/some"]),
        (BUSY, 1, ["a/often", "a/once", "a/some"]),
        ({}, 1, NO_USE),
        ({"a/m": Use(3, spent=9)}, LEAST_REQUESTS, NO_USE),
    ],
)
def test_a_few_requests_reorder_nothing(used: dict[str, Use], least: int, models: list[str]) -> None:
    assert list(believed(used, least)) == list(models)


def test_the_most_spent_comes_first_and_the_others_keep_their_order() -> None:
    contenders = [Contender(f"a/{name}") for name in ("other", "often", "another", "some")]
    assert [one.id for one in by_spend(contenders, believed(BUSY))] == ["a/some", "a/often", "a/other", "a/another"]
    assert by_spend(contenders, NO_USE) == contenders


def test_a_generation_costs_what_those_of_the_task_did() -> None:
    used = {"a/known": Use(10, 1000, 200, 0, 5000)}
    contenders = [Contender("a/known", prompt_price=9), Contender("a/new", prompt_price=3, completion_price=7)]
    assert costs(contenders, used) == [500, 3 * 100 + 7 * 20]
    assert costs(contenders, NO_USE) == [27, 16]
