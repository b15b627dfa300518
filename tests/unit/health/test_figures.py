"""From counts to what people and the planner see."""

import pytest

from trunkline.analytics.histogram import bin_of
from trunkline.analytics.slots import Slot
from trunkline.catalogue.statistics import EndpointStats, Errors, ModelStats
from trunkline.health.benchmarks import Rating
from trunkline.health.figures import LEAST_REQUESTS, LEAST_TOOL_REQUESTS, endpoint_stats, longterm, model_stats, standing
from trunkline.health.monitor import Longterm


def slot(successes: int = 0, errors: int = 0, **changes: object) -> Slot:
    made = Slot()
    made.successes, made.errors = successes, errors
    for name, value in changes.items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize(
    ("successes", "errors", "expected"),
    [(0, 99, "normal"), (0, 100, "down"), (95, 5, "normal"), (949, 51, "degraded"), (80, 20, "degraded"), (799, 201, "down")],
)
def test_standing_follows_the_uptime_once_there_are_a_hundred_requests(successes: int, errors: int, expected: str) -> None:
    assert standing(slot(successes, errors, rate_limited=1000, refused=1000)) == expected


def test_a_public_endpoint_shows_each_window() -> None:
    latency = {bin_of(120): 50, bin_of(900): 50}
    stats = endpoint_stats(slot(99, 1), slot(85, 15, latency=latency, throughput={bin_of(40): 5}), slot(990, 10))
    assert (stats.status, stats.uptime_5m, stats.uptime_30m, stats.uptime_1d) == (-1, 99, 85, 99)
    assert stats.latency is not None
    assert [stats.latency.p50, stats.latency.p75, stats.latency.p99] == pytest.approx([120, 900, 900], rel=0.021)
    assert stats.throughput is not None
    assert stats.throughput.p50 == pytest.approx(40, rel=0.021)
    assert len(repr(stats.latency.p50)) <= 5


def test_answers_that_were_judged_are_shown_with_those_that_were_wrong() -> None:
    half_hour = slot(tool_requests=20, tool_failures=3, structured_requests=1, structured_failures=0)
    stats = endpoint_stats(Slot(), half_hour, slot(tool_requests=999, tool_failures=999))
    assert (stats.tool_calls, stats.structured_outputs) == (Errors(20, 3), Errors(1, 0))


def test_what_is_sparse_is_not_shown() -> None:
    sparse = slot(LEAST_REQUESTS - 1)
    assert endpoint_stats(sparse, sparse, sparse) == EndpointStats()
    assert endpoint_stats(Slot(), slot(0, 100), Slot()).status == -3


def test_what_the_planner_takes() -> None:
    assert longterm(slot(60, 40, throughput={bin_of(25): 9}), 8, 2) == Longterm("down", 100, pytest.approx(25, rel=0.021), 8, 0.75)
    assert longterm(Slot(), 0, 0) == Longterm()
    structured = longterm(slot(structured_requests=8, structured_failures=2), 0, 0, Rating((("tau2_airline", 0.5),), False))
    assert structured == Longterm(
        structured_requests=8, structured_success=0.75, benchmarks=(("tau2_airline", 0.5),), behind=False, requests=structured.requests
    )


def test_a_model_is_the_sum_of_its_endpoints() -> None:
    half_hours = [slot(latency={bin_of(100): 3}, throughput={bin_of(10): 9}), slot(latency={bin_of(700): 1}, throughput={bin_of(90): 1})]
    days = [slot(tool_requests=15, tool_failures=5), slot(tool_requests=5, tool_failures=0)]
    stats = model_stats(half_hours, days)
    assert (stats.latency, stats.throughput) == (pytest.approx(100, rel=0.021), pytest.approx(10, rel=0.021))
    assert stats.tool_success_rate == 0.75
    assert model_stats([], [slot(tool_requests=LEAST_TOOL_REQUESTS - 1)]) == ModelStats()
