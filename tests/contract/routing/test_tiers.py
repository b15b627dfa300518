"""Service tiers over the wire: each row of contract 3.9, what is charged, and what is told in each dialect."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from clients import call, get
from crossroads import Stop, called, failing, go, line, map_of
from gateway import Gateway
from heard import ASKED, PATHS

from trunkline.mock.script import Answer as Said
from trunkline.mock.script import Fault, Match, Rule, Script
from trunkline.mock.thread import MockServer

HOUSES = ("birch", "cedar")
TIERED = (Stop(tag="birch", prompt=2, completion=2), Stop(tag="birch/priority", prompt=9, completion=9))
FLEXIBLE = (*TIERED, Stop(tag="birch/flex", prompt=0.5, completion=0.5), Stop(tag="cedar"))
MODELS = {
    **{f"cross/tiers-{name}": FLEXIBLE for name in ("calm", "priority", "flex", "bill")},
    "cross/plain": (Stop(tag="birch", prompt=2), Stop(tag="cedar")),
    "birch/tall": (Stop(tag="birch"), Stop(tag="cedar")),
    "birch/tall-fast": (Stop(tag="birch", prompt=6, completion=6), Stop(tag="cedar")),
}
CALM, PRIORITY, FLEX, BILL = (f"cross/tiers-{name}" for name in ("calm", "priority", "flex", "bill"))
PRICES = {"birch": 2, "birch/priority": 9, "birch/flex": 0.5, "cedar": 1}
RULES = (
    *failing(("birch/priority", "birch/flex"), Fault(kind="status", status=503)),
    Rule(match=Match(model="birch/priority|*", contains="!downgrade"), answer=Said(extra={"service_tier": "default"})),
    Rule(match=Match(model="birch/priority|*"), answer=Said(extra={"service_tier": "priority"})),
    Rule(match=Match(model="birch/flex|*"), answer=Said(extra={"service_tier": "flex"})),
    Rule(match=Match(model="birch|*", contains="!upgrade"), answer=Said(extra={"service_tier": "priority"})),
    Rule(match=Match(model="birch|*"), answer=Said(extra={"service_tier": "default"})),
)


@pytest.fixture(scope="module")
def upstream() -> Iterator[MockServer]:
    with MockServer(scene=Script(rules=RULES)) as server:
        yield server


@pytest.fixture(scope="module")
def gateway(upstream: MockServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    keys = {"birch/tall": 'fast = "birch/tall-fast"\n'}
    lines = [line(slug, *stops, keys=keys.get(slug, "")) for slug, stops in MODELS.items()]
    with Gateway(tmp_path_factory.mktemp("tiers"), map_of(upstream.url, lines, HOUSES)) as running:
        yield running
        assert not [text for text in running.log if "Traceback" in text], "".join(running.log)


def sent_tiers(upstream: MockServer, model: str) -> list[tuple[str, Any]]:
    """What each endpoint of a model was asked for, in order."""
    name = model.partition("/")[2]
    found = [(seen.model.partition("|"), seen.body) for seen in upstream.seen()]
    return [(tag, json.loads(bytes(body)).get("service_tier")) for (tag, _, of), body in found if of == name and not isinstance(body, str)]


def charged(usage: Any) -> float:
    """USD for a million tokens, by what a request was charged."""
    return round(usage["cost"] / (usage["prompt_tokens"] + usage["completion_tokens"]) * 1e6, 6)


def test_without_a_wish_no_tier_serves(gateway: Gateway) -> None:
    for wish in ({}, {"service_tier": "auto"}, {"service_tier": "default"}):
        way = go(gateway, CALM, **wish)
        assert set(way.order) == {"birch", "cedar"}
        assert way.out["birch/priority"] == way.out["birch/flex"] == ("allowed_providers", "service_tier")


@pytest.mark.parametrize("wish", [{"service_tier": "priority"}, {"service_tier": "fast"}, {"speed": "fast"}])
def test_priority_goes_first_and_others_are_its_fallbacks(gateway: Gateway, wish: dict[str, str]) -> None:
    way = go(gateway, CALM, **wish)
    assert (way.order[0], way.served, set(way.order)) == ("birch/priority", "birch/priority", {"birch/priority", "birch", "cedar"})
    assert way.answer.json["service_tier"] == "priority"
    assert charged(way.answer.json["usage"]) == PRICES["birch/priority"]


def test_a_fallback_is_neither_asked_for_the_tier_nor_charged_for_it(gateway: Gateway, upstream: MockServer) -> None:
    way = go(gateway, PRIORITY, {"ignore": ["cedar"]}, text="!birch/priority", service_tier="priority")
    assert (way.served, way.answer.json["service_tier"]) == ("birch", "default")
    assert charged(way.answer.json["usage"]) == PRICES["birch"]
    assert sent_tiers(upstream, PRIORITY) == [("birch/priority", "priority"), ("birch", None)]


def test_flex_is_flex_alone_and_has_no_fallback(gateway: Gateway, upstream: MockServer) -> None:
    way = go(gateway, FLEX, service_tier="flex")
    assert (way.order, way.served, way.answer.json["service_tier"]) == (("birch/flex",), "birch/flex", "flex")
    assert charged(way.answer.json["usage"]) == PRICES["birch/flex"]
    before = len(called(upstream, FLEX))
    failed = go(gateway, FLEX, text="!birch/flex", service_tier="flex").answer
    assert failed.status == 503
    assert set(called(upstream, FLEX)[before:]) == {"birch/flex"}


def test_flex_without_a_flex_endpoint_is_normal_routing(gateway: Gateway) -> None:
    assert set(go(gateway, "cross/plain", service_tier="flex").order) == {"birch", "cedar"}


def test_only_a_tiers_slug_is_that_one(gateway: Gateway, upstream: MockServer) -> None:
    way = go(gateway, BILL, {"only": ["birch/priority"]})
    assert (way.order, way.answer.json["service_tier"]) == (("birch/priority",), "priority")
    assert sent_tiers(upstream, BILL)[-1] == ("birch/priority", "priority")
    assert set(go(gateway, CALM, {"only": ["birch/flex", "cedar"]}).order) == {"birch/flex", "cedar"}


def test_order_with_a_tiers_slug_lists_that_one_first(gateway: Gateway) -> None:
    assert go(gateway, CALM, {"order": ["birch/priority", "cedar"]}).order == ("birch/priority", "cedar", "birch")


def test_nitro_and_floor_admit_a_tier_each(gateway: Gateway) -> None:
    assert set(go(gateway, f"{CALM}:nitro").order) == {"birch/priority", "birch", "cedar"}
    assert go(gateway, f"{CALM}:floor").order == ("birch/flex", "cedar", "birch")
    for cancelled in ({"service_tier": "default"}, {"provider": {"order": ["cedar"]}}):
        assert set(go(gateway, f"{CALM}:floor", **cancelled).order) == {"birch", "cedar"}


def test_sort_leaves_the_pool_as_it_is(gateway: Gateway) -> None:
    assert go(gateway, CALM, {"sort": "price"}).order == ("cedar", "birch")


@pytest.mark.parametrize(
    ("text", "only", "told", "price"),
    [("!downgrade", "birch/priority", "default", "birch"), ("!upgrade", "birch", "priority", "birch/priority")],
)
def test_what_the_provider_says_it_served_is_charged(gateway: Gateway, text: str, only: str, told: str, price: str) -> None:
    answer = go(gateway, BILL, {"order": [only], "allow_fallbacks": False}, text=text).answer
    assert answer.json["service_tier"] == told
    assert charged(answer.json["usage"]) == PRICES[price]
    record = get(gateway, f"/generation?id={answer.json['id']}").json["data"]
    assert record["service_tier"] == told
    assert record["usage"] == pytest.approx(answer.json["usage"]["cost"])


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("skin", PATHS)
def test_the_tier_that_served_is_told_in_each_dialect(gateway: Gateway, skin: str, stream: bool) -> None:
    found = []
    for wish in ("priority", "flex", "default"):
        body = {**ASKED[skin], "model": CALM, "stream": stream, "service_tier": wish, "provider": {"ignore": ["cedar"]}}
        answer = call(gateway, "POST", PATHS[skin], json.dumps(body).encode())
        assert answer.status == 200, answer.body
        documents = answer.events if stream else [answer.json]
        found.append(_told(skin, documents))
    assert found == ["priority", "flex", "standard" if skin == "messages" else "default"]


def _told(skin: str, documents: list[Any]) -> Any:
    if skin == "messages":
        return [document["usage"]["service_tier"] for document in documents if "service_tier" in (document.get("usage") or {})][-1]
    return [tier for document in documents if (tier := (document.get("response") or document).get("service_tier")) is not None][-1]


def test_tiers_are_endpoints_with_prices_of_their_own(gateway: Gateway) -> None:
    endpoints = get(gateway, f"/models/{CALM}/endpoints").json["data"]["endpoints"]
    assert {one["tag"]: (one["service_tier"], float(one["pricing"]["prompt"]) * 1e6) for one in endpoints} == {
        "birch": (None, 2.0),
        "birch/priority": ("priority", 9.0),
        "birch/flex": ("flex", 0.5),
        "cedar": (None, 1.0),
    }


@pytest.mark.parametrize("wish", [{"service_tier": "fast"}, {"speed": "fast"}, {"speed": "fast", "service_tier": "default"}])
def test_a_faster_listing_serves_at_its_author_alone(gateway: Gateway, wish: dict[str, str]) -> None:
    way = go(gateway, "birch/tall", **wish)
    assert (way.answer.json["model"], way.answer.json["provider"]) == ("birch/tall-fast", "Birch")
    assert charged(way.answer.json["usage"]) == 6
    assert way.order[0] == "birch"
    assert len(way.order) == 3


@pytest.mark.parametrize("wish", [{}, {"service_tier": "flex"}, {"speed": "standard", "service_tier": "priority"}])
def test_a_faster_listing_is_not_for_others(gateway: Gateway, wish: dict[str, str]) -> None:
    assert go(gateway, "birch/tall", **wish).answer.json["model"] == "birch/tall"
