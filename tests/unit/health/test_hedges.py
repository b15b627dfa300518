"""How many requests may be sent twice."""

import pytest

from trunkline.health.hedges import WINDOW_SECONDS, HedgeBudget


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def requests(budget: HedgeBudget, count: int) -> None:
    """So many requests now."""
    for _ in range(count):
        budget.request()


def hedges(budget: HedgeBudget) -> int:
    """How many hedges may be made now; they are."""
    made = 0
    while budget.allows():
        budget.start()
        made += 1
    return made


def test_two_in_a_hundred_and_none_before_the_first_fifty() -> None:
    budget = HedgeBudget(0.02, Clock())
    assert hedges(budget) == 0
    requests(budget, 49)
    assert hedges(budget) == 0
    requests(budget, 1)
    assert hedges(budget) == 1
    requests(budget, 50)
    assert hedges(budget) == 1
    assert (budget.started, budget.won) == (2, 0)


def test_the_window_slides() -> None:
    clock = Clock()
    budget = HedgeBudget(0.1, clock)
    requests(budget, 100)
    assert hedges(budget) == 10
    clock.now += WINDOW_SECONDS / 2
    requests(budget, 50)
    assert hedges(budget) == 5
    clock.now += WINDOW_SECONDS / 2
    assert hedges(budget) == 0, "of the last minute are 50 requests and 5 hedges"
    requests(budget, 10)
    assert hedges(budget) == 1
    clock.now += 10 * WINDOW_SECONDS
    assert hedges(budget) == 0


@pytest.mark.parametrize("rate", [1, 7, 40])
def test_no_minute_has_more_than_its_share(rate: int) -> None:
    clock = Clock()
    budget = HedgeBudget(0.02, clock)
    made: list[tuple[float, int]] = []
    for _ in range(4 * WINDOW_SECONDS):
        requests(budget, rate)
        made.append((clock.now, hedges(budget)))
        clock.now += 1
    for start, _ in made:
        within = sum(count for at, count in made if start <= at < start + WINDOW_SECONDS)
        assert within <= 0.02 * rate * WINDOW_SECONDS
    assert sum(count for _, count in made) >= 0.02 * rate * 3 * WINDOW_SECONDS - 4, "and what is allowed is used"
