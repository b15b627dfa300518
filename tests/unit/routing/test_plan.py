"""The plan: models in order, reasons kept, and what holds for every plan there can be."""

import random
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from math import inf

import pytest
from endpoints import endpoint
from msgspec.structs import replace
from plans import NOW, Situation, situations

from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.health import EndpointHealth, HealthSnapshot, Percentiles
from trunkline.protocol.routing import NO_PREFERENCES, Cutoffs, MaxPrice, Plan, Preferences, RequestFacts, Sort
from trunkline.routing.boards import Boards
from trunkline.routing.filters import RULES, SOFT_PARAMETERS
from trunkline.routing.plan import make_plan
from trunkline.routing.standings import EPSILON

MANY = 2_000
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


def test_a_data_policy_is_the_reason_also_where_a_key_is_always_to_be_used() -> None:
    fleet = (endpoint("a", byok="k", byok_only=True), endpoint("a"))
    plan = make_plan(FACTS, [fleet], HEALTHY, Preferences(zdr=True), 0.3)
    assert [(one.reason, one.rule) for one in plan.excluded] == [("data_policy:zdr", "zdr")] * 2


def test_a_key_for_one_model_that_is_always_to_be_used() -> None:
    mini = (endpoint("openai", byok="A", byok_only=True), endpoint("openai", byok="B"), endpoint("openai"))
    plan = make_plan(FACTS, [mini], HEALTHY, NO_PREFERENCES, 0.9)
    assert [one.byok for one in plan.attempts] == ["A", "B"]
    other = make_plan(FACTS, [mini[1:]], HEALTHY, NO_PREFERENCES, 0.9)
    assert [one.byok for one in other.attempts] == ["B", ""]


CRITICAL = {1: 10.83, 2: 13.82, 3: 16.27, 4: 18.47, 5: 20.52}
"""Chi-square at 0.1 % by degrees of freedom (any table of the distribution)."""


@pytest.mark.parametrize("boards", [None, Boards()])
@pytest.mark.parametrize("prices", [(1, 3), (10, 11, 12), (5, 5, 5, 5), (100, 150, 200, 400, 800), (7, 8, 9, 10, 11, 12)])
def test_the_first_choice_follows_one_over_price_squared(prices: tuple[int, ...], boards: Boards | None) -> None:
    seeds = random.Random(20260728)
    fleet = tuple(endpoint("abcdef"[index], price) for index, price in enumerate(prices))
    draws = 20_000
    first = Counter(make_plan(FACTS, [fleet], HEALTHY, NO_PREFERENCES, seeds.random(), boards).attempts[0].tag for _ in range(draws))
    total = sum(1 / price**2 for price in prices)
    expected = {one.tag: draws / price**2 / total for one, price in zip(fleet, prices, strict=True)}
    chi_square = sum((first[tag] - share) ** 2 / share for tag, share in expected.items())
    assert chi_square < CRITICAL[len(prices) - 1]


def same(endpoints: Iterable[Endpoint]) -> Counter[tuple[str, str]]:
    return Counter((one.id, one.byok) for one in endpoints)


def broken_rules(one: Endpoint, facts: RequestFacts, wish: Preferences) -> list[str]:
    """The hard filters that this endpoint does not pass, told anew and one by one, without a look at how the planner does it."""
    tier = one.tag.rpartition("/")[2] if one.tag.rpartition("/")[2] in ("priority", "fast", "flex") else ""
    names = {one.tag} if tier else {one.tag, one.provider}
    families = {"fp8": {"fp8", "mxfp8"}, "fp4": {"fp4", "mxfp4", "nvfp4"}}
    ceiling = wish.max_price or MaxPrice()
    dearest = [
        (getattr(ceiling, name), rate)
        for name in ("prompt", "completion", "request", "image", "audio")
        for rate in [
            getattr(one.pricing, name) or 0,
            *(
                override.rates.get(name, 0)
                for override in one.pricing.overrides
                if override.min_prompt_tokens is None or facts.prompt_tokens > override.min_prompt_tokens
            ),
        ]
    ]
    named = {slug for slug in (*wish.order, *(wish.only or ())) if slug == one.tag}
    asked = {"priority": {"priority", "fast"}, "fast": {"priority", "fast"}, "flex": {"flex"}}.get(facts.service_tier or "", set())
    variants = facts.variants.get(one.model, ()) if facts.service_tier in (None, "auto") and not wish.order else ()
    asked |= {"nitro": {"priority", "fast"}, "floor": {"flex"}}.get(next((name for name in variants if name != "exacto"), ""), set())
    checks = {
        "only": wish.only is not None and names.isdisjoint(wish.only),
        "ignore": one.tag in wish.ignore or one.provider in wish.ignore,
        "order without fallbacks": bool(wish.order) and not wish.allow_fallbacks and names.isdisjoint(wish.order),
        "region": bool(facts.region) and one.region != facts.region,
        "zdr": wish.zdr and not one.data_policy.zdr,
        "data_collection": wish.data_collection == "deny" and one.data_policy.training,
        "distillable": wish.enforce_distillable_text and one.model not in facts.distillable,
        "quantizations": wish.quantizations is not None
        and not any((one.quantization or "unknown") in families.get(wanted, {wanted}) for wanted in wish.quantizations),
        "max_price": any(limit is not None and rate > limit for limit, rate in dearest),
        "require_parameters": wish.require_parameters
        and one.supported_parameters is not None
        and bool(facts.parameters - one.supported_parameters),
        "context": facts.prompt_tokens / 1.25 > min(one.context_length or 10**9, one.max_prompt_tokens or 10**9),
        "max_tokens": (facts.max_tokens or 0) > (one.max_completion_tokens or 10**9),
        "tier": bool(tier) and tier not in asked and not named,
    }
    return [name for name, broken in checks.items() if broken]


