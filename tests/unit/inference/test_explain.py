"""The rows of a plan: rank, reason, price and measurements."""

import msgspec
from endpoints import endpoint

from trunkline.inference.explain import Row, rows
from trunkline.protocol.health import EndpointHealth, HealthSnapshot, Percentiles
from trunkline.protocol.routing import NO_PREFERENCES, Exclusion, Plan, Preferences, RequestFacts
from trunkline.routing.plan import make_plan

FACTS = RequestFacts(("a/m",))
CHEAP, DEAR = endpoint("cheap", 1), endpoint("dear", 9)
QUICK = EndpointHealth(latency=Percentiles(0.2, 0.3, 0.4, 0.5), throughput=Percentiles(90, 80, 70, 60))


def planned(preferences: Preferences = NO_PREFERENCES, health: HealthSnapshot | None = None) -> Plan:
    return make_plan(FACTS, [(CHEAP, DEAR)], health or HealthSnapshot(), preferences, 0.5)


def test_each_endpoint_has_its_rank_reason_and_price() -> None:
    seen = rows(planned(Preferences(order=("dear",))), HealthSnapshot(), lambda one: one.pricing.prompt * 10**6, DEAR)
    assert [(one.rank, one.tag, one.selected, one.decided_by) for one in seen] == [(1, "dear", True, "order"), (2, "cheap", False, "order")]
    assert [one.predicted_cost_usd for one in seen] == [9e-6, 1e-6]
    assert (seen[0].provider, seen[0].model) == ("Dear", "a/m")


def test_those_left_out_follow_with_the_rule() -> None:
    seen = rows(planned(Preferences(ignore=("cheap",))), HealthSnapshot(), lambda _: 0)
    assert [(one.tag, one.rank, one.excluded_by, one.rule) for one in seen] == [
        ("dear", 1, None, None),
        ("cheap", None, "allowed_providers", "ignore"),
    ]


def test_what_was_measured_is_shown_of_all() -> None:
    health = HealthSnapshot({"cheap": QUICK, "dear": QUICK})
    tried, left_out = rows(planned(Preferences(ignore=("cheap",)), health), health, lambda _: 0)
    assert tried.latency == left_out.latency == QUICK.latency
    assert tried.throughput == left_out.throughput == QUICK.throughput


def test_the_quality_of_answers_is_shown_with_what_it_rests_on() -> None:
    seen = EndpointHealth(
        tool_requests=300,
        tool_success=0.9,
        structured_requests=4,
        structured_success=0.75,
        benchmarks=(("tau2_airline", 0.5),),
        behind=True,
    )
    (row, other) = msgspec.to_builtins(rows(planned(health=(health := HealthSnapshot({"cheap": seen}))), health, lambda _: 0))
    row = row if row["tag"] == "cheap" else other
    assert (row["tool_requests"], row["tool_success"], row["structured_requests"], row["structured_success"]) == (300, 0.9, 4, 0.75)
    assert row["benchmarks"] == {"tau2_airline": 0.5}


def test_trouble_is_told_in_words() -> None:
    health = HealthSnapshot({"cheap": EndpointHealth(recent_failures=1)})
    seen = rows(planned(health=health), health, lambda _: 0)
    assert [(one.tag, one.notes) for one in seen if "outage" in one.notes] == [("cheap", ("outage",))]


def test_what_is_not_known_is_not_there() -> None:
    plan = Plan((CHEAP,), (Exclusion(DEAR, "max_price"),))
    seen = msgspec.to_builtins(rows(plan, HealthSnapshot(), lambda _: 0))
    assert seen[0] == {
        "provider": "Cheap",
        "model": "a/m",
        "selected": False,
        "tag": "cheap",
        "rank": 1,
        "decided_by": "alone",
        "predicted_cost_usd": 0.0,
    }
    assert "rule" not in seen[1] and "latency" not in seen[1]


def test_the_callers_own_key_is_marked() -> None:
    own = endpoint("own", byok="key-1")
    assert rows(Plan((own,)), HealthSnapshot(), lambda _: 0)[0].is_byok
    assert not Row(provider="", model="", selected=False, tag="").is_byok
