"""Health moves endpoints back and loses none: uptime, outages, ejection, half-open probes and cool-downs."""

import pytest
from endpoints import endpoint

from trunkline.protocol.health import EndpointHealth, HealthSnapshot, Percentiles
from trunkline.protocol.routing import NO_PREFERENCES, Cutoffs, Preferences, RequestFacts
from trunkline.routing.plan import make_plan
from trunkline.routing.standings import EPSILON, demotions, entries_of, shortfalls, waits

FACTS = RequestFacts(("a/m",))
FLEET = tuple(endpoint(tag, price) for price, tag in enumerate("abcd", start=1))


def attempts(health: HealthSnapshot, preferences: Preferences = NO_PREFERENCES, seed: float = 0.0) -> str:
    return "".join(one.tag for one in make_plan(FACTS, [FLEET], health, preferences, seed).attempts)


def test_low_uptime_then_outage_then_down() -> None:
    health = HealthSnapshot({"a": EndpointHealth(standing="down"), "b": EndpointHealth(1), "c": EndpointHealth(standing="degraded")})
    assert attempts(health) == "dcba"
    assert attempts(health, Preferences(sort="price")) == "dcba"
    assert demotions([EndpointHealth(), EndpointHealth(1), EndpointHealth(1, "degraded"), EndpointHealth(1, "down")]) == [0, 2, 2, 3]


def test_ejected_endpoints_are_last_even_in_the_callers_own_order() -> None:
    health = HealthSnapshot({"a": EndpointHealth(3, ejected_until=130.0)}, now=100.0)
    assert attempts(health) == "bcda"
    assert attempts(health, Preferences(order=("a", "c"))) == "cbda"
    assert attempts(health, Preferences(order=("a",), allow_fallbacks=False)) == "a"


def test_an_outage_does_not_change_the_callers_own_order() -> None:
    health = HealthSnapshot({"c": EndpointHealth(2), "a": EndpointHealth(standing="down")})
    assert attempts(health, Preferences(order=("c", "a"))) == "cabd"


def test_when_all_are_ejected_the_soonest_to_recover_goes_first() -> None:
    until = {"a": 140.0, "b": 110.0, "c": 120.0, "d": 130.0}
    health = HealthSnapshot({tag: EndpointHealth(5, ejected_until=when) for tag, when in until.items()}, now=100.0)
    for seed in (0.0, 0.99):
        assert attempts(health, seed=seed) == "bcda"


def test_after_its_ejection_an_endpoint_is_back_and_one_request_probes_it() -> None:
    over = HealthSnapshot({"a": EndpointHealth(ejected_until=90.0)}, now=100.0)
    assert attempts(over) == "abcd"
    probed = HealthSnapshot({"a": EndpointHealth(ejected_until=90.0, probing=True)}, now=100.0)
    assert attempts(probed) == "bcda"
    others_out = HealthSnapshot({**dict.fromkeys("bcd", EndpointHealth(ejected_until=101.0)), **probed.endpoints}, now=100.0)
    assert attempts(others_out)[0] == "a"


def test_a_cool_down_covers_a_credential_with_one_model_or_altogether() -> None:
    own, shared, other = endpoint("a", byok="key-1"), endpoint("a"), endpoint("a", model="a/other")
    fleet = (own, shared, other)

    def seen(cooldowns: dict[tuple[str, str], float]) -> list[float]:
        health = HealthSnapshot(cooldowns=cooldowns, now=100.0)
        return waits(fleet, entries_of(fleet, health), health)

    assert seen({("a", "a/m"): 107.0}) == [0.0, 7.0, 0.0]
    assert seen({("a", ""): 107.0, ("a", "a/m"): 103.0}) == [0.0, 7.0, 7.0]
    assert seen({("key-1", "a/m"): 104.0}) == [4.0, 0.0, 0.0]
    assert seen({("a", ""): 99.0, ("key-1", ""): 100.0}) == [0.0, 0.0, 0.0]


def test_the_longer_of_ejection_and_cool_down_counts() -> None:
    health = HealthSnapshot({"a": EndpointHealth(ejected_until=102.0), "b": EndpointHealth(probing=True)}, {("a", ""): 105.0}, 100.0)
    assert waits(FLEET, entries_of(FLEET, health), health) == [5.0, EPSILON, 0.0, 0.0]


FAST, SLOW = Percentiles(100, 80, 60, 40), Percentiles(100, 80, 40, 20)
QUICK, LATE = Percentiles(0.5, 1, 2, 4), Percentiles(0.5, 1, 4, 8)


@pytest.mark.parametrize(
    ("preferences", "expected"),
    [
        (Preferences(min_throughput=Cutoffs(p90=50)), [False, True, False]),
        (Preferences(max_latency=Cutoffs(p90=3)), [False, True, False]),
        (Preferences(min_throughput=Cutoffs(p50=100, p90=40)), [False, False, False]),
        (Preferences(min_throughput=Cutoffs(p50=100, p90=41)), [False, True, False]),
        (Preferences(min_throughput=Cutoffs(p75=81)), [True, True, False]),
        (Preferences(min_throughput=Cutoffs(p99=40), max_latency=Cutoffs(p99=3)), [True, True, False]),
        (Preferences(max_latency=Cutoffs(p50=0.4)), [True, True, False]),
        (Preferences(max_latency=Cutoffs(p75=1.0)), [False, False, False]),
    ],
)
def test_preferred_throughput_and_latency(preferences: Preferences, expected: list[bool]) -> None:
    entries = [EndpointHealth(throughput=FAST, latency=QUICK), EndpointHealth(throughput=SLOW, latency=LATE), EndpointHealth()]
    assert shortfalls(entries, preferences.min_throughput, preferences.max_latency) == expected


def test_what_misses_a_preference_goes_last_and_stays() -> None:
    health = HealthSnapshot({"a": EndpointHealth(throughput=SLOW), "b": EndpointHealth(throughput=FAST)})
    asked = Preferences(min_throughput=Cutoffs(p90=50), sort="price", partition="none")
    assert attempts(health, asked) == "bcda"
    assert attempts(health, Preferences(order=("a", "d"), min_throughput=Cutoffs(p90=50))) == "dbca"
