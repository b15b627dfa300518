"""The plan: models in order, reasons kept, no endpoint twice."""

from endpoints import endpoint
from hypothesis import given
from hypothesis import strategies as st

from trunkline.protocol.health import EndpointHealth, HealthSnapshot
from trunkline.protocol.routing import NO_PREFERENCES, Preferences, RequestFacts
from trunkline.routing.plan import make_plan

FACTS = RequestFacts(models=("a/m",))
HEALTHY = HealthSnapshot()


def test_one_endpoint_is_the_plan() -> None:
    only = endpoint("a")
    assert make_plan(FACTS, [(only,)], HEALTHY, NO_PREFERENCES, 0.5).attempts == (only,)


def test_all_endpoints_of_one_model_come_before_those_of_the_next() -> None:
    first, second = (endpoint("a", 9), endpoint("b", 8)), (endpoint("c", 1),)
    plan = make_plan(FACTS, [first, second], HEALTHY, NO_PREFERENCES, 0.3)
    assert {one.tag for one in plan.attempts[:2]} == {"a", "b"}
    assert plan.attempts[2].tag == "c"


def test_without_fallbacks_there_is_one_attempt() -> None:
    plan = make_plan(FACTS, [(endpoint("a"), endpoint("b"))], HEALTHY, Preferences(allow_fallbacks=False), 0.3)
    assert len(plan.attempts) == 1
    assert not plan.allow_fallbacks


def test_an_order_without_fallbacks_keeps_what_it_lists() -> None:
    fleet = (endpoint("a"), endpoint("b"), endpoint("c"))
    plan = make_plan(FACTS, [fleet], HEALTHY, Preferences(order=("c", "a"), allow_fallbacks=False), 0.3)
    assert [one.tag for one in plan.attempts] == ["c", "a"]
    assert make_plan(FACTS, [fleet], HEALTHY, Preferences(order=("z",), allow_fallbacks=False), 0.3).attempts == ()


def test_an_empty_plan_says_why() -> None:
    plan = make_plan(FACTS, [(endpoint("a"), endpoint("b"))], HEALTHY, Preferences(zdr=True), 0.3)
    assert plan.attempts == ()
    assert [one.reason for one in plan.excluded] == ["data_policy:zdr"] * 2


fleets = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 5)), max_size=8, unique_by=lambda pair: pair[0])


@given(fleets, st.sets(st.sampled_from("abcdefgh")), st.floats(0, 1, exclude_max=True), st.lists(st.sampled_from("abcdefgh"), max_size=3))
def test_a_plan_loses_and_repeats_nothing(fleet: list[tuple[str, int]], failing: set[str], seed: float, order: list[str]) -> None:
    endpoints = tuple(endpoint(tag, price) for tag, price in fleet)
    health = HealthSnapshot({tag: EndpointHealth(1) for tag in failing})
    plan = make_plan(FACTS, [endpoints], health, Preferences(order=tuple(order)), seed)
    assert sorted(one.tag for one in plan.attempts) == sorted(tag for tag, _ in fleet)
    assert make_plan(FACTS, [endpoints], health, Preferences(order=tuple(order)), seed) == plan
