"""Tiers of endpoints: whose price is whose, and who asks for what."""

from endpoints import endpoint
from msgspec.structs import replace

from trunkline.catalogue.service_tiers import sold, tiered
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.quirks import Quirks


def made(*endpoints: Endpoint) -> dict[str, Endpoint]:
    return {one.id: one for one in tiered(endpoints)}


def test_a_tag_tells_what_is_sold() -> None:
    tags = ("a", "a/priority", "a/fast", "a/FLEX", "a/fp8", "a/us-east5/flex", "priority")
    assert [sold(endpoint(tag)) for tag in tags] == ["", "priority", "priority", "flex", "", "flex", ""]


def test_the_tiers_of_an_offer_know_each_others_prices() -> None:
    found = made(endpoint("a", 10), endpoint("a/priority", 20), endpoint("a/flex", 5), endpoint("b", 7))
    prices = {tag: {tier: one.prompt for tier, one in found[tag].tier_pricing.items()} for tag in found}
    assert prices == {
        "a": {"priority": 20, "flex": 5},
        "a/priority": {"default": 10, "flex": 5},
        "a/flex": {"default": 10, "priority": 20},
        "b": {},
    }


def test_offers_of_other_regions_and_models_are_others() -> None:
    other = replace(endpoint("a/priority", 9, model="a/n"), id="other")
    found = made(endpoint("a", 1), endpoint("a/eu", 2), endpoint("a/eu/priority", 4), other)
    assert found["a"].tier_pricing == {}
    assert list(found["a/eu"].tier_pricing) == ["priority"]
    assert found["other"].tier_pricing == {}


def test_an_endpoint_asks_for_its_own_tier_and_a_plain_one_beside_it_for_none() -> None:
    found = made(endpoint("a"), endpoint("a/fast"), endpoint("b"), endpoint("b/flex", dialect="converse"))
    assert found["a/fast"].quirks.set == {"service_tier": "priority"}
    assert found["a"].quirks.drop == ("service_tier",)
    assert found["b/flex"].quirks.set == {"serviceTier": {"type": "flex"}}


def test_what_has_no_tiers_stays_as_it_is_and_the_operators_word_wins() -> None:
    plain = endpoint("a")
    assert tiered([plain])[0] is plain
    own = Quirks(set={"service_tier": "on_demand_priority"})
    assert made(endpoint("b"), endpoint("b/priority", quirks=own))["b/priority"].quirks == own
    assert made(endpoint("c/priority", dialect="messages"))["c/priority"].quirks == Quirks()
