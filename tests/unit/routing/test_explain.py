"""The words about a plan say what its ranks say."""

from endpoints import endpoint
from msgspec.structs import replace

from trunkline.protocol.catalogue import Endpoint, Pricing
from trunkline.protocol.health import EndpointHealth, HealthSnapshot, Percentiles
from trunkline.protocol.routing import NO_PREFERENCES, Cutoffs, Preferences, RequestFacts
from trunkline.routing.explain import Standing, explain
from trunkline.routing.plan import make_plan

FACTS = RequestFacts(("a/m",))


def explained(
    fleet: tuple[Endpoint, ...],
    preferences: Preferences = NO_PREFERENCES,
    health: HealthSnapshot | None = None,
    facts: RequestFacts = FACTS,
    seed: float = 0.0,
) -> list[tuple[str, str, tuple[str, ...]]]:
    plan = make_plan(facts, [fleet], health or HealthSnapshot(), preferences, seed)
    standings = explain(plan)
    assert [one.endpoint for one in standings] == list(plan.attempts)
    return [(one.endpoint.tag, one.decided_by, one.words) for one in standings]


def test_nothing_to_decide() -> None:
    assert explained((endpoint("a"),)) == [("a", "alone", ())]
    assert explained(()) == []


def test_a_draw_and_prices() -> None:
    fleet = (endpoint("a", 1), endpoint("b", 2), endpoint("c", 3))
    assert explained(fleet, seed=0.95) == [("c", "drawn", ("drawn",)), ("a", "drawn", ()), ("b", "price", ())]


def test_order_and_given() -> None:
    fleet = (endpoint("a", 1), endpoint("b", 1), endpoint("c", 1))
    assert [row[1] for row in explained(fleet, Preferences(order=("c",)))] == ["order", "order", "given"]


def test_health_and_preferences() -> None:
    slow = Percentiles(5, 5, 5, 5)
    health = HealthSnapshot(
        {
            "a": EndpointHealth(standing="down"),
            "b": EndpointHealth(throughput=slow),
            "c": EndpointHealth(ejected_until=9.0),
            "d": EndpointHealth(1),
            "e": EndpointHealth(standing="degraded"),
        },
        now=1.0,
    )
    fleet = tuple(endpoint(tag) for tag in "abcdef")
    asked = Preferences(sort="price", min_throughput=Cutoffs(p50=50))
    assert explained(fleet, asked, health) == [
        ("f", "health", ()),
        ("e", "health", ("degraded",)),
        ("d", "health", ("outage",)),
        ("a", "health", ("down",)),
        ("b", "shortfall", ("misses_preferred",)),
        ("c", "wait", ("waiting",)),
    ]


def test_keys_tiers_and_stickiness() -> None:
    cached = replace(endpoint("c"), pricing=Pricing(prompt=10, input_cache_read=1))
    fleet = (endpoint("a", byok="k"), endpoint("a/priority"), cached, endpoint("b", byok="l", byok_fallback=True))
    assert explained(fleet, facts=RequestFacts(("a/m",), sticky="c", service_tier="priority")) == [
        ("a", "credential", ("own_key",)),
        ("c", "credential", ("sticky",)),
        ("a/priority", "sticky", ("service_tier",)),
        ("b", "credential", ("own_key_fallback",)),
    ]


def test_exacto() -> None:
    def seen(success: float) -> EndpointHealth:
        return EndpointHealth(requests=500, speed=100.0, tool_requests=500, tool_success=success)

    health = HealthSnapshot({"a": seen(0.5), "b": seen(0.99), "c": seen(0.99), "d": seen(0.99)})
    rows = explained(tuple(endpoint(tag) for tag in "abcde"), health=health, facts=RequestFacts(("a/m",), frozenset({"tools"})))
    assert rows[0][2] == ("drawn",)
    assert rows[3:] == [("e", "exacto", ("exacto_unmeasured",)), ("a", "exacto", ("exacto_deprioritised",))]


def test_the_row_is_named() -> None:
    plan = make_plan(FACTS, [(endpoint("a", 1), endpoint("b", 2))], HealthSnapshot(), Preferences(sort="price"), 0.0)
    standing = explain(plan)[1]
    assert isinstance(standing, Standing)
    assert standing.rank["metric"] == standing.rank["price"] == 2
    assert standing.rank["wait"] == 0
