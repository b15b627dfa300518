"""The retry budget: a fifth of the requests, and a floor."""

from trunkline.health.retries import FLOOR_A_SECOND, SHARE, WINDOW_SECONDS, RetryBudget

FLOOR = FLOOR_A_SECOND * WINDOW_SECONDS


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def spent(budget: RetryBudget) -> int:
    """How many retries are allowed until one is refused."""
    return next(number for number in range(10_000) if not budget.retry())


def test_a_few_retries_are_allowed_without_traffic() -> None:
    assert spent(RetryBudget(Clock())) == FLOOR


def test_a_fifth_of_the_requests_may_be_repeated() -> None:
    budget = RetryBudget(Clock())
    for _ in range(1000):
        budget.request()
    assert spent(budget) == FLOOR + SHARE * 1000


def test_requests_and_retries_are_forgotten_after_the_window() -> None:
    clock = Clock()
    budget = RetryBudget(clock)
    for _ in range(1000):
        budget.request()
    assert spent(budget) == FLOOR + 200
    clock.now += WINDOW_SECONDS - 1
    assert not budget.retry()
    clock.now += 1
    assert spent(budget) == FLOOR
