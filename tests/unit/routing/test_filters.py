"""Each hard filter: what it leaves out and under which name; soft ones never empty the list."""

import pytest
from endpoints import endpoint
from hypothesis import given
from hypothesis import strategies as st

from trunkline.protocol.catalogue import DataPolicy, Endpoint, Pricing
from trunkline.protocol.routing import MaxPrice, Preferences, RequestFacts
from trunkline.routing.filters import admit, prefer_capable

FACTS = RequestFacts(models=("a/m",))
PRIVATE = DataPolicy(training=False, retention_days=0, zdr=True)


def reason(one: Endpoint, preferences: Preferences, facts: RequestFacts = FACTS) -> str | None:
    kept, excluded = admit([one], facts, preferences)
    assert len(kept) + len(excluded) == 1
    return excluded[0].reason if excluded else None


@pytest.mark.parametrize(
    ("one", "preferences", "facts", "expected"),
    [
        (endpoint("a"), Preferences(), FACTS, None),
        (endpoint("a"), Preferences(only=("b",)), FACTS, "allowed_providers"),
        (endpoint("a"), Preferences(only=()), FACTS, "allowed_providers"),
        (endpoint("a"), Preferences(only=("a",)), FACTS, None),
        (endpoint("a"), Preferences(ignore=("a",)), FACTS, "allowed_providers"),
        (endpoint("a"), Preferences(zdr=True), FACTS, "data_policy:zdr"),
        (endpoint("a", data_policy=PRIVATE), Preferences(zdr=True, data_collection="deny"), FACTS, None),
        (endpoint("a"), Preferences(data_collection="deny"), FACTS, "data_policy:training"),
        (endpoint("a", quantization="mxfp4"), Preferences(quantizations=("fp4",)), FACTS, None),
        (endpoint("a", quantization="fp8"), Preferences(quantizations=("fp4",)), FACTS, "quantization"),
        (endpoint("a"), Preferences(quantizations=("unknown",)), FACTS, None),
        (endpoint("a", 11), Preferences(max_price=MaxPrice(prompt=10)), FACTS, "max_price"),
        (endpoint("a", 10), Preferences(max_price=MaxPrice(prompt=10, image=0)), FACTS, None),
        (endpoint("a", supported_parameters=frozenset({"seed"})), Preferences(), RequestFacts(("a/m",), frozenset({"tools"})), None),
        (
            endpoint("a", supported_parameters=frozenset({"seed"})),
            Preferences(require_parameters=True),
            RequestFacts(("a/m",), frozenset({"tools"})),
            "require_parameters",
        ),
        (endpoint("a"), Preferences(require_parameters=True), RequestFacts(("a/m",), frozenset({"tools"})), None),
        (endpoint("a", context_length=100), Preferences(), RequestFacts(("a/m",), prompt_tokens=126), "context_length"),
        (endpoint("a", context_length=100), Preferences(), RequestFacts(("a/m",), prompt_tokens=125), None),
        (endpoint("a", max_completion_tokens=10), Preferences(), RequestFacts(("a/m",), max_tokens=11), "context_length"),
        (endpoint("a", max_completion_tokens=10), Preferences(), RequestFacts(("a/m",), max_tokens=10), None),
    ],
)
def test_reasons(one: Endpoint, preferences: Preferences, facts: RequestFacts, expected: str | None) -> None:
    assert reason(one, preferences, facts) == expected


def test_a_price_per_image_counts_against_its_ceiling() -> None:
    costly = endpoint("a")
    costly = Endpoint(**{name: getattr(costly, name) for name in costly.__struct_fields__} | {"pricing": Pricing(image=5)})
    assert reason(costly, Preferences(max_price=MaxPrice(image=4))) == "max_price"


def test_capable_endpoints_are_preferred_and_never_none() -> None:
    with_tools = endpoint("a", supported_parameters=frozenset({"tools"}))
    without = endpoint("b", supported_parameters=frozenset())
    asks = RequestFacts(("a/m",), frozenset({"tools"}))
    assert prefer_capable([without, with_tools], asks) == [with_tools]
    assert prefer_capable([without], asks) == [without]
    assert prefer_capable([without, with_tools], FACTS) == [without, with_tools]


slugs = st.lists(st.sampled_from(["a", "b", "c", "d/fp8", "d"]), max_size=4).map(tuple)


@given(only=st.none() | slugs, ignore=slugs)
def test_hard_filters_never_leak(only: tuple[str, ...] | None, ignore: tuple[str, ...]) -> None:
    fleet = [endpoint(tag) for tag in ("a", "b", "c", "d/fp8")]
    kept, excluded = admit(fleet, FACTS, Preferences(only=only, ignore=ignore))
    assert len(kept) + len(excluded) == len(fleet)
    for one in kept:
        assert only is None or one.tag in only or one.provider in only
        assert one.tag not in ignore and one.provider not in ignore
