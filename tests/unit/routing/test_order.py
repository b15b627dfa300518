"""Contract 3.2: weighted choice by 1/price², outages last; the caller's order and sort are deterministic."""

from collections import Counter

import pytest
from endpoints import endpoint
from msgspec.structs import replace

from trunkline.protocol.catalogue import Endpoint, Pricing
from trunkline.protocol.health import EndpointHealth, HealthSnapshot, Percentiles
from trunkline.protocol.routing import NO_PREFERENCES, Preferences, RequestFacts
from trunkline.routing.order import COLUMNS, arrange

HEALTHY = HealthSnapshot()
FACTS = RequestFacts(("a/m",))
SEEDS = [number / 10_000 for number in range(10_000)]


def arranged(
    fleet: list[Endpoint],
    health: HealthSnapshot = HEALTHY,
    preferences: Preferences = NO_PREFERENCES,
    seed: float = 0.0,
    facts: RequestFacts = FACTS,
) -> list[str]:
    return [one.tag for one in arrange(fleet, facts, health, preferences, (), seed).attempts]


def test_the_worked_example_of_the_documentation() -> None:
    a, b, c = endpoint("a", 1), endpoint("b", 2), endpoint("c", 3)
    health = HealthSnapshot({"b": EndpointHealth(1)})
    orders = Counter(tuple(arranged([c, b, a], health, seed=seed)) for seed in SEEDS)
    assert set(orders) == {("a", "c", "b"), ("c", "a", "b")}
    assert orders["a", "c", "b"] == 9_000
    assert orders["c", "a", "b"] == 1_000


def test_free_endpoints_go_first_and_share_alike() -> None:
    fleet = [endpoint("paid", 1), endpoint("free1", 0), endpoint("free2", 0)]
    assert Counter(arranged(fleet, seed=seed)[0] for seed in SEEDS) == {"free1": 5_000, "free2": 5_000}


def test_the_highest_seed_still_chooses() -> None:
    fleet = [endpoint("a", 3), endpoint("b", 7), endpoint("c", 11)]
    assert arranged(fleet, seed=0.9999999999999999) == ["c", "a", "b"]


@pytest.mark.parametrize(("left", "share"), [(1.0, 5_000), (0.25, 2_000), (0.0, 99)])
def test_what_is_left_of_a_rate_limit_weighs(left: float, share: int) -> None:
    fleet = [endpoint("a"), endpoint("b")]
    health = HealthSnapshot({"b": EndpointHealth(headroom=left)})
    first = Counter(arranged(fleet, health, seed=seed)[0] for seed in SEEDS)
    assert abs(first["b"] - share) <= 1


def test_among_free_endpoints_the_rate_limit_weighs_too() -> None:
    fleet = [endpoint("a", 0), endpoint("b", 0), endpoint("c", 1)]
    health = HealthSnapshot({"a": EndpointHealth(headroom=0.0), "b": EndpointHealth(headroom=0.0)})
    assert Counter(arranged(fleet, health, seed=seed)[0] for seed in SEEDS) == {"a": 5_000, "b": 5_000}


def test_order_comes_first_then_the_rest() -> None:
    fleet = [endpoint("a", 1), endpoint("b", 2), endpoint("c", 3)]
    for seed in (0.0, 0.5, 0.99):
        assert arranged(fleet, preferences=Preferences(order=("c", "b")), seed=seed) == ["c", "b", "a"]


def test_order_and_sort_together_sort_the_rest() -> None:
    fleet = [endpoint("a", 1), endpoint("b", 2), endpoint("c", 3)]
    health = HealthSnapshot({"b": EndpointHealth(throughput=Percentiles(9, 9, 9, 9))})
    assert arranged(fleet, health, Preferences(order=("c",), sort="throughput")) == ["c", "b", "a"]


def test_one_slug_for_many_endpoints_tries_the_cheapest_first() -> None:
    fleet = [endpoint("a/x", 3), endpoint("b", 1), endpoint("a", 2)]
    assert arranged(fleet, preferences=Preferences(order=("a",))) == ["a", "a/x", "b"]
    assert arranged(fleet, preferences=Preferences(order=("a/x", "a"))) == ["a/x", "a", "b"]


def test_sort_by_price_puts_outages_last() -> None:
    fleet = [endpoint("a", 3), endpoint("b", 1), endpoint("c", 2)]
    health = HealthSnapshot({"b": EndpointHealth(2)})
    for seed in (0.0, 0.99):
        assert arranged(fleet, health, Preferences(sort="price"), seed) == ["c", "a", "b"]


