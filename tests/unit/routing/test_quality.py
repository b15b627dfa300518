"""Auto Exacto (contract 3.10): thresholds, data floors, and where it does not run."""

import msgspec
import pytest
from endpoints import endpoint

from trunkline.protocol.health import EndpointHealth, HealthSnapshot
from trunkline.protocol.routing import NO_PREFERENCES, Preferences, RequestFacts
from trunkline.routing.plan import make_plan
from trunkline.routing.quality import DEPRIORITISED, GOOD, UNMEASURED, tiers

FLEET = [endpoint(tag, price) for price, tag in enumerate("abcde", start=1)]
TOOLS = RequestFacts(("a/m",), frozenset({"tools"}))


def seen(speed: float = 100.0, tools: float = 0.98, requests: int = 500, tool_requests: int = 500) -> EndpointHealth:
    return EndpointHealth(requests=requests, speed=speed, tool_requests=tool_requests, tool_success=tools)


STEADY = [seen(96), seen(98), seen(100), seen(102)]


def test_peers_alike_are_all_good() -> None:
    assert tiers(FLEET[:4], STEADY) == [GOOD] * 4


@pytest.mark.parametrize(("speed", "expected"), [(90.7, GOOD), (90.6, DEPRIORITISED)])
def test_one_and_a_half_sigma_below_the_median_throughput(speed: float, expected: int) -> None:
    # Median 98, median deviation 2: sigma is 2.97, less than the least one of 5 %, so the cut is at 98 - 1.5 x 4.9 = 90.65.
    assert tiers(FLEET, [*STEADY, seen(speed)])[4] == expected


def test_spread_peers_tolerate_more() -> None:
    spread = [seen(60), seen(80), seen(100), seen(120)]
    assert tiers(FLEET, [*spread, seen(40)])[4] == GOOD
    assert tiers(FLEET, [*spread, seen(30)])[4] == DEPRIORITISED


def test_two_sigmas_below_the_median_tool_success() -> None:
    assert tiers(FLEET, [*STEADY, seen(100, tools=0.961)])[4] == GOOD
    assert tiers(FLEET, [*STEADY, seen(100, tools=0.95)])[4] == DEPRIORITISED


def test_one_bad_peer_does_not_drag_the_others() -> None:
    assert tiers(FLEET, [*STEADY, seen(1, tools=0.0)]) == [GOOD] * 4 + [DEPRIORITISED]


@pytest.mark.parametrize("thin", [seen(requests=99), seen(tool_requests=199), EndpointHealth()])
def test_too_little_data_is_neither_good_nor_bad(thin: EndpointHealth) -> None:
    assert tiers(FLEET, [*STEADY, thin])[4] == UNMEASURED


def test_a_bad_signal_with_enough_data_counts_alone() -> None:
    assert tiers(FLEET, [*STEADY, seen(10, tool_requests=0)])[4] == DEPRIORITISED
    assert tiers(FLEET, [*STEADY, seen(10, requests=99)])[4] == UNMEASURED


def test_fewer_than_four_providers_are_not_compared() -> None:
    assert tiers(FLEET[:3], [seen(100), seen(100), seen(1, tools=0.1)]) == [GOOD] * 3
    regions = [endpoint("a"), endpoint("a/x"), endpoint("b"), endpoint("c")]
    assert tiers(regions, [seen(100), seen(100), seen(100), seen(1)]) == [GOOD] * 4


def rated(entry: EndpointHealth, *, behind: bool | None) -> EndpointHealth:
    return msgspec.structs.replace(entry, behind=behind)


def test_a_benchmark_that_is_behind_deprioritises_whatever_else_is_known() -> None:
    peers = [rated(one, behind=False) for one in STEADY]
    assert tiers(FLEET, [*peers, rated(seen(), behind=True)]) == [GOOD] * 4 + [DEPRIORITISED]
    assert tiers(FLEET, [*peers, rated(EndpointHealth(), behind=True)])[4] == DEPRIORITISED


def test_without_a_score_that_others_have_there_is_too_little_data() -> None:
    peers = [rated(one, behind=False) for one in STEADY]
    assert tiers(FLEET, [*peers, seen()]) == [GOOD] * 4 + [UNMEASURED]
    assert tiers(FLEET, [*peers, rated(seen(requests=99), behind=False)])[4] == UNMEASURED
    assert tiers(FLEET, [*peers, rated(seen(10), behind=False)])[4] == DEPRIORITISED


def test_a_signal_that_nobody_has_is_not_missed() -> None:
    assert tiers(FLEET, [*STEADY, seen()]) == [GOOD] * 5
    scores_only = [rated(EndpointHealth(), behind=behind) for behind in (False, False, True, None, False)]
    assert tiers(FLEET, scores_only) == [GOOD, GOOD, DEPRIORITISED, UNMEASURED, GOOD]


def test_benchmarks_were_compared_with_all_endpoints_of_the_model() -> None:
    assert tiers(FLEET[:2], [rated(EndpointHealth(), behind=True), rated(EndpointHealth(), behind=False)]) == [DEPRIORITISED, GOOD]


HEALTH = HealthSnapshot({"a": seen(10), "b": seen(100), "c": seen(100), "d": seen(100)})


def order(facts: RequestFacts, preferences: Preferences = NO_PREFERENCES, seed: float = 0.0) -> str:
    return "".join(one.tag for one in make_plan(facts, [FLEET], HEALTH, preferences, seed).attempts)


def test_tool_requests_go_to_good_endpoints_then_to_unknown_ones() -> None:
    assert order(TOOLS) == "bcdea"
    assert {order(TOOLS, seed=number / 100)[0] for number in range(100)} == {"b", "c", "d"}


def test_it_runs_with_tools_only_and_not_where_price_or_order_was_asked_for() -> None:
    assert order(RequestFacts(("a/m",))) == "abcde"
    assert order(TOOLS, Preferences(sort="price")) == "abcde"
    assert order(TOOLS, Preferences(order=("e",))) == "eabcd"
    assert order(RequestFacts(("a/m",), frozenset({"tools"}), variants={"a/m": ("floor",)})) == "abcde"


def test_the_variant_and_the_sort_run_it_for_every_request() -> None:
    for seed in (0.0, 0.99):
        assert order(RequestFacts(("a/m",), variants={"a/m": ("exacto",)}), seed=seed) == "bcdea"
        assert order(RequestFacts(("a/m",)), Preferences(sort="exacto"), seed=seed) == "bcdea"


def test_an_explicit_sort_beats_the_variant() -> None:
    assert order(RequestFacts(("a/m",), variants={"a/m": ("exacto",)}), Preferences(sort="price")) == "abcde"


def test_the_exacto_sort_puts_the_best_tool_calls_first() -> None:
    better = HealthSnapshot({**HEALTH.endpoints, "d": seen(100, tools=0.999)})
    plan = make_plan(RequestFacts(("a/m",)), [FLEET], better, Preferences(sort="exacto"), 0.0)
    assert [one.tag for one in plan.attempts] == ["d", "b", "c", "e", "a"]
