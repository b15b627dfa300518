"""Contract 3.9: one test for each row of its table, and what cancels a tier (3.6)."""

import pytest
from endpoints import endpoint

from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.health import EndpointHealth, HealthSnapshot, Percentiles
from trunkline.protocol.routing import NO_PREFERENCES, Preferences, RequestFacts
from trunkline.routing.plan import make_plan
from trunkline.routing.tiers import pool, sort_of


def speed(tokens: float) -> EndpointHealth:
    return EndpointHealth(throughput=Percentiles(tokens, tokens, tokens, tokens))


FLEET = (
    endpoint("a", 10),
    endpoint("a/priority", 20),
    endpoint("a/flex", 5),
    endpoint("b", 9),
    endpoint("b/flex", 4),
    endpoint("c/fast", 30),
)
HEALTH = HealthSnapshot({"a": speed(50), "b": speed(90), "a/priority": speed(100), "c/fast": speed(300), "a/flex": speed(20)})


def attempts(
    facts: RequestFacts, preferences: Preferences = NO_PREFERENCES, fleet: tuple[Endpoint, ...] = FLEET, seed: float = 0.0
) -> list[str]:
    return [one.tag for one in make_plan(facts, [fleet], HEALTH, preferences, seed).attempts]


def tier(name: str | None) -> RequestFacts:
    return RequestFacts(("a/m",), service_tier=name)


def variant(name: str, service_tier: str | None = None) -> RequestFacts:
    return RequestFacts(("a/m",), service_tier=service_tier, variants={"a/m": (name,)})


@pytest.mark.parametrize("name", [None, "auto", "default", "scale"])
def test_a_tier_serves_nobody_who_does_not_ask(name: str | None) -> None:
    assert set(attempts(tier(name))) == {"a", "b"}
    left_out = {one.endpoint.tag: (one.reason, one.rule) for one in make_plan(tier(name), [FLEET], HEALTH, NO_PREFERENCES, 0.0).excluded}
    assert left_out == dict.fromkeys(("a/priority", "a/flex", "b/flex", "c/fast"), ("allowed_providers", "service_tier"))


@pytest.mark.parametrize("name", ["priority", "fast"])
def test_priority_goes_first_and_each_group_by_throughput(name: str) -> None:
    for seed in (0.0, 0.99):
        assert attempts(tier(name), seed=seed) == ["c/fast", "a/priority", "b", "a"]


def test_flex_is_flex_only_by_price() -> None:
    for seed in (0.0, 0.99):
        assert attempts(tier("flex"), seed=seed) == ["b/flex", "a/flex"]


def test_flex_without_a_flex_endpoint_is_normal_routing() -> None:
    plain = (endpoint("a", 1), endpoint("b", 3))
    assert {attempts(tier("flex"), fleet=plain, seed=seed)[0] for seed in (0.0, 0.99)} == {"a", "b"}


def test_only_a_tier_slug_leaves_that_one_in_default_order() -> None:
    assert attempts(tier(None), Preferences(only=("a/priority",))) == ["a/priority"]
    both = Preferences(only=("a/flex", "b"))
    assert {attempts(tier(None), both, seed=seed)[0] for seed in (0.0, 0.99)} == {"a/flex", "b"}


def test_order_with_a_tier_slug_adds_that_one_and_puts_it_first() -> None:
    assert attempts(tier(None), Preferences(order=("a/priority",))) == ["a/priority", "b", "a"]
    assert attempts(tier(None), Preferences(order=("b", "a/flex"))) == ["b", "a/flex", "a"]


def test_nitro_admits_priority_and_sorts_the_whole_pool_by_throughput() -> None:
    assert attempts(variant("nitro")) == attempts(variant("nitro", "auto")) == ["c/fast", "a/priority", "b", "a"]
    slow_priority = HealthSnapshot({**HEALTH.endpoints, "a/priority": speed(60)})
    plan = make_plan(variant("nitro"), [FLEET], slow_priority, NO_PREFERENCES, 0.0)
    assert [one.tag for one in plan.attempts] == ["c/fast", "b", "a/priority", "a"]


def test_floor_admits_flex_and_sorts_the_whole_pool_by_price() -> None:
    assert attempts(variant("floor")) == ["b/flex", "a/flex", "b", "a"]


def test_sort_leaves_the_pool_as_it_is() -> None:
    assert attempts(tier(None), Preferences(sort="price")) == ["b", "a"]
    assert attempts(tier(None), Preferences(sort="throughput")) == ["b", "a"]


@pytest.mark.parametrize("name", ["nitro", "floor"])
def test_order_or_the_default_tier_cancel_what_a_variant_admits(name: str) -> None:
    assert attempts(variant(name), Preferences(order=("a",))) == ["a", "b"]
    assert set(attempts(variant(name, "default"))) == {"a", "b"}


def test_what_decides_the_order_first_the_caller_then_the_tier_then_the_variant() -> None:
    assert sort_of(FLEET, tier("priority"), Preferences(sort="latency"), ("floor",)) == "latency"
    assert sort_of(FLEET, tier("priority"), NO_PREFERENCES, ("floor",)) == "throughput"
    assert sort_of(FLEET, tier(None), NO_PREFERENCES, ("online", "exacto", "floor")) == "exacto"
    assert sort_of(FLEET, tier(None), NO_PREFERENCES, ()) is None


def test_a_plain_fleet_is_its_own_pool() -> None:
    plain = (endpoint("a"), endpoint("b/turbo"))
    assert pool(plain, tier("priority"), NO_PREFERENCES, ()) is plain