def planned(one: Situation, boards: Boards | None = None) -> Plan:
    return make_plan(one.facts, one.fleets, one.health, one.wish, one.seed, boards)


def test_the_situations_leave_something_to_plan() -> None:
    plans = [planned(one) for one in situations(MANY)]
    assert sum(len(plan.attempts) > 1 for plan in plans) > MANY / 4
    rules = Counter(one.rule for plan in plans for one in plan.excluded)
    known = {rule.name for rule in RULES} | {"service_tier", "allow_fallbacks", "byok_only", *SOFT_PARAMETERS}
    assert known - set(rules) == {"tool_choice", "structured_outputs"}


def test_hard_filters_never_leak() -> None:
    """Nor is anything left out by a filter that it passes."""
    chosen = {"service_tier", "allow_fallbacks", "byok_only", *SOFT_PARAMETERS}
    for one in situations(MANY):
        plan = planned(one)
        for tried in plan.attempts:
            assert broken_rules(tried, one.facts, one.wish) == [], one
            shut = {own.provider for fleet in one.fleets if any(tried is other for other in fleet) for own in fleet if own.byok_only}
            assert tried.byok or tried.provider not in shut, one
        for left in plan.excluded:
            assert left.reason
            assert left.rule in chosen or broken_rules(left.endpoint, one.facts, one.wish), (left, one)


def test_nothing_is_lost_without_a_reason_and_nothing_tried_twice() -> None:
    for one in situations(MANY):
        plan = planned(one)
        assert max(same(plan.attempts).values(), default=1) == 1, one
        given = same(each for fleet in one.fleets for each in fleet)
        assert set(same(plan.attempts)) | set(same(each.endpoint for each in plan.excluded)) == set(given), one
        assert one.wish.allow_fallbacks or one.wish.order or len(plan.attempts) <= 1, one


def test_health_and_soft_preferences_leave_nothing_out() -> None:
    """Whatever the hard ones are: the same endpoints as without sort, cut-offs, conversation and any knowledge of health."""
    for one in situations(MANY):
        wish = replace(one.wish, allow_fallbacks=True)
        hard = replace(wish, sort=None, min_throughput=None, max_latency=None)
        calm = make_plan(replace(one.facts, sticky=""), one.fleets, HEALTHY, hard, 0.0)
        assert same(planned(replace(one, wish=wish)).attempts) == same(calm.attempts), one


def test_soft_parameters_never_empty_the_list() -> None:
    for one in situations(MANY):
        asked = replace(one, wish=replace(one.wish, require_parameters=False))
        silent = replace(asked, facts=replace(one.facts, parameters=frozenset()))
        assert bool(planned(asked).attempts) == bool(planned(silent).attempts), one


def test_the_order_under_sort_and_order_does_not_depend_on_chance() -> None:
    for one in situations(MANY):
        if one.wish.sort is not None or one.wish.order:
            plans = [planned(replace(one, seed=seed)) for seed in (0.0, 0.5, 0.99)]
            assert plans[0] == plans[1] == plans[2], one


def figure(sort: Sort, one: Endpoint, known: EndpointHealth) -> float:
    """What is sorted by."""
    if sort == "price":
        return one.pricing.prompt + one.pricing.completion
    if sort == "latency":
        return inf if known.latency is None else known.latency.p50
    return inf if known.throughput is None else -known.throughput.p50


@pytest.mark.parametrize("sort", ["price", "throughput", "latency"])
def test_a_sort_is_kept_among_those_that_are_equally_well(sort: Sort) -> None:
    def standing(one: Endpoint, health: HealthSnapshot) -> tuple[object, ...]:
        known = health.endpoints.get(one.id, EndpointHealth())
        cooling = any(name in (one.byok, one.provider) for name, _ in health.cooldowns)
        return known.recent_failures > 0, known.standing, known.ejected_until > NOW, known.probing, cooling, one.byok, one.byok_fallback

    for one in situations(MANY):
        health = one.health
        attempts = make_plan(FACTS, one.fleets[:1], health, Preferences(sort=sort), one.seed).attempts
        for before, after in pairwise(attempts):
            if standing(before, health) == standing(after, health):
                figures = [figure(sort, each, health.endpoints.get(each.id, EndpointHealth())) for each in (before, after)]
                assert figures[0] <= figures[1], one


def test_what_is_remembered_changes_no_plan() -> None:
    """Requests for the same endpoints, one after the other, while time passes and credentials cool: what was remembered of one must not
    reach another that it is not true for."""
    others = [*situations(5)]
    for town in situations(MANY // 8):
        boards = Boards()
        later, cooler = replace(town.health, now=NOW + 25), replace(town.health, cooldowns={("a", ""): NOW + 50})
        for health in (replace(town.health, cooldowns={}), cooler, later, town.health, others[0].health):
            for other in (town, *others):
                met = Situation(other.facts, town.fleets, health, other.wish, other.seed)
                assert planned(met, boards) == planned(met), met


def test_what_waits_is_behind_all_that_does_not() -> None:
    for one in situations(MANY):
        plan = make_plan(FACTS, one.fleets, one.health, NO_PREFERENCES, one.seed)
        waits = [rank[0] for rank in plan.ranks]
        assert waits == sorted(waits)
        for tried, wait in zip(plan.attempts, waits, strict=False):
            known = one.health.endpoints.get(tried.id, EndpointHealth())
            until = [known.ejected_until, *(one.health.cooldowns.get((tried.credential, model), 0.0) for model in ("", tried.model))]
            assert wait == pytest.approx(max(max(until) - NOW, EPSILON if known.probing and known.ejected_until <= NOW else 0.0)), one
