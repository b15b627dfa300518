"""Each hard filter: what it leaves out and under which name; soft ones never empty the list."""

import pytest
from endpoints import endpoint
from msgspec.structs import replace

from trunkline.protocol.catalogue import DataPolicy, Endpoint, PriceOverride, Pricing
from trunkline.protocol.routing import Exclusion, MaxPrice, Preferences, RequestFacts
from trunkline.routing.filters import RULES, admit, own_capacity, prefer_capable

FACTS = RequestFacts(models=("a/m",))
TOOLS = RequestFacts(("a/m",), frozenset({"tools"}))
PRIVATE = DataPolicy(training=False, retention_days=0, zdr=True)
VOCABULARY = {
    *("geo", "data_region", "data_policy:zdr", "data_policy:training", "max_price", "context_length", "require_parameters"),
    *("quantization", "allowed_providers"),
}


def reason(one: Endpoint, preferences: Preferences, facts: RequestFacts = FACTS) -> str | None:
    excluded: list[Exclusion] = []
    kept = admit([one], facts, preferences, excluded)
    assert len(kept) + len(excluded) == 1
    return f"{excluded[0].reason} {excluded[0].rule}" if excluded else None


def priced(**prices: object) -> Endpoint:
    return replace(endpoint("a"), pricing=replace(Pricing(), **prices))


@pytest.mark.parametrize(
    ("one", "preferences", "facts", "expected"),
    [
        (endpoint("a"), Preferences(), FACTS, None),
        (endpoint("a"), Preferences(only=("b",)), FACTS, "allowed_providers only"),
        (endpoint("a"), Preferences(only=()), FACTS, "allowed_providers only"),
        (endpoint("a"), Preferences(only=("a",)), FACTS, None),
        (endpoint("a/eu"), Preferences(only=("a",)), FACTS, None),
        (endpoint("a/priority"), Preferences(only=("a",)), FACTS, "allowed_providers only"),
        (endpoint("a"), Preferences(ignore=("a",)), FACTS, "allowed_providers ignore"),
        (endpoint("a"), Preferences(ignore=("a/eu",)), FACTS, None),
        (endpoint("a/eu"), Preferences(ignore=("a/eu",)), FACTS, "allowed_providers ignore"),
        (endpoint("a/priority"), Preferences(ignore=("a",)), FACTS, "allowed_providers ignore"),
        (endpoint("a"), Preferences(order=("b",)), FACTS, None),
        (endpoint("a"), Preferences(order=("b",), allow_fallbacks=False), FACTS, "allowed_providers order"),
        (endpoint("a"), Preferences(zdr=True), FACTS, "data_policy:zdr zdr"),
        (endpoint("a", data_policy=PRIVATE), Preferences(zdr=True, data_collection="deny"), FACTS, None),
        (endpoint("a"), Preferences(data_collection="deny"), FACTS, "data_policy:training data_collection"),
        (endpoint("a"), Preferences(), RequestFacts(("a/m",), region="europe"), "data_region region"),
        (endpoint("a", region="europe"), Preferences(), RequestFacts(("a/m",), region="europe"), None),
        (endpoint("a"), Preferences(enforce_distillable_text=True), FACTS, "allowed_providers enforce_distillable_text"),
        (endpoint("a"), Preferences(enforce_distillable_text=True), RequestFacts(("a/m",), distillable=frozenset({"a/m"})), None),
        (endpoint("a", quantization="mxfp4"), Preferences(quantizations=("fp4",)), FACTS, None),
        (endpoint("a", quantization="nvfp4"), Preferences(quantizations=("int8", "fp4")), FACTS, None),
        (endpoint("a", quantization="fp4"), Preferences(quantizations=("mxfp4",)), FACTS, "quantization quantizations"),
        (endpoint("a", quantization="mxfp8"), Preferences(quantizations=("fp8",)), FACTS, None),
        (endpoint("a", quantization="fp8"), Preferences(quantizations=("fp4",)), FACTS, "quantization quantizations"),
        (endpoint("a"), Preferences(quantizations=("unknown",)), FACTS, None),
        (endpoint("a"), Preferences(quantizations=("bf16",)), FACTS, "quantization quantizations"),
        (endpoint("a", supported_parameters=frozenset({"seed"})), Preferences(), TOOLS, None),
        (
            endpoint("a", supported_parameters=frozenset({"seed"})),
            Preferences(require_parameters=True),
            TOOLS,
            "require_parameters require_parameters",
        ),
        (endpoint("a"), Preferences(require_parameters=True), TOOLS, None),
        (endpoint("a", context_length=100), Preferences(), RequestFacts(("a/m",), prompt_tokens=126), "context_length prompt"),
        (endpoint("a", context_length=100), Preferences(), RequestFacts(("a/m",), prompt_tokens=125), None),
        (endpoint("a", max_prompt_tokens=100), Preferences(), RequestFacts(("a/m",), prompt_tokens=126), "context_length prompt"),
        (endpoint("a", max_completion_tokens=10), Preferences(), RequestFacts(("a/m",), max_tokens=11), "context_length max_tokens"),
        (endpoint("a", max_completion_tokens=10), Preferences(), RequestFacts(("a/m",), max_tokens=10), None),
    ],
)
def test_reasons(one: Endpoint, preferences: Preferences, facts: RequestFacts, expected: str | None) -> None:
    assert reason(one, preferences, facts) == expected


