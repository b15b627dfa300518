"""The plan: models in order, reasons kept, and what holds for every plan there can be."""

import random
from collections import Counter
from collections.abc import Iterable

import pytest
from endpoints import endpoint
from hypothesis import given
from hypothesis import strategies as st

from trunkline.protocol.catalogue import DataPolicy, Endpoint
from trunkline.protocol.health import EndpointHealth, HealthSnapshot, Percentiles
from trunkline.protocol.routing import NO_PREFERENCES, Cutoffs, MaxPrice, Plan, Preferences, RequestFacts
from trunkline.routing.plan import make_plan
from trunkline.routing.slugs import matches

FACTS = RequestFacts(models=("a/m",))
HEALTHY = HealthSnapshot()


def tags(plan: Plan) -> list[str]:
    return [one.tag for one in plan.attempts]


def test_one_endpoint_is_the_plan() -> None:
    only = endpoint("a")
    assert make_plan(FACTS, [(only,)], HEALTHY, NO_PREFERENCES, 0.5).attempts == (only,)


def test_all_endpoints_of_one_model_come_before_those_of_the_next() -> None:
    first, second = (endpoint("a", 9), endpoint("b", 8)), (endpoint("c", 1),)
    plan = make_plan(FACTS, [first, second], HEALTHY, NO_PREFERENCES, 0.3)
    assert {one.tag for one in plan.attempts[:2]} == {"a", "b"}
    assert plan.attempts[2].tag == "c"


def test_the_partition_none_sorts_over_all_models() -> None:
    candidates = [(endpoint("a", 9), endpoint("b", 5)), (endpoint("c", 7, model="a/n"),)]
    assert tags(make_plan(FACTS, candidates, HEALTHY, Preferences(sort="price", partition="none"), 0.3)) == ["b", "c", "a"]
    assert tags(make_plan(FACTS, candidates, HEALTHY, Preferences(sort="price"), 0.3)) == ["b", "a", "c"]


def test_the_partition_none_lets_an_own_key_win_across_models() -> None:
    candidates = [(endpoint("a", 1),), (endpoint("c", 9, model="a/n", byok="k"),)]
    assert tags(make_plan(FACTS, candidates, HEALTHY, Preferences(partition="none"), 0.3)) == ["c", "a"]
    assert tags(make_plan(FACTS, candidates, HEALTHY, NO_PREFERENCES, 0.3)) == ["a", "c"]


def test_a_fallback_model_goes_before_what_is_hopeless_or_missed_a_preference() -> None:
    candidates = [(endpoint("a"), endpoint("b")), (endpoint("c", model="a/n"),)]
    health = HealthSnapshot({"a": EndpointHealth(ejected_until=9.0), "b": EndpointHealth(throughput=Percentiles(1, 1, 1, 1))}, now=1.0)
    assert tags(make_plan(FACTS, candidates, health, NO_PREFERENCES, 0.3)) == ["b", "c", "a"]
    assert tags(make_plan(FACTS, candidates, health, Preferences(min_throughput=Cutoffs(p50=5)), 0.3)) == ["c", "b", "a"]


def test_each_model_has_its_own_variants() -> None:
    fast, slow = EndpointHealth(throughput=Percentiles(9, 9, 9, 9)), EndpointHealth(throughput=Percentiles(5, 5, 5, 5))
    candidates = [(endpoint("a", 1), endpoint("b", 9)), (endpoint("c", 1, model="a/n"), endpoint("d", 9, model="a/n"))]
    health = HealthSnapshot({"a": slow, "b": fast, "c": slow, "d": fast})
    facts = RequestFacts(("a/m", "a/n"), variants={"a/m": ("nitro",), "a/n": ("floor",)})
    assert tags(make_plan(facts, candidates, health, NO_PREFERENCES, 0.99)) == ["b", "a", "c", "d"]


def test_a_model_named_twice_is_tried_once() -> None:
    fleet = (endpoint("a", 1), endpoint("b", 2), endpoint("c", 3))
    assert tags(make_plan(FACTS, [fleet, fleet[:1]], HEALTHY, Preferences(sort="price"), 0.3)) == ["a", "b", "c"]
    assert tags(make_plan(FACTS, [fleet[1:], fleet], HEALTHY, Preferences(sort="price"), 0.3)) == ["b", "c", "a"]


