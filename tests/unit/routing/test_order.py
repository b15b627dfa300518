"""Contract 3.2: weighted choice by 1/price², outages last; the caller's order and sort are deterministic."""

from collections import Counter

from endpoints import endpoint

from trunkline.protocol.health import EndpointHealth, HealthSnapshot
from trunkline.protocol.routing import Preferences
from trunkline.routing.order import arrange, by_weight

HEALTHY = HealthSnapshot()
SEEDS = [number / 10_000 for number in range(10_000)]


def test_the_worked_example_of_the_documentation() -> None:
    a, b, c = endpoint("a", 1), endpoint("b", 2), endpoint("c", 3)
    health = HealthSnapshot({"b": EndpointHealth(1)})
    orders = Counter(tuple(one.tag for one in by_weight([c, b, a], health, seed)) for seed in SEEDS)
    assert set(orders) == {("a", "c", "b"), ("c", "a", "b")}
    assert orders["a", "c", "b"] == 9_000
    assert orders["c", "a", "b"] == 1_000


def test_free_endpoints_go_first_and_share_alike() -> None:
    fleet = [endpoint("paid", 1), endpoint("free1", 0), endpoint("free2", 0)]
    first = Counter(by_weight(fleet, HEALTHY, seed)[0].tag for seed in SEEDS)
    assert first == {"free1": 5_000, "free2": 5_000}


def test_the_highest_seed_still_chooses() -> None:
    fleet = [endpoint("a", 3), endpoint("b", 7), endpoint("c", 11)]
    assert by_weight(fleet, HEALTHY, 0.9999999999999999)[0].tag == "c"


def test_order_comes_first_then_the_rest() -> None:
    fleet = [endpoint("a", 1), endpoint("b", 2), endpoint("c", 3)]
    for seed in (0.0, 0.5, 0.99):
        assert [one.tag for one in arrange(fleet, HEALTHY, Preferences(order=("c", "b")), seed)] == ["c", "b", "a"]


def test_order_without_fallbacks_is_only_the_order() -> None:
    fleet = [endpoint("a", 1), endpoint("b", 2)]
    assert [one.tag for one in arrange(fleet, HEALTHY, Preferences(order=("b",), allow_fallbacks=False), 0.0)] == ["b"]


def test_sort_by_price_puts_outages_last() -> None:
    fleet = [endpoint("a", 3), endpoint("b", 1), endpoint("c", 2)]
    health = HealthSnapshot({"b": EndpointHealth(2)})
    for seed in (0.0, 0.99):
        assert [one.tag for one in arrange(fleet, health, Preferences(sort="price"), seed)] == ["c", "a", "b"]
