import pytest

from trunkline.dialects.efforts import budget_of, effort_of, nearest


@pytest.mark.parametrize(("effort", "max_tokens", "budget"), [("high", 10_000, 8_000), ("low", 2_000, 1_024), ("xhigh", 200_000, 128_000)])
def test_the_budgets_of_contract_9_2(effort: str, max_tokens: int, budget: int) -> None:
    assert budget_of(effort, max_tokens) == budget


@pytest.mark.parametrize(
    ("budget", "max_tokens", "effort"),
    [(8_000, 10_000, "high"), (7_999, 10_000, "medium"), (5, 10_000, "minimal"), (16_000, None, "high"), (0, None, "minimal")],
)
def test_a_budget_is_the_highest_effort_it_covers(budget: int, max_tokens: int | None, effort: str) -> None:
    assert effort_of(budget, max_tokens) == effort


@pytest.mark.parametrize(
    ("effort", "supported", "sent"),
    [
        ("xhigh", ("high", "medium", "low"), "high"),
        ("minimal", ("high", "low"), "low"),
        ("medium", ("high", "low"), "low"),
        ("low", None, "low"),
        ("low", ("none",), "low"),
        ("max", ("high", "none"), "high"),
    ],
)
def test_an_effort_becomes_the_nearest_supported(effort: str, supported: tuple[str, ...] | None, sent: str) -> None:
    assert nearest(effort, supported) == sent