def test_without_fallbacks_there_is_one_attempt_and_the_others_know_why() -> None:
    plan = make_plan(FACTS, [(endpoint("a"), endpoint("b"))], HEALTHY, Preferences(allow_fallbacks=False), 0.3)
    assert len(plan.attempts) == 1
    assert not plan.allow_fallbacks
    assert [(one.reason, one.rule) for one in plan.excluded] == [("allowed_providers", "allow_fallbacks")]


def test_an_order_without_fallbacks_keeps_what_it_lists() -> None:
    fleet = (endpoint("a"), endpoint("b"), endpoint("c"))
    plan = make_plan(FACTS, [fleet], HEALTHY, Preferences(order=("c", "a"), allow_fallbacks=False), 0.3)
    assert [one.tag for one in plan.attempts] == ["c", "a"]
    assert make_plan(FACTS, [fleet], HEALTHY, Preferences(order=("z",), allow_fallbacks=False), 0.3).attempts == ()


def test_an_order_without_fallbacks_survives_a_soft_preference() -> None:
    fleet = (endpoint("a", supported_parameters=frozenset()), endpoint("b", supported_parameters=frozenset({"tools"})))
    facts = RequestFacts(("a/m",), frozenset({"tools"}))
    assert tags(make_plan(facts, [fleet], HEALTHY, Preferences(order=("a",), allow_fallbacks=False), 0.3)) == ["a"]
    assert tags(make_plan(facts, [fleet], HEALTHY, Preferences(order=("a",)), 0.3)) == ["b"]


def test_an_empty_plan_says_why() -> None:
    plan = make_plan(FACTS, [(endpoint("a"), endpoint("b"))], HEALTHY, Preferences(zdr=True), 0.3)
    assert plan.attempts == ()
    assert [one.reason for one in plan.excluded] == ["data_policy:zdr"] * 2


def test_an_own_key_does_not_exempt_from_a_data_policy() -> None:
    fleet = (endpoint("a", byok="k"), endpoint("a"))
    plan = make_plan(FACTS, [fleet], HEALTHY, Preferences(zdr=True), 0.3)
    assert plan.attempts == ()
    assert {one.reason for one in plan.excluded} == {"data_policy:zdr"}


def test_a_key_for_one_model_that_is_always_to_be_used() -> None:
    mini = (endpoint("openai", byok="A", byok_only=True), endpoint("openai", byok="B"), endpoint("openai"))
    plan = make_plan(FACTS, [mini], HEALTHY, NO_PREFERENCES, 0.9)
    assert [one.byok for one in plan.attempts] == ["A", "B"]
    other = make_plan(FACTS, [mini[1:]], HEALTHY, NO_PREFERENCES, 0.9)
    assert [one.byok for one in other.attempts] == ["B", ""]


CRITICAL = {1: 10.83, 2: 13.82, 3: 16.27, 4: 18.47, 5: 20.52}
"""Chi-square at 0.1 % by degrees of freedom (any table of the distribution)."""


@pytest.mark.parametrize("prices", [(1, 3), (10, 11, 12), (5, 5, 5, 5), (100, 150, 200, 400, 800), (7, 8, 9, 10, 11, 12)])
def test_the_first_choice_follows_one_over_price_squared(prices: tuple[int, ...]) -> None:
    seeds = random.Random(20260728)
    fleet = tuple(endpoint("abcdef"[index], price) for index, price in enumerate(prices))
    draws = 20_000
    first = Counter(make_plan(FACTS, [fleet], HEALTHY, NO_PREFERENCES, seeds.random()).attempts[0].tag for _ in range(draws))
    total = sum(1 / price**2 for price in prices)
    expected = {one.tag: draws / price**2 / total for one, price in zip(fleet, prices, strict=True)}
    chi_square = sum((first[tag] - share) ** 2 / share for tag, share in expected.items())
    assert chi_square < CRITICAL[len(prices) - 1]