@pytest.mark.parametrize("name", MaxPrice.__struct_fields__)
def test_each_ceiling_holds(name: str) -> None:
    ceiling = Preferences(max_price=MaxPrice(**{name: 10}))
    assert reason(priced(**{name: 11}), ceiling) == "max_price max_price"
    assert reason(priced(**{name: 10}), ceiling) is None
    assert reason(priced(), ceiling) is None


def test_a_ceiling_of_one_and_two_dollars_a_million_tokens() -> None:
    ceiling = Preferences(max_price=MaxPrice(prompt=1_000_000, completion=2_000_000))
    assert reason(priced(prompt=1_000_000, completion=2_000_000), ceiling) is None
    assert reason(priced(prompt=1_000_001, completion=1), ceiling) == "max_price max_price"
    assert reason(priced(prompt=1, completion=2_000_001), ceiling) == "max_price max_price"


def test_a_ceiling_holds_for_the_prices_of_long_prompts_and_of_any_time_of_day() -> None:
    ceiling = Preferences(max_price=MaxPrice(prompt=10))
    long = priced(prompt=10, overrides=(PriceOverride({"prompt": 20}, min_prompt_tokens=200),))
    assert reason(long, ceiling, RequestFacts(("a/m",), prompt_tokens=200)) is None
    assert reason(long, ceiling, RequestFacts(("a/m",), prompt_tokens=201)) == "max_price max_price"
    at_noon = priced(prompt=10, overrides=(PriceOverride({"prompt": 20, "image": 99}, utc_start=1100, utc_end=1300),))
    assert reason(at_noon, ceiling) == "max_price max_price"
    cheap_nights = priced(prompt=10, overrides=(PriceOverride({"prompt": 5, "image": 99}, utc_start=0, utc_end=600),))
    assert reason(cheap_nights, ceiling) is None


def test_every_reason_is_in_the_vocabulary() -> None:
    assert {rule.reason for rule in RULES} <= VOCABULARY


def test_the_first_rule_that_is_broken_is_the_reason() -> None:
    excluded: list[Exclusion] = []
    fleet = [endpoint(tag) for tag in "abc"]
    assert admit(fleet, FACTS, Preferences(only=("a", "b"), ignore=("b",), zdr=True), excluded) == []
    assert [(one.endpoint.tag, one.rule) for one in excluded] == [("c", "only"), ("b", "ignore"), ("a", "zdr")]


def test_capable_endpoints_are_preferred_and_never_none() -> None:
    with_tools = endpoint("a", supported_parameters=frozenset({"tools"}))
    without = endpoint("b", supported_parameters=frozenset())
    excluded: list[Exclusion] = []
    assert prefer_capable([without, with_tools], TOOLS, excluded) == [with_tools]
    assert [(one.endpoint.tag, one.reason, one.rule) for one in excluded] == [("b", "require_parameters", "tools")]
    assert prefer_capable([without], TOOLS, excluded) == [without]
    assert prefer_capable([without, with_tools], FACTS, excluded) == [without, with_tools]
    assert len(excluded) == 1


def test_soft_parameters_narrow_one_after_the_other() -> None:
    asks = RequestFacts(("a/m",), frozenset({"tools", "verbosity", "seed"}))
    fleet = [endpoint("a", supported_parameters=frozenset({"tools"})), endpoint("b", supported_parameters=frozenset({"verbosity"}))]
    assert [one.tag for one in prefer_capable(fleet, asks, [])] == ["a"]


@pytest.mark.parametrize(
    ("dialect", "used", "expected"),
    [("messages", "seed", "require_parameters"), ("messages", "top_k", None), ("chat", "seed", None), ("gemini", "seed", None)],
)
@pytest.mark.parametrize("listed", [None, frozenset(("seed", "top_k"))])
def test_a_parameter_that_a_dialect_has_no_word_for_is_not_supported(
    dialect: str, used: str, expected: str | None, listed: frozenset[str] | None
) -> None:
    one = replace(endpoint("a"), dialect=dialect, supported_parameters=listed)
    facts = replace(FACTS, parameters=frozenset((used,)))
    found = reason(one, Preferences(require_parameters=True), facts)
    assert (found is not None) == (expected is not None)
    assert expected is None or expected in str(found)


def test_a_key_that_is_always_to_be_used_shuts_out_the_shared_capacity_of_its_provider() -> None:
    fleet = [endpoint("a", byok="k", byok_only=True), endpoint("a"), endpoint("a/eu"), endpoint("b"), endpoint("b", byok="l")]
    excluded: list[Exclusion] = []
    assert [(one.tag, one.byok) for one in own_capacity(fleet, fleet, excluded)] == [("a", "k"), ("b", ""), ("b", "l")]
    assert {(one.endpoint.tag, one.rule) for one in excluded} == {("a", "byok_only"), ("a/eu", "byok_only")}
