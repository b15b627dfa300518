"""Every preference of the `provider` object over the wire (contract 3.1, 3.2, 9.1 "Provider Routing")."""

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from clients import call, until
from crossroads import Stop, Way, called, failing, go, line, map_of, upstream_name
from gateway import Gateway
from heard import ASKED as SMALL
from heard import PATHS

from trunkline.mock.script import Answer, Fault, Match, Pace, Rule, Script, Tokens
from trunkline.mock.thread import MockServer

HOUSES = ("ash", "birch", "cedar", "vertex", "oak", "elm")
FAILURE = Fault(kind="status", status=500, message="out of order")
KEPT = "data_policy = { training = true, retention_days = 30 }"
UNTRAINED = "data_policy = { training = false, retention_days = 30 }"
ZDR = "data_policy = { training = false, retention_days = 0, zdr = true }"
SLOW_S = 3.0
WEIGHED = 100
ROUNDS = 4
MEASURED = 9
QUICK = Answer(text="b", tokens=Tokens(completion=1000))


def knows(*names: str) -> str:
    return f"supported_parameters = {json.dumps(names)}"


def limits(**prices: float) -> str:
    return ", ".join(f'{name} = "{price:.12f}"' for name, price in prices.items())


MODELS = {
    "cross/weights": (Stop(tag="ash", prompt=0.5, completion=0.5), Stop(tag="birch"), Stop(tag="cedar", prompt=1.5, completion=1.5)),
    "cross/failing": (Stop(tag="ash", prompt=0.5, completion=0.5), Stop(tag="birch"), Stop(tag="cedar", prompt=1.5, completion=1.5)),
    "cross/only": (Stop(tag="ash"), Stop(tag="birch", prompt=2)),
    "cross/slugs": (
        *(Stop(tag=tag, prompt=at + 1) for at, tag in enumerate(("vertex/us-east5", "vertex/europe-west1", "oak", "oak/turbo"))),
        *(Stop(tag=tag, prompt=at + 9) for at, tag in enumerate(("oak/priority", "elm/flex", "elm"))),
    ),
    "cross/order": tuple(Stop(tag=tag, prompt=at + 1) for at, tag in enumerate(("ash", "birch", "cedar", "oak"))),
    "cross/alone": (Stop(tag="ash"), Stop(tag="birch", prompt=2), Stop(tag="cedar", prompt=3)),
    "cross/listed": (Stop(tag="ash"), Stop(tag="birch", prompt=2), Stop(tag="cedar", prompt=3)),
    "cross/speed": (Stop(tag="ash"), Stop(tag="birch", prompt=2), Stop(tag="cedar", prompt=3)),
    "cross/priced": (
        Stop(tag="ash", prompt=1, completion=2),
        Stop(tag="birch", prompt=1.000001, completion=2),
        Stop(tag="cedar", prompt=1, completion=2.000001),
        Stop(tag="vertex", prompt=0.5, completion=0.5, prices=limits(request=0.01)),
        Stop(tag="oak", prompt=0.5, completion=0.5, prices=limits(image=0.02)),
        Stop(tag="elm", prompt=0.5, completion=0.5, prices=limits(audio=0.00003)),
    ),
    "cross/policy": (Stop(tag="ash", keys=KEPT), Stop(tag="birch", prompt=2, keys=UNTRAINED), Stop(tag="cedar", prompt=3, keys=ZDR)),
    "cross/closed": (Stop(tag="ash", keys=KEPT),),
    "cross/bits": tuple(
        Stop(tag=f"oak/{bits}", keys=f'quantization = "{bits}"') for bits in ("fp4", "nvfp4", "mxfp4", "fp8", "mxfp8", "bf16", "unknown")
    ),
    "cross/able": (
        Stop(tag="ash", keys=knows("temperature", "max_tokens")),
        Stop(tag="birch", prompt=2, keys=knows("temperature", "tools", "tool_choice", "response_format", "structured_outputs")),
        Stop(tag="cedar", prompt=3, keys=knows("temperature", "verbosity")),
    ),
    "cross/unable": (Stop(tag="ash", keys=knows("temperature")),),
    "cross/long": (Stop(tag="ash", keys="max_completion_tokens = 100"), Stop(tag="birch", prompt=2, keys="max_completion_tokens = 1000")),
    "cross/teacher": (Stop(tag="ash"),),
    "cross/pupil": (Stop(tag="ash"),),
    "cross/cheap-b": (Stop(tag="ash", prompt=1), Stop(tag="birch", prompt=9)),
    "cross/dear-a": (Stop(tag="ash", prompt=5), Stop(tag="birch", prompt=7)),
    "cross/any": (Stop(tag="ash"), Stop(tag="birch", prompt=2)),
}
KEYS = {"cross/teacher": "distillable = true\n", "cross/priced": 'input_modalities = ["text", "image", "audio"]\n'}