def test_sort_by_measurements_puts_the_unmeasured_last_by_price() -> None:
    fleet = [endpoint("a", 3), endpoint("b", 9), endpoint("c", 2), endpoint("d", 1)]
    quick, slow = Percentiles(0.2, 1, 1, 1), Percentiles(0.9, 1, 1, 1)
    health = HealthSnapshot({"a": EndpointHealth(latency=slow, throughput=slow), "b": EndpointHealth(latency=quick, throughput=quick)})
    for seed in (0.0, 0.99):
        assert arranged(fleet, health, Preferences(sort="latency"), seed) == ["b", "a", "d", "c"]
        assert arranged(fleet, health, Preferences(sort="throughput"), seed) == ["a", "b", "d", "c"]


CACHED = replace(endpoint("c"), pricing=Pricing(prompt=10, input_cache_read=1))
STICKY = RequestFacts(("a/m",), sticky="c")


def test_the_endpoint_of_the_last_turn_goes_first() -> None:
    fleet = [endpoint("a", 1), endpoint("b", 2), CACHED]
    for seed in (0.0, 0.5, 0.99):
        assert arranged(fleet, facts=STICKY, seed=seed)[0] == "c"
    assert arranged(fleet, preferences=Preferences(sort="price"), facts=STICKY) == ["c", "a", "b"]
    assert arranged(fleet, preferences=Preferences(order=("a",)), facts=STICKY) == ["a", "b", "c"]


@pytest.mark.parametrize(
    "prices", [Pricing(prompt=10), Pricing(prompt=10, input_cache_read=10), Pricing(prompt=10, input_cache_read=12), Pricing()]
)
def test_it_does_not_where_its_cache_saves_nothing(prices: Pricing) -> None:
    fleet = [endpoint("a", 0), replace(CACHED, pricing=replace(prices, completion=1))]
    assert arranged(fleet, facts=STICKY) == ["a", "c"]


@pytest.mark.parametrize(
    ("health", "first"),
    [
        (EndpointHealth(standing="degraded"), "c"),
        (EndpointHealth(1), "a"),
        (EndpointHealth(standing="down"), "a"),
        (EndpointHealth(ejected_until=5.0), "a"),
    ],
)
def test_it_does_not_while_it_is_in_trouble(health: EndpointHealth, first: str) -> None:
    assert arranged([endpoint("a", 1), CACHED], HealthSnapshot({"c": health}, now=1.0), facts=STICKY)[0] == first


def keyed(tag: str, key: str, *, fallback: bool = False, price: int = 1) -> Endpoint:
    return endpoint(tag, price, byok=key, byok_fallback=fallback)


def paid(fleet: list[Endpoint], preferences: Preferences = NO_PREFERENCES, seed: float = 0.0, facts: RequestFacts = FACTS) -> list[str]:
    return [f"{one.tag}:{one.byok or 'shared'}" for one in arrange(fleet, facts, HEALTHY, preferences, (), seed).attempts]


def test_own_keys_go_first_in_the_callers_order_then_the_shared_capacity_in_the_same() -> None:
    names = ("bedrock", "vertex", "anthropic")
    fleet = [one for name in sorted(names) for one in (keyed(name, f"k-{name}"), endpoint(name))]
    assert paid(fleet, Preferences(order=names)) == [
        *("bedrock:k-bedrock", "vertex:k-vertex", "anthropic:k-anthropic"),
        *("bedrock:shared", "vertex:shared", "anthropic:shared"),
    ]
    partial = [endpoint("bedrock"), keyed("vertex", "k"), endpoint("vertex")]
    assert paid(partial, Preferences(order=("bedrock", "vertex"))) == ["vertex:k", "bedrock:shared", "vertex:shared"]


def test_prioritised_keys_then_shared_capacity_then_fallback_keys() -> None:
    fleet = [keyed("x", "A"), keyed("x", "B"), keyed("x", "C", fallback=True), endpoint("x")]
    for seed in (0.0, 0.99):
        assert paid(fleet, seed=seed) == ["x:A", "x:B", "x:shared", "x:C"]


def test_the_shared_capacity_behind_own_keys_is_still_drawn() -> None:
    fleet = [keyed("x", "A", price=9), endpoint("x", 1), endpoint("y", 1), keyed("y", "B", fallback=True)]
    orders = {tuple(paid(fleet, seed=seed)) for seed in (0.0, 0.99)}
    assert orders == {("x:A", "x:shared", "y:shared", "y:B"), ("x:A", "y:shared", "x:shared", "y:B")}


def test_stickiness_does_not_lead_past_an_own_key() -> None:
    fleet = [CACHED, keyed("x", "A", price=99)]
    assert paid(fleet, facts=STICKY) == ["x:A", "c:shared"]


def test_a_rank_has_a_number_for_each_column() -> None:
    ranks = arrange([endpoint("a"), endpoint("b")], FACTS, HEALTHY, NO_PREFERENCES, (), 0.99).ranks
    assert [len(rank) for rank in ranks] == [len(COLUMNS)] * 2
    assert list(ranks) == sorted(ranks)
    assert [rank[COLUMNS.index("drawn")] for rank in ranks] == [0, 1]
