"""Where prompts may go, over the wire: regions, data policies, and what is told of moderation and of geography (contract 2.12, 3.12)."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from clients import Answer, call, get
from crossroads import ASKED as SHOWN
from crossroads import Stop, called, go, line, map_of
from gateway import Gateway
from heard import ASKED, PATHS

from trunkline.mock.script import Fault, Match, Rule, Script
from trunkline.mock.thread import MockServer

HOUSES = ("ash", "birch", "cedar")
RETAINS = "data_policy = { training = false, retention_days = 30 }"
KEEPS_NOTHING = "data_policy = { training = false, retention_days = 0, zdr = true }\nimplicit_caching = true"
MODELS = {
    "cross/places": (Stop(tag="ash"), Stop(tag="birch", keys='region = "eu"'), Stop(tag="cedar", keys='region = "us"')),
    "cross/abroad": (Stop(tag="ash"), Stop(tag="cedar", keys='region = "us"')),
    "cross/kept": (Stop(tag="ash"), Stop(tag="birch", keys=RETAINS), Stop(tag="cedar", keys=KEEPS_NOTHING)),
    "cross/unknown": (Stop(tag="ash"),),
    "cross/watched": (Stop(tag="ash"),),
    "cross/fenced": (Stop(tag="ash"), Stop(tag="birch")),
}
FLAGGED = {"error": {"code": 403, "message": "Input was flagged", "metadata": {"reasons": ["violence"], "flagged_input": "xy" * 300}}}
RULES = (
    Rule(match=Match(model="*|watched", contains="!named"), fault=Fault(kind="status", status=403, body=json.dumps(FLAGGED))),
    Rule(
        match=Match(model="*|watched", contains="!flag"),
        fault=Fault(kind="status", status=403, code="content_policy_violation", message="No"),
    ),
    Rule(
        match=Match(model="*|watched", contains="!policy"),
        fault=Fault(kind="status", status=400, code="content_policy_violation", message="No"),
    ),
    Rule(
        match=Match(model="*|fenced"),
        fault=Fault(
            kind="status", status=403, code="unsupported_country_region_territory", message="Country, region, or territory not supported"
        ),
    ),
)
EUROPE = {"Host": "eu.localhost:8787"}


@pytest.fixture(scope="module")
def upstream() -> Iterator[MockServer]:
    with MockServer(scene=Script(rules=RULES)) as server:
        yield server


@pytest.fixture(scope="module")
def gateway(upstream: MockServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    lines = [line(slug, *stops) for slug, stops in MODELS.items()]
    with Gateway(tmp_path_factory.mktemp("places"), map_of(upstream.url, lines, HOUSES)) as running:
        yield running
        assert not [text for text in running.log if "Traceback" in text], "".join(running.log)


def ask(gateway: Gateway, skin: str, model: str, *, headers: dict[str, str] | None = None, **fields: Any) -> Answer:
    body = json.dumps({**ASKED[skin], "model": model, **fields}).encode()
    return call(gateway, "POST", PATHS[skin], body, headers={**SHOWN, **(headers or {})})


def told(answer: Answer) -> dict[str, Any]:
    """`availability` of an error, wherever the dialect has it."""
    return dict(answer.json["error"]["availability"])


class TestRegions:
    """`eu.` and `us.` in front of the host."""

    @pytest.mark.parametrize(("host", "house", "region"), [("eu.localhost:8787", "Birch", "europe"), ("us.gateway.example", "Cedar", "us")])
    @pytest.mark.parametrize("skin", PATHS)
    def test_a_request_stays_in_the_region_of_its_host(self, gateway: Gateway, skin: str, host: str, house: str, region: str) -> None:
        answer = ask(gateway, skin, "cross/places", headers={"Host": host}, provider={"order": ["ash", "birch", "cedar"]})
        assert answer.status == 200, answer.body
        router = answer.json["openrouter_metadata"]
        assert (router["region"], [row["provider"] for row in router["endpoints"]["available"] if row["selected"]]) == (region, [house])
        left_out = {row["provider"]: (row["excluded_by"], row["rule"]) for row in router["endpoints"]["available"] if "rank" not in row}
        assert set(left_out) == {"Ash", "Birch", "Cedar"} - {house}
        assert set(left_out.values()) == {("data_region", "region")}
        record = get(gateway, f"/generation?id={answer.headers['x-generation-id']}").json["data"]
        assert (record["data_region"], record["provider_name"]) == (region, house)

    def test_without_such_a_host_it_may_go_anywhere(self, gateway: Gateway) -> None:
        way = go(gateway, "cross/places")
        assert set(way.order) == {"ash", "birch", "cedar"}
        record = get(gateway, f"/generation?id={way.answer.json['id']}").json["data"]
        assert record["data_region"] == "global"

    @pytest.mark.parametrize("stream", [False, True])
    @pytest.mark.parametrize("skin", PATHS)
    def test_where_nothing_is_in_the_region_nobody_is_asked(self, gateway: Gateway, upstream: MockServer, skin: str, stream: bool) -> None:
        answer = ask(gateway, skin, "cross/abroad", headers=EUROPE, stream=stream)
        assert answer.status == 403
        assert (told(answer)["code"], told(answer)["excluded_by"]) == ("region_restricted", ["data_region"])
        assert answer.json["openrouter_metadata"]["region"] == "europe"
        assert answer.json["openrouter_metadata"]["attempt"] == 0
        assert told(answer)["constraint"] == {"field": "host", "detail": "rules out all 2 endpoints"}
        assert "The name of the host keeps the request in a region" in answer.json["error"]["message"]
        assert called(upstream, "cross/abroad") == []

    def test_a_fallback_model_may_be_in_the_region(self, gateway: Gateway) -> None:
        answer = ask(gateway, "chat", "cross/abroad", headers=EUROPE, models=["cross/places"])
        assert (answer.json["model"], answer.json["provider"]) == ("cross/places", "Birch")

    def test_the_host_of_a_proxy_counts_too(self, gateway: Gateway) -> None:
        answer = ask(gateway, "chat", "cross/places", headers={"X-Forwarded-Host": "eu.gateway.example"})
        assert answer.json["provider"] == "Birch"

    def test_plans_and_counts_stay_there_too(self, gateway: Gateway) -> None:
        body = json.dumps({**ASKED["messages"], "model": "cross/abroad"}).encode()
        plan = call(gateway, "POST", "/api/v1/route", body, headers=EUROPE).json["data"]
        assert (plan["endpoints"], plan["error"]["availability"]["code"]) == ([], "region_restricted")
        assert call(gateway, "POST", "/api/v1/messages/count_tokens", body, headers=EUROPE).status == 403

    def test_lists_show_what_is_there(self, gateway: Gateway) -> None:
        listed = [model["id"] for model in get(gateway, "/models/user?q=cross", headers=EUROPE).json["data"]]
        assert listed == [model["id"] for model in get(gateway, "/models?region=eu&q=cross").json["data"]] == ["cross/places"]
        endpoints = get(gateway, "/models/cross/places/endpoints", headers=EUROPE).json["data"]["endpoints"]
        assert [one["tag"] for one in endpoints] == ["birch"]
        assert get(gateway, "/key").json["data"]["allowed_data_regions"] == ["global", "europe", "us"]

    def test_a_kept_answer_from_elsewhere_is_none_for_a_region(self, gateway: Gateway) -> None:
        keep = {"X-OpenRouter-Cache": "true"}
        first = ask(gateway, "chat", "cross/places", headers=keep, provider={"only": ["ash", "birch"], "order": ["ash"]})
        assert (first.json["provider"], first.headers["x-openrouter-cache-status"]) == ("Ash", "MISS")
        second = ask(gateway, "chat", "cross/places", headers={**keep, **EUROPE}, provider={"only": ["ash", "birch"], "order": ["ash"]})
        assert (second.json["provider"], second.headers["x-openrouter-cache-status"]) == ("Birch", "MISS")


class TestDataPolicies:
    """What nobody states is that everything is kept and trained on; a prompt cache in memory keeps nothing."""

    @pytest.mark.parametrize(
        ("wish", "left"),
        [
            ({"data_collection": "deny"}, {"birch", "cedar"}),
            ({"zdr": True}, {"cedar"}),
            ({"data_collection": "allow", "zdr": False}, set(HOUSES)),
        ],
    )
    def test_endpoints_are_kept_by_what_they_promise(self, gateway: Gateway, wish: dict[str, object], left: set[str]) -> None:
        assert set(go(gateway, "cross/kept", wish).order) == left

    @pytest.mark.parametrize(
        ("wish", "reasons"),
        [
            ({"data_collection": "deny"}, ["data_policy:training"]),
            ({"zdr": True}, ["data_policy:zdr"]),
            ({"zdr": True, "data_collection": "deny"}, ["data_policy:zdr"]),
        ],
    )
    @pytest.mark.parametrize("skin", PATHS)
    def test_where_no_endpoint_promises_it_nobody_is_asked(
        self, gateway: Gateway, upstream: MockServer, skin: str, wish: dict[str, object], reasons: list[str]
    ) -> None:
        answer = ask(gateway, skin, "cross/unknown", provider=wish)
        assert answer.status == 404
        assert (told(answer)["code"], told(answer)["excluded_by"]) == ("privacy_restricted", reasons)
        assert told(answer)["affected_providers"] == ["Ash"]
        assert called(upstream, "cross/unknown") == []

    def test_several_policies_are_told_together(self, gateway: Gateway) -> None:
        answer = ask(gateway, "chat", "cross/kept", provider={"zdr": True, "data_collection": "deny", "ignore": ["cedar"]})
        assert told(answer)["excluded_by"] == ["allowed_providers", "data_policy:zdr"]


class TestModeration:
    """What a provider's moderation says reaches the caller."""

    @pytest.mark.parametrize("stream", [False, True])
    @pytest.mark.parametrize("skin", PATHS)
    def test_flagged_input_is_a_403_with_what_was_found(self, gateway: Gateway, skin: str, stream: bool) -> None:
        for text, reasons, begins in (("!named", ["violence"], "xyxy"), (f"{'a' * 80}!flag{'b' * 80}", [], "aaaa")):
            fields = {"input": text} if skin == "responses" else {"messages": [{"role": "user", "content": text}]}
            answer = ask(gateway, skin, "cross/watched", stream=stream, **fields)
            assert answer.status == 403, answer.body
            metadata = answer.json["metadata"] if skin == "messages" else answer.json["error"]["metadata"]
            assert (metadata["reasons"], metadata["provider_name"], metadata["model_slug"]) == (reasons, "Ash", "cross/watched")
            assert len(metadata["flagged_input"]) == 100
            assert metadata["flagged_input"].startswith(begins)
            assert "..." in metadata["flagged_input"]

    @pytest.mark.parametrize("skin", PATHS)
    def test_a_violated_policy_is_a_400(self, gateway: Gateway, skin: str) -> None:
        fields = {"input": "!policy"} if skin == "responses" else {"messages": [{"role": "user", "content": "!policy"}]}
        answer = ask(gateway, skin, "cross/watched", **fields)
        assert (answer.status, answer.json.get("error_type") or answer.json["error"].get("error_type", "content_policy_violation")) == (
            400,
            "content_policy_violation",
        )

    @pytest.mark.parametrize("entry", [{"id": "moderation"}, {"id": "moderation", "enabled": False}, {"id": "moderation", "enabled": True}])
    @pytest.mark.parametrize("skin", PATHS)
    def test_the_plugin_is_taken_and_does_nothing(self, gateway: Gateway, skin: str, entry: dict[str, object]) -> None:
        assert ask(gateway, skin, "cross/places", plugins=[entry]).status == 200


@pytest.mark.parametrize("skin", PATHS)
def test_a_provider_that_does_not_serve_this_country_is_told_as_geography(gateway: Gateway, skin: str) -> None:
    answer = ask(gateway, skin, "cross/fenced")
    assert answer.status == 403
    assert (told(answer)["code"], told(answer)["excluded_by"]) == ("region_restricted", ["geo"])
    assert told(answer)["affected_providers"] == ["Ash", "Birch"]
