"""Imported scores, and which endpoints are behind (contract 3.10)."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from endpoints import endpoint

from trunkline.catalogue.catalogue import Catalogue
from trunkline.catalogue.config import BenchmarkRow
from trunkline.health.benchmarks import FIRST, ROLLING, Benchmarks, Rating, matching, rate
from trunkline.protocol.catalogue import Endpoint, Model

TODAY = date(2026, 11, 23)
FLEET = [endpoint(tag) for tag in ("a", "b", "c", "d", "e")]
BY_MODEL: Mapping[str, Sequence[Endpoint]] = {"a/m": FLEET, "a/regions": [endpoint("a/eu"), endpoint("a/us"), endpoint("b")]}


def row(provider: str, score: float, ago: int = 0, name: str = "gpqa_diamond", model: str = "a/m") -> BenchmarkRow:
    return BenchmarkRow(model, provider, name, score, TODAY - timedelta(days=ago))  # type: ignore[arg-type]


def rated(*rows: BenchmarkRow, today: date = TODAY) -> dict[str, Rating]:
    return rate(rows, lambda model: BY_MODEL.get(model, ()), today)


def verdicts(*rows: BenchmarkRow, today: date = TODAY) -> dict[str, bool | None]:
    return {id: rating.behind for id, rating in rated(*rows, today=today).items()}


def peers(score: float = 0.80, ago: int = 0, name: str = "gpqa_diamond") -> list[BenchmarkRow]:
    """Four endpoints with about this score."""
    return [row(tag, score + off, ago, name) for tag, off in zip("abcd", (-0.005, 0.0, 0.0, 0.005), strict=True)]


@pytest.mark.parametrize(("score", "behind"), [(0.80, False), (0.761, False), (0.759, True), (0.2, True), (1.0, False)])
def test_two_sigmas_below_the_median(score: float, behind: bool) -> None:
    # Median 0.8, median deviation 0.005: sigma is 0.0074, less than the least one of 0.02, so the cut is at 0.76.
    assert verdicts(*peers(), row("e", score)) == {"a": False, "b": False, "c": False, "d": False, "e": behind}


def test_endpoints_that_differ_much_tolerate_more() -> None:
    spread = [row(tag, score) for tag, score in zip("abcd", (0.60, 0.70, 0.80, 0.90), strict=True)]
    assert not any(verdicts(*spread, row("e", 0.50)).values())
    assert verdicts(*spread, row("e", 0.30))["e"]


def test_fewer_than_four_endpoints_with_a_score_are_not_compared() -> None:
    assert verdicts(*peers()[:2], row("e", 0.01)) == {"a": None, "b": None, "e": None}
    assert verdicts(*peers()[:3], row("e", 0.01)) == {"a": False, "b": False, "c": False, "e": True}


def test_what_is_expected_is_what_was_reached_at_first() -> None:
    began = peers(0.80, ago=100)
    lately = [row(tag, 0.60) for tag in "abc"]
    assert verdicts(*began, *lately) == {"a": True, "b": True, "c": True}
    assert verdicts(*began, *[row(tag, 0.79) for tag in "abc"]) == {"a": False, "b": False, "c": False}
    late = row("e", 0.40, ago=0)
    assert verdicts(*began, *[row(tag, 0.79) for tag in "abcd"], late)["e"]


def test_the_first_weeks_count_together_and_what_follows_does_not() -> None:
    def start(second: int) -> list[BenchmarkRow]:
        first = [row(tag, 0.9, ago=200) for tag in "abcd"]
        return [*first, *[row(tag, 0.5, ago=200 - second) for tag in "abcd"], row("a", 0.75)]

    assert not verdicts(*start(FIRST.days - 1))["a"]  # 0.7 is expected
    assert verdicts(*start(FIRST.days))["a"]  # 0.9 is


def test_a_score_is_the_mean_of_the_last_32_days() -> None:
    rows = [row("a", 0.1, ago=ROLLING.days), row("a", 0.7, ago=ROLLING.days - 1), row("a", 0.9)]
    assert rated(*rows)["a"].scores == (("gpqa_diamond", pytest.approx(0.8)),)
    assert rated(*rows, today=TODAY + ROLLING - timedelta(days=1))["a"].scores == (("gpqa_diamond", 0.9),)
    assert rated(*rows, today=TODAY + ROLLING) == {}


def test_rows_of_the_future_wait_for_their_day() -> None:
    assert rated(row("a", 0.5, ago=-1)) == {}
    assert rated(row("a", 0.5, ago=-1), today=TODAY + timedelta(days=1)) == {"a": Rating((("gpqa_diamond", 0.5),), None)}


def test_each_benchmark_is_compared_by_itself() -> None:
    tau2 = peers(0.50, name="tau2_airline")
    found = rated(*peers(), row("e", 0.8), *tau2, row("e", 0.3, name="tau2_airline"))
    assert found["e"] == Rating((("gpqa_diamond", 0.8), ("tau2_airline", 0.3)), True)
    assert found["a"].behind is False
    few = rated(*peers(), row("e", 0.8), row("e", 0.01, name="tau2_airline"))
    assert few["e"] == Rating((("gpqa_diamond", 0.8), ("tau2_airline", 0.01)), False)  # nobody else has the second one


def test_a_row_speaks_of_a_tag_or_of_all_endpoints_of_a_provider() -> None:
    def found(provider: str, model: str = "a/regions") -> list[str]:
        return [one.id for one in matching(row(provider, 0.5, model=model), lambda id: BY_MODEL.get(id, ()))]

    assert found("a/eu") == ["a/eu"]
    assert found("a") == ["a/eu", "a/us"]
    assert found("b") == ["b"]
    assert found("a/m") == found("z") == found("a", model="a/unknown") == []
    assert rated(row("z", 0.5)) == {}


def catalogue(endpoints: Sequence[Endpoint]) -> Catalogue:
    model = Model(id="a/m", name="m", author="a", canonical_slug="a/m", created=1)
    return Catalogue(models=[model], endpoints=endpoints, providers={}, authors={}, missing={})


class Source:
    """What is in force, and the day."""

    def __init__(self) -> None:
        self.rows: tuple[BenchmarkRow, ...] = (row("a", 0.5), row("b", 0.7, ago=ROLLING.days - 1))
        self.catalogue = catalogue(FLEET)
        self.today = TODAY

    def benchmarks(self) -> Benchmarks:
        return Benchmarks(lambda: (self.rows, self.catalogue), lambda: self.today)


def test_ratings_are_made_anew_when_something_changed() -> None:
    source = Source()
    benchmarks = source.benchmarks()
    first = benchmarks.ratings()
    assert set(first) == {"a", "b"}
    assert benchmarks.ratings() is first
    source.today += timedelta(days=1)
    assert set(benchmarks.ratings()) == {"a"}
    source.rows = (row("c", 0.5),)
    assert set(benchmarks.ratings()) == {"c"}
    source.catalogue = catalogue(FLEET[:2])
    assert benchmarks.ratings() == {}


def test_rows_that_speak_of_no_endpoint_are_told_once(caplog: pytest.LogCaptureFixture) -> None:
    source = Source()
    benchmarks = source.benchmarks()
    benchmarks.ratings()
    assert caplog.messages == []
    source.rows = (row("a", 0.5), row("z", 0.5), row("z", 0.6), row("a", 0.5, model="a/unknown"))
    for _ in range(3):
        benchmarks.ratings()
        source.today += timedelta(days=1)
    assert caplog.messages == ["benchmarks: no endpoint of 2 pairs of model and provider, such as a/m at z"]


def test_the_day_is_that_of_utc() -> None:
    source = Source()
    source.rows = tuple(
        BenchmarkRow("a/m", tag, "gpqa_diamond", 0.5, datetime.now(UTC).date() + timedelta(days=days)) for tag, days in (("a", 0), ("b", 2))
    )
    assert set(Benchmarks(lambda: (source.rows, source.catalogue)).ratings()) == {"a"}