TAGS = ("a", "a/eu", "a/priority", "b", "b/flex", "c", "d/fp8", "e")
NAMES = st.sampled_from([*TAGS, "d", "zzz"])
PERCENTILES = st.builds(Percentiles, *[st.sampled_from([1.0, 5.0, 50.0])] * 4)
CUTOFFS = st.none() | st.builds(Cutoffs, *[st.none() | st.sampled_from([2.0, 20.0])] * 4)
HEALTHS = st.builds(
    EndpointHealth,
    recent_failures=st.integers(0, 2),
    standing=st.sampled_from(["normal", "degraded", "down"]),
    ejected_until=st.sampled_from([0.0, 99.0, 101.0, 130.0]),
    probing=st.booleans(),
    headroom=st.sampled_from([0.0, 0.5, 1.0]),
    latency=st.none() | PERCENTILES,
    throughput=st.none() | PERCENTILES,
    requests=st.sampled_from([0, 500]),
    speed=st.none() | st.sampled_from([1.0, 50.0, 60.0]),
    tool_requests=st.sampled_from([0, 500]),
    tool_success=st.none() | st.sampled_from([0.2, 0.98, 0.99]),
)
SNAPSHOTS = st.builds(
    HealthSnapshot,
    st.dictionaries(st.sampled_from(TAGS), HEALTHS),
    st.dictionaries(st.tuples(st.sampled_from(["a", "b", "k"]), st.sampled_from(["", "a/m"])), st.sampled_from([50.0, 120.0])),
    st.just(100.0),
)
LISTS = st.lists(NAMES, max_size=4).map(tuple)
PREFERENCES = st.builds(
    Preferences,
    order=LISTS,
    only=st.none() | LISTS,
    ignore=LISTS,
    allow_fallbacks=st.booleans(),
    require_parameters=st.booleans(),
    data_collection=st.sampled_from(["allow", "deny"]),
    zdr=st.booleans(),
    quantizations=st.none() | st.just(("fp8", "unknown")),
    sort=st.none() | st.sampled_from(["price", "throughput", "latency", "exacto"]),
    max_price=st.none() | st.builds(MaxPrice, prompt=st.integers(0, 5)),
    partition=st.sampled_from(["model", "none"]),
    enforce_distillable_text=st.booleans(),
    min_throughput=CUTOFFS,
    max_latency=CUTOFFS,
)
PARAMETERS = st.frozensets(st.sampled_from(["tools", "response_format", "verbosity", "seed"]))
REQUESTS = st.builds(
    RequestFacts,
    st.just(("a/m", "a/n")),
    PARAMETERS,
    st.sampled_from([0, 100, 1000]),
    st.none() | st.sampled_from([10, 1000]),
    service_tier=st.sampled_from([None, "auto", "default", "priority", "fast", "flex"]),
    variants=st.dictionaries(
        st.sampled_from(["a/m", "a/n"]), st.lists(st.sampled_from(["nitro", "floor", "exacto"]), max_size=2).map(tuple)
    ),
    sticky=st.sampled_from(["", *TAGS]),
    distillable=st.frozensets(st.sampled_from(["a/m", "a/n"])),
)
ENDPOINTS = st.builds(
    endpoint,
    st.sampled_from(TAGS),
    st.integers(0, 8),
    model=st.sampled_from(["a/m", "a/n"]),
    quantization=st.sampled_from([None, "fp8", "mxfp8", "int4"]),
    data_policy=st.builds(DataPolicy, st.booleans(), st.none(), st.booleans()),
    supported_parameters=st.none() | PARAMETERS,
    context_length=st.none() | st.sampled_from([50, 500]),
    max_completion_tokens=st.none() | st.sampled_from([100, 5000]),
    byok=st.sampled_from(["", "", "k", "l"]),
    byok_fallback=st.booleans(),
    byok_only=st.booleans(),
)
FLEETS = st.lists(st.lists(ENDPOINTS, max_size=6).map(tuple), min_size=1, max_size=2)
SEEDS = st.floats(0, 1, exclude_max=True)