RULES = (
    *failing(HOUSES, FAILURE),
    Rule(
        match=Match(model=upstream_name("cross/speed", "ash")),
        pace=Pace(first_ms=SLOW_S * 1000),
        answer=Answer(text="a", tokens=Tokens(completion=3)),
    ),
    Rule(match=Match(model=upstream_name("cross/speed", "cedar")), every=3, pace=Pace(first_ms=SLOW_S * 1000), answer=QUICK),
    Rule(match=Match(model="*|speed"), answer=QUICK),
)


@pytest.fixture(scope="module")
def upstream() -> Iterator[MockServer]:
    with MockServer(scene=Script(rules=RULES)) as server:
        yield server


@pytest.fixture(scope="module")
def gateway(upstream: MockServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    lines = [line(slug, *stops, keys=KEYS.get(slug, "")) for slug, stops in MODELS.items()]
    with Gateway(tmp_path_factory.mktemp("preferences"), map_of(upstream.url, lines, HOUSES)) as running:
        yield running
        assert not [text for text in running.log if "Traceback" in text], "".join(running.log)


def many(gateway: Gateway, model: str, count: int, provider: object = None, **fields: Any) -> list[Way]:
    """So many requests, some at a time."""
    with ThreadPoolExecutor(8) as threads:
        return list(threads.map(lambda _: go(gateway, model, provider, **fields), range(count)))


class TestTheDefault:
    def test_a_third_of_the_price_is_nine_times_as_likely(self, gateway: Gateway) -> None:
        """$1 healthy, $2 with a recent outage, $3 healthy. The bounds are more than five standard deviations away."""
        seen: Counter[str] = Counter()
        for _ in range(ROUNDS):
            go(gateway, "cross/weights", {"order": ["birch"]}, "!birch")
            seen += Counter(way.served for way in many(gateway, "cross/weights", WEIGHED))
        assert seen["birch"] == 0
        assert seen["ash"] + seen["cedar"] == ROUNDS * WEIGHED
        assert 8 <= seen["cedar"] <= 75, seen

    def test_when_the_first_fails_the_one_with_the_outage_is_last(self, gateway: Gateway, upstream: MockServer) -> None:
        go(gateway, "cross/failing", {"order": ["birch"]}, "!birch")
        before = len(called(upstream, "cross/failing"))
        way = go(gateway, "cross/failing", None, "!ash !cedar")
        tried = called(upstream, "cross/failing")[before:]
        assert (set(tried[:2]), tried[2:], way.served) == ({"ash", "cedar"}, ["birch"], "birch")
        assert way.notes["birch"] == ("outage",)


class TestOrder:
    def test_the_listed_come_first_then_the_rest_by_price(self, gateway: Gateway) -> None:
        way = go(gateway, "cross/order", {"order": ["cedar", "nobody", "BIRCH"]})
        assert (way.order, way.served) == (("cedar", "birch", "ash", "oak"), "cedar")

    def test_there_is_no_draw(self, gateway: Gateway) -> None:
        assert {way.served for way in many(gateway, "cross/order", 30, {"order": ["oak"]})} == {"oak"}

    def test_a_conversation_does_not_stick_under_an_order(self, gateway: Gateway) -> None:
        assert go(gateway, "cross/order", {"order": ["oak"]}, session_id="talk").served == "oak"
        assert go(gateway, "cross/order", {"order": ["birch"]}, session_id="talk").served == "birch"

    def test_an_empty_order_is_none(self, gateway: Gateway) -> None:
        assert len(go(gateway, "cross/order", {"order": [], "ignore": []}).order) == 4

    def test_without_fallbacks_only_the_listed_are_tried(self, gateway: Gateway, upstream: MockServer) -> None:
        wish = {"order": ["cedar", "ash"], "allow_fallbacks": False}
        way = go(gateway, "cross/listed", wish, "!cedar !ash")
        assert set(called(upstream, "cross/listed")) == {"cedar", "ash"}
        assert way.answer.status == 503
        assert way.out == {"birch": ("allowed_providers", "order")}

    def test_without_fallbacks_the_first_error_is_told(self, gateway: Gateway, upstream: MockServer) -> None:
        way = go(gateway, "cross/alone", {"sort": "price", "allow_fallbacks": False}, "!ash")
        assert set(called(upstream, "cross/alone")) == {"ash"}
        assert way.answer.status == 503, way.answer.body
        assert "out of order" in way.answer.error["message"]
        assert way.out == dict.fromkeys(("birch", "cedar"), ("allowed_providers", "allow_fallbacks"))

    def test_an_order_of_strangers_without_fallbacks_is_a_404(self, gateway: Gateway) -> None:
        way = go(gateway, "cross/order", {"order": ["nobody"], "allow_fallbacks": False})
        assert (way.answer.status, way.answer.error["availability"]["excluded_by"]) == (404, ["allowed_providers"])


class TestSlugs:
    @pytest.mark.parametrize(
        ("slugs", "matched"),
        [
            (["vertex"], {"vertex/us-east5", "vertex/europe-west1"}),
            (["vertex/us-east5"], {"vertex/us-east5"}),
            (["Vertex/US-East5"], {"vertex/us-east5"}),
            (["oak"], {"oak", "oak/turbo"}),
            (["oak/turbo"], {"oak/turbo"}),
            (["oak/priority"], {"oak/priority"}),
            (["elm"], {"elm"}),
            (["elm/flex"], {"elm/flex"}),
            (["vertex/us-east5", "oak/turbo", "nobody"], {"vertex/us-east5", "oak/turbo"}),
        ],
    )
    def test_only(self, gateway: Gateway, slugs: list[str], matched: set[str]) -> None:
        way = go(gateway, "cross/slugs", {"only": slugs})
        assert set(way.order) == matched
        assert way.served in matched

    @pytest.mark.parametrize(
        ("slugs", "left"),
        [
            (["vertex"], {"oak", "oak/turbo", "elm"}),
            (["vertex/us-east5"], {"vertex/europe-west1", "oak", "oak/turbo", "elm"}),
            (["oak", "vertex"], {"elm"}),
            (["oak/turbo", "elm"], {"vertex/us-east5", "vertex/europe-west1", "oak"}),
        ],
    )
    def test_ignore(self, gateway: Gateway, slugs: list[str], left: set[str]) -> None:
        way = go(gateway, "cross/slugs", {"ignore": slugs})
        assert set(way.order) == left
        assert way.served in left

    @pytest.mark.parametrize(
        ("slugs", "first"),
        [
            (["vertex"], ("vertex/us-east5", "vertex/europe-west1", "oak")),
            (["vertex/europe-west1"], ("vertex/europe-west1", "vertex/us-east5", "oak")),
            (["oak/turbo", "oak"], ("oak/turbo", "oak", "vertex/us-east5")),
            (["elm", "oak"], ("elm", "oak", "oak/turbo")),
            (["oak/priority", "elm"], ("oak/priority", "elm", "vertex/us-east5")),
        ],
    )
    def test_order(self, gateway: Gateway, slugs: list[str], first: tuple[str, ...]) -> None:
        assert go(gateway, "cross/slugs", {"order": slugs}).order[:3] == first

    def test_what_is_ignored_is_not_allowed_again(self, gateway: Gateway) -> None:
        way = go(gateway, "cross/slugs", {"only": ["oak", "elm"], "ignore": ["oak"], "order": ["oak"]})
        assert (way.order, way.served) == (("elm",), "elm")

    @pytest.mark.parametrize("skin", PATHS)
    @pytest.mark.parametrize("streamed", [False, True])
    def test_only_a_provider_that_does_not_serve_the_model(self, gateway: Gateway, upstream: MockServer, skin: str, streamed: bool) -> None:
        """The sample of the documentation: 404, the message names those that serve it and those that are permitted."""
        way = go(gateway, "cross/only", {"only": ["cedar"]}, path=PATHS[skin], stream=streamed, **SMALL[skin])
        assert (way.answer.status, way.order, way.served) == (404, (), "")
        error = way.answer.json["error"]
        assert all(word in error["message"] for word in ("ash", "birch", "cedar"))
        availability = error["availability"]
        assert (availability["code"], availability["excluded_by"]) == ("constraint_filtered", ["allowed_providers"])
        assert availability["requested_models"] == ["cross/only"]
        told = way.answer.json["openrouter_metadata"]
        assert (told["attempt"], told["endpoints"]["total"]) == (0, 2)
        assert [row["selected"] for row in told["endpoints"]["available"]] == [False, False]
        assert called(upstream, "cross/only") == []


class TestSort:
    def test_by_price(self, gateway: Gateway) -> None:
        assert {way.order for way in many(gateway, "cross/order", 20, {"sort": "price"})} == {("ash", "birch", "cedar", "oak")}

    def test_models_stay_apart_unless_the_partition_is_none(self, gateway: Gateway) -> None:
        fields: dict[str, Any] = {"models": ["cross/dear-a", "cross/cheap-b"]}

        def prices(provider: object, **more: Any) -> list[str]:
            way = go(gateway, "cross/dear-a", provider, **fields, **more)
            rows = way.answer.json["openrouter_metadata"]["endpoints"]["available"]
            return [row["model"].partition("/")[2] for row in sorted(rows, key=lambda row: row["rank"])]

        apart = ["dear-a", "dear-a", "cheap-b", "cheap-b"]
        mixed = ["cheap-b", "dear-a", "dear-a", "cheap-b"]
        assert (
            prices({"sort": "price"})
            == prices({"sort": {"by": "price"}})
            == prices({"sort": {"by": "price", "partition": "model"}})
            == apart
        )
        assert prices({"sort": {"by": "price", "partition": "none"}}) == mixed
        assert prices({"sort": "price"}, route="sort") == mixed
        assert prices({"sort": "price"}, route="fallback") == apart


@pytest.fixture(scope="module")
def measured(gateway: Gateway) -> Gateway:
    """A gateway that has measured the endpoints of cross/speed: ash is slow, birch quick, cedar quick two times in three."""
    for house in ("ash", "birch", "cedar"):
        many(gateway, "cross/speed", MEASURED, {"order": [house]}, stream=True)

    def known() -> bool:
        rows = go(gateway, "cross/speed", {"order": ["birch"]}).answer.json["openrouter_metadata"]["endpoints"]["available"]
        return all("latency" in row and "throughput" in row for row in rows)

    until(known)
    return gateway


class TestMeasured:
    """Preferences and sorts by what was measured here. A slow answer takes three seconds; half of that is the border."""

    BORDER = SLOW_S * 0.8

    @pytest.mark.parametrize("sort", ["throughput", "latency"])
    def test_sort(self, measured: Gateway, sort: str) -> None:
        order = go(measured, "cross/speed", {"sort": sort}).order
        assert order.index("ash") == 2

    @pytest.mark.parametrize(
        ("wish", "missing"),
        [
            ({"preferred_max_latency": BORDER}, {"ash"}),
            ({"preferred_max_latency": {"p50": BORDER}}, {"ash"}),
            ({"preferred_max_latency": {"p50": BORDER, "p90": BORDER}}, {"ash", "cedar"}),
            ({"preferred_max_latency": {"p90": BORDER}}, {"ash", "cedar"}),
            ({"preferred_max_latency": {"p90": 100, "p99": 100}}, set()),
            ({"preferred_min_throughput": 50}, {"ash"}),
            ({"preferred_min_throughput": {"p50": 20, "p75": 20}}, {"ash"}),
            ({"preferred_min_throughput": {"p90": 1e9}}, {"ash", "birch", "cedar"}),
            ({"preferred_min_throughput": 50, "preferred_max_latency": {"p90": BORDER}}, {"ash", "cedar"}),
        ],
    )
    @pytest.mark.parametrize("partition", ["model", "none"])
    def test_what_misses_a_cut_off_moves_to_the_end_and_stays(
        self, measured: Gateway, wish: dict[str, Any], missing: set[str], partition: str
    ) -> None:
        way = go(measured, "cross/speed", {**wish, "sort": {"by": "price", "partition": partition}})
        by_price = ("ash", "birch", "cedar")
        assert way.order == (*(tag for tag in by_price if tag not in missing), *(tag for tag in by_price if tag in missing))
        assert {tag for tag, notes in way.notes.items() if "misses_preferred" in notes} == missing
        assert way.out == {}


class TestCeilings:
    @pytest.mark.parametrize(
        ("ceiling", "out"),
        [
            ({"prompt": 1, "completion": 2}, {"birch", "cedar"}),
            ({"prompt": "1", "completion": "2"}, {"birch", "cedar"}),
            ({"prompt": 1.000001, "completion": 2.000001}, set()),
            ({"request": 0.0099}, {"vertex"}),
            ({"request": "0.01"}, set()),
            ({"image": 0.0199}, {"oak"}),
            ({"image": 0.02}, set()),
            ({"audio": 0.00002}, {"elm"}),
            ({"audio": "0.00003"}, set()),
            ({"request": 0, "image": 0, "audio": 0}, {"vertex", "oak", "elm"}),
            ({"prompt": 0.5, "completion": 0.5, "request": 0}, {"ash", "birch", "cedar", "vertex"}),
        ],
    )
    def test_a_ceiling_is_hard(self, gateway: Gateway, ceiling: dict[str, Any], out: set[str]) -> None:
        way = go(gateway, "cross/priced", {"max_price": ceiling})
        assert way.out == dict.fromkeys(out, ("max_price", "max_price"))
        assert way.served not in out

    def test_nothing_left_is_a_404(self, gateway: Gateway) -> None:
        way = go(gateway, "cross/priced", {"max_price": {"prompt": 0.1}})
        availability = way.answer.error["availability"]
        assert (way.answer.status, availability["code"], availability["excluded_by"]) == (404, "constraint_filtered", ["max_price"])
        assert availability["constraint"]["field"] == "provider.max_price"


class TestPolicies:
    @pytest.mark.parametrize(
        ("wish", "left"),
        [
            ({}, {"ash", "birch", "cedar"}),
            ({"data_collection": "allow", "zdr": False}, {"ash", "birch", "cedar"}),
            ({"data_collection": "deny"}, {"birch", "cedar"}),
            ({"zdr": True}, {"cedar"}),
            ({"zdr": True, "data_collection": "allow"}, {"cedar"}),
        ],
    )
    def test_endpoints_with_the_policy(self, gateway: Gateway, wish: dict[str, Any], left: set[str]) -> None:
        way = go(gateway, "cross/policy", wish)
        assert set(way.order) == left
        assert way.served in left

    @pytest.mark.parametrize(("wish", "word"), [({"zdr": True}, "zdr"), ({"data_collection": "deny"}, "training")])
    @pytest.mark.parametrize("skin", PATHS)
    def test_nothing_left_is_told_as_privacy(self, gateway: Gateway, skin: str, wish: dict[str, Any], word: str) -> None:
        way = go(gateway, "cross/closed", wish, path=PATHS[skin], **SMALL[skin])
        availability = way.answer.json["error"]["availability"]
        assert (way.answer.status, availability["code"]) == (404, "privacy_restricted")
        assert availability["excluded_by"] == [f"data_policy:{word}"]

    def test_models_whose_authors_allow_distillation(self, gateway: Gateway) -> None:
        wish = {"enforce_distillable_text": True}
        assert go(gateway, "cross/teacher", wish).served == "ash"
        assert go(gateway, "cross/pupil", wish).answer.status == 404
        way = go(gateway, "cross/pupil", wish, models=["cross/teacher"])
        assert way.answer.json["model"] == "cross/teacher"


class TestAbilities:
    TOOL = {"type": "function", "function": {"name": "clock", "parameters": {"type": "object", "properties": {}}}}
    SCHEMA = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}}

    @pytest.mark.parametrize(
        ("wanted", "left"),
        [
            (["fp4"], {"fp4", "nvfp4", "mxfp4"}),
            (["nvfp4"], {"nvfp4"}),
            (["fp8", "bf16"], {"fp8", "mxfp8", "bf16"}),
            (["mxfp8", "mxfp8"], {"mxfp8"}),
            (["unknown"], {"unknown"}),
        ],
    )
    def test_quantizations(self, gateway: Gateway, wanted: list[str], left: set[str]) -> None:
        assert set(go(gateway, "cross/bits", {"quantizations": wanted}).order) == {f"oak/{bits}" for bits in left}

    def test_a_quantization_that_nobody_has_is_a_404(self, gateway: Gateway) -> None:
        way = go(gateway, "cross/bits", {"quantizations": ["int4"]})
        assert (way.answer.status, way.answer.error["availability"]["excluded_by"]) == (404, ["quantization"])

    @pytest.mark.parametrize(
        ("fields", "left"),
        [
            ({"temperature": 0.5}, {"ash", "birch", "cedar"}),
            ({"temperature": 0.5, "tools": [TOOL]}, {"birch"}),
            ({"max_tokens": 5}, {"ash"}),
            ({"response_format": SCHEMA}, {"birch"}),
        ],
    )
    def test_required_parameters(self, gateway: Gateway, fields: dict[str, Any], left: set[str]) -> None:
        way = go(gateway, "cross/able", {"require_parameters": True}, **fields)
        assert set(way.order) == left
        assert all(why == ("require_parameters", "require_parameters") for why in way.out.values())

    def test_required_parameters_that_nobody_has_are_a_404(self, gateway: Gateway) -> None:
        way = go(gateway, "cross/able", {"require_parameters": True}, seed=1)
        assert (way.answer.status, way.answer.error["availability"]["excluded_by"]) == (404, ["require_parameters"])

    @pytest.mark.parametrize(
        ("fields", "left"),
        [
            ({"tools": [TOOL]}, {"birch"}),
            ({"response_format": {"type": "json_object"}}, {"birch"}),
            ({"response_format": SCHEMA}, {"birch"}),
            ({"verbosity": "low"}, {"cedar"}),
            ({"seed": 1}, {"ash", "birch", "cedar"}),
        ],
    )
    def test_soft_preferences(self, gateway: Gateway, fields: dict[str, Any], left: set[str]) -> None:
        way = go(gateway, "cross/able", **fields)
        assert set(way.order) == left
        assert way.answer.status == 200

    @pytest.mark.parametrize("fields", [{"tools": [TOOL]}, {"response_format": {"type": "json_object"}}, {"verbosity": "low"}])
    def test_a_soft_preference_never_removes_a_model(self, gateway: Gateway, upstream: MockServer, fields: dict[str, Any]) -> None:
        way = go(gateway, "cross/unable", **fields)
        assert way.served == "ash"
        sent = [seen for seen in upstream.seen() if seen.model == upstream_name("cross/unable", "ash")][-1].json()
        assert fields.keys().isdisjoint(sent), "what it does not support is dropped"

    @pytest.mark.parametrize(("tokens", "left"), [(100, {"ash", "birch"}), (101, {"birch"}), (1000, {"birch"})])
    def test_only_endpoints_that_can_write_as_much(self, gateway: Gateway, tokens: int, left: set[str]) -> None:
        assert set(go(gateway, "cross/long", max_tokens=tokens).order) == left

    def test_an_output_that_nobody_can_write_is_a_404(self, gateway: Gateway) -> None:
        way = go(gateway, "cross/long", max_tokens=1001)
        assert (way.answer.status, way.answer.error["availability"]["excluded_by"]) == (404, ["context_length"])


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("skin", PATHS)
@pytest.mark.parametrize(
    "wish", [{"only": ["birch"]}, {"ignore": ["ash"]}, {"order": ["birch"]}, {"max_price": {"prompt": "2"}, "order": ["birch"]}]
)
def test_preferences_hold_in_every_dialect(gateway: Gateway, skin: str, wish: dict[str, Any], streamed: bool) -> None:
    assert go(gateway, "cross/any", wish, path=PATHS[skin], stream=streamed, **SMALL[skin]).served == "birch"


def test_a_request_that_prefers_nothing_is_explained_before_it_is_sent(gateway: Gateway) -> None:
    body = {"model": "cross/slugs", "messages": [{"role": "user", "content": "hi"}], "provider": {"only": ["vertex"], "sort": "price"}}
    told = call(gateway, "POST", "/api/v1/route", json.dumps(body).encode()).json["data"]
    assert [row["tag"] for row in told["endpoints"]] == ["vertex/us-east5", "vertex/europe-west1"]
    assert {row["rule"] for row in told["excluded"]} == {"only"}