def same(endpoints: Iterable[Endpoint]) -> Counter[tuple[str, str]]:
    return Counter((one.id, one.byok) for one in endpoints)


@given(REQUESTS, FLEETS, SNAPSHOTS, PREFERENCES, SEEDS)
def test_hard_filters_never_leak(
    facts: RequestFacts, fleets: list[tuple[Endpoint, ...]], health: HealthSnapshot, wish: Preferences, seed: float
) -> None:
    for one in make_plan(facts, fleets, health, wish, seed).attempts:
        assert wish.only is None or any(matches(slug, one) for slug in wish.only)
        assert one.tag not in wish.ignore
        assert one.provider not in wish.ignore
        assert not wish.zdr or one.data_policy.zdr
        assert wish.data_collection == "allow" or not one.data_policy.training
        assert wish.quantizations is None or one.quantization in (None, "fp8", "mxfp8")
        assert wish.max_price is None or one.pricing.prompt <= (wish.max_price.prompt or 0)
        assert not wish.enforce_distillable_text or one.model in facts.distillable
        assert not wish.require_parameters or one.supported_parameters is None or facts.parameters <= one.supported_parameters
        assert one.max_completion_tokens is None or (facts.max_tokens or 0) <= one.max_completion_tokens
        assert wish.allow_fallbacks or not wish.order or any(matches(slug, one) for slug in wish.order)


@given(REQUESTS, FLEETS, SNAPSHOTS, PREFERENCES, SEEDS)
def test_nothing_is_lost_without_a_reason_and_nothing_tried_twice(
    facts: RequestFacts, fleets: list[tuple[Endpoint, ...]], health: HealthSnapshot, wish: Preferences, seed: float
) -> None:
    plan = make_plan(facts, fleets, health, wish, seed)
    assert max(same(plan.attempts).values(), default=1) == 1
    given_ = same(one for fleet in fleets for one in fleet)
    assert set(same(plan.attempts)) | set(same(one.endpoint for one in plan.excluded)) == set(given_)
    assert all(one.reason and one.rule for one in plan.excluded)
    assert wish.allow_fallbacks or wish.order or len(plan.attempts) <= 1
    assert make_plan(facts, fleets, health, wish, seed) == plan


@given(FLEETS, SNAPSHOTS, SEEDS, PARAMETERS, CUTOFFS, CUTOFFS)
def test_health_and_soft_preferences_never_empty_the_list(
    fleets: list[tuple[Endpoint, ...]],
    health: HealthSnapshot,
    seed: float,
    parameters: frozenset[str],
    slow: Cutoffs | None,
    late: Cutoffs | None,
) -> None:
    facts = RequestFacts(("a/m",), parameters)
    wish = Preferences(min_throughput=slow, max_latency=late)
    plan = make_plan(facts, fleets, health, wish, seed)
    plain = [one for fleet in fleets for one in fleet if one.tag not in ("a/priority", "b/flex")]
    forced = {one.provider for fleet in fleets for one in fleet if one.byok_only}
    assert bool(plan.attempts) or all(not one.byok and one.provider in forced for one in plain)
    unmeasured = make_plan(facts, fleets, HEALTHY, NO_PREFERENCES, seed)
    assert same(plan.attempts) == same(unmeasured.attempts)


@given(REQUESTS, FLEETS, SNAPSHOTS, PREFERENCES, SEEDS, SEEDS)
def test_the_order_under_sort_and_order_does_not_depend_on_chance(
    facts: RequestFacts, fleets: list[tuple[Endpoint, ...]], health: HealthSnapshot, wish: Preferences, seed: float, other: float
) -> None:
    if wish.sort is not None or wish.order:
        assert make_plan(facts, fleets, health, wish, seed) == make_plan(facts, fleets, health, wish, other)


@given(FLEETS, SNAPSHOTS, SEEDS)
def test_what_waits_is_behind_all_that_does_not(fleets: list[tuple[Endpoint, ...]], health: HealthSnapshot, seed: float) -> None:
    waits = [rank[0] for rank in make_plan(FACTS, fleets, health, NO_PREFERENCES, seed).ranks]
    assert waits == sorted(waits)
