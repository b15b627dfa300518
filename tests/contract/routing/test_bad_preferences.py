"""Wrong, empty, endless and contradictory preferences: a 400 that names the field, or a 404 that says why; never an excluded endpoint."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from clients import Answer, call
from crossroads import Stop, Way, go, line, map_of
from gateway import Gateway
from heard import ASKED as SMALL
from heard import PATHS
from hypothesis import given, settings
from hypothesis import strategies as st

from trunkline.mock.thread import MockServer

HOUSES = ("ash", "birch", "oak")
MODEL = "cross/any"
STOPS = (
    Stop(tag="ash", prompt=1, completion=1, keys='quantization = "fp8"\ndata_policy = { training = true }'),
    Stop(tag="ash/eu", prompt=2, completion=2, keys='quantization = "mxfp8"\ndata_policy = { training = false, zdr = true }'),
    Stop(tag="birch", prompt=3, completion=1, keys='quantization = "bf16"\ndata_policy = { training = false }'),
    Stop(tag="oak/turbo", prompt=1, completion=4, prices='request = "0.001"'),
)
ENDLESS = 10_000
LISTS = ("order", "only", "ignore", "quantizations")
FLAGS = ("allow_fallbacks", "require_parameters", "zdr", "enforce_distillable_text")
CUT_OFFS = ("preferred_min_throughput", "preferred_max_latency")
PRICES = ("prompt", "completion", "request", "image", "audio")

WRONG: tuple[tuple[Any, str], ...] = (
    *((wrong, "provider") for wrong in ("ash", ["ash"], 1, True)),
    *(({name: wrong}, f"provider.{name}") for name in LISTS for wrong in ("ash", {"0": "ash"}, 1, True)),
    *(({name: [wrong]}, f"provider.{name}[0]") for name in LISTS for wrong in (1, None, ["ash"], {})),
    *(({name: ["ash", wrong]}, f"provider.{name}[1]") for name in ("order", "only", "ignore") for wrong in ("", "x" * 5000)),
    *(({name: [str(at) for at in range(ENDLESS)]}, f"provider.{name}") for name in ("order", "only", "ignore")),
    *(({name: ["ash"] * ENDLESS}, f"provider.{name}") for name in ("order", "only", "ignore")),
    *(({name: [" "]}, f"provider.{name}") for name in ("order", "only", "ignore")),
    ({"quantizations": ["fp8"] * ENDLESS}, "provider.quantizations"),
    ({"quantizations": ["fp7"]}, "provider.quantizations[0]"),
    ({"only": []}, "provider.only"),
    ({"quantizations": []}, "provider.quantizations"),
    ({"only": ["ash"], "ignore": ["ash"]}, "provider.ignore"),
    ({"only": ["ash", "birch"], "ignore": ["BIRCH", "Ash", "oak"]}, "provider.ignore"),
    ({"order": ["ash"], "ignore": ["ash"], "allow_fallbacks": False}, "provider.ignore"),
    *(({name: wrong}, f"provider.{name}") for name in FLAGS for wrong in (0, 1, "true", [], {})),
    *(({"data_collection": wrong}, "provider.data_collection") for wrong in ("no", "", True, ["deny"])),
    *(({"sort": wrong}, "provider.sort") for wrong in ("cheapest", "", 1, ["price"], {"by": "speed"}, {"partition": "all"}, {"b": 1})),
    *(({name: wrong}, f"provider.{name}") for name in CUT_OFFS for wrong in (-1, "fast", True, [1], 1e10, {"p95": 1}, {"P50": 1})),
    *(({name: {"p90": wrong}}, f"provider.{name}.p90") for name in CUT_OFFS for wrong in (-0.1, "1", True, [], 1e300)),
    *(({"max_price": wrong}, "provider.max_price") for wrong in (1, "1", [], True, {"prompts": 1})),
    *(
        ({"max_price": {name: wrong}}, f"provider.max_price.{name}")
        for name in PRICES
        for wrong in (-1, -0.000001, "-1", "cheap", "", "NaN", "Infinity", "1e400", 1e300, True, [1], {})
    ),
)

OPERATIONS = (
    ("/api/v1/embeddings", {"model": "cross/embeddings", "input": "hi"}),
    ("/api/v1/rerank", {"model": "cross/rerank", "query": "q", "documents": ["a", "b"]}),
    ("/api/v1/audio/speech", {"model": "cross/speech", "input": "hi", "voice": "alloy"}),
    ("/api/v1/images", {"model": "cross/image", "prompt": "a cat"}),
)


@pytest.fixture(scope="module")
def upstream() -> Iterator[MockServer]:
    with MockServer() as server:
        yield server


@pytest.fixture(scope="module")
def gateway(upstream: MockServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    lines = [line(MODEL, *STOPS), line("cross/other", Stop(tag="birch"))]
    for _, fields in OPERATIONS:
        made = fields["model"].partition("/")[2]
        lines.append(line(fields["model"], Stop(tag="birch"), keys=f'output_modalities = ["{made}"]\n'))
    with Gateway(tmp_path_factory.mktemp("wrong"), map_of(upstream.url, lines, HOUSES)) as running:
        yield running
        assert not [text for text in running.log if "Traceback" in text], "".join(running.log)


def ask(gateway: Gateway, skin: str, body: bytes) -> Answer:
    return call(gateway, "POST", PATHS[skin], body)


def refused(answer: Answer, skin: str) -> str:
    """The message of a 400 in the skin's own envelope."""
    assert answer.status == 400, answer.body
    error = answer.json["error"]
    assert (answer.json["type"], error["type"]) == ("error", "invalid_request_error") if skin == "messages" else error["code"]
    assert len(answer.body) < 2000, "nothing long is said back"
    return str(error["message"])


@pytest.mark.parametrize("skin", PATHS)
def test_what_is_wrong_is_named(gateway: Gateway, upstream: MockServer, skin: str) -> None:
    """Every row of the table in every dialect."""
    upstream.reset()
    for provider, field in WRONG:
        body = {"model": MODEL, **SMALL[skin], "provider": provider}
        message = refused(ask(gateway, skin, json.dumps(body).encode()), skin)
        named = message.partition(": ")[0]
        assert named == field or named.startswith((f"{field}.", f"{field}[")), (str(provider)[:80], message)
    assert upstream.seen() == ()


@pytest.mark.parametrize(("path", "fields"), OPERATIONS, ids=lambda one: one if isinstance(one, str) else "")
def test_operations_beside_chat_name_it_too(gateway: Gateway, upstream: MockServer, path: str, fields: dict[str, Any]) -> None:
    upstream.reset()
    for provider, field in WRONG:
        answer = call(gateway, "POST", path, json.dumps({**fields, "provider": provider}).encode())
        assert answer.status == 400, (str(provider)[:80], answer.body)
        assert answer.error["message"].startswith((f"{field}:", f"{field}.", f"{field}[")), (str(provider)[:80], answer.body)
    nowhere = call(gateway, "POST", path, json.dumps({**fields, "provider": {"only": ["nobody"]}}).encode())
    assert (nowhere.status, nowhere.error["availability"]["excluded_by"]) == (404, ["allowed_providers"])
    assert upstream.seen() == ()


@pytest.mark.parametrize("skin", PATHS)
@pytest.mark.parametrize(
    "number",
    ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"],
)
@pytest.mark.parametrize("field", ['"max_price":{"prompt":%s}', '"preferred_max_latency":%s', '"preferred_min_throughput":{"p50":%s}'])
def test_numbers_that_are_none(gateway: Gateway, upstream: MockServer, skin: str, number: str, field: str) -> None:
    upstream.reset()
    body = json.dumps({"model": MODEL, **SMALL[skin], "provider": "here"}).replace('"here"', "{" + field % number + "}")
    assert refused(ask(gateway, skin, body.encode()), skin)
    assert upstream.seen() == ()


@pytest.mark.parametrize("skin", PATHS)
@pytest.mark.parametrize(
    ("provider", "excluded_by"),
    [
        ({"only": ["nobody"]}, "allowed_providers"),
        ({"only": ["ash/us"]}, "allowed_providers"),
        ({"only": ["oak/priority"]}, "allowed_providers"),
        ({"order": ["nobody"], "allow_fallbacks": False}, "allowed_providers"),
        ({"ignore": ["ash", "birch", "oak"]}, "allowed_providers"),
        ({"only": ["ash"], "ignore": ["ash/eu", "oak"], "zdr": True}, None),
        ({"max_price": {"prompt": 0}}, "max_price"),
        ({"max_price": {"completion": "0.999999"}}, "max_price"),
        ({"quantizations": ["int8"]}, "quantization"),
        ({"enforce_distillable_text": True}, "allowed_providers"),
    ],
)
def test_what_leaves_nothing_is_a_404_that_says_why(
    gateway: Gateway, upstream: MockServer, skin: str, provider: dict[str, Any], excluded_by: str | None
) -> None:
    upstream.reset()
    answer = ask(gateway, skin, json.dumps({"model": MODEL, **SMALL[skin], "provider": provider}).encode())
    assert answer.status == 404, answer.body
    told = answer.json["error"]["availability"]
    assert told["code"] == "constraint_filtered"
    assert told["excluded_by"] == [excluded_by] if excluded_by else len(told["excluded_by"]) > 1
    assert upstream.seen() == ()


@pytest.mark.parametrize(
    ("provider", "served"),
    [
        ({"only": ["nobody", "birch"]}, {"birch"}),
        ({"order": ["nobody"]}, {"ash", "ash/eu", "birch", "oak/turbo"}),
        ({"ignore": ["nobody", "ash"]}, {"birch", "oak/turbo"}),
        ({"order": ["ash"], "ignore": ["ash"]}, {"birch", "oak/turbo"}),
        ({"only": ["ash"], "ignore": ["ash/eu"]}, {"ash"}),
        ({"only": ["ash", "ash/eu"], "ignore": ["ash", "birch"]}, set()),
        ({"order": [], "ignore": [], "max_price": {}, "sort": {}, "preferred_max_latency": {}}, {"ash", "ash/eu", "birch", "oak/turbo"}),
        (dict.fromkeys(("order", "only", "ignore", "sort", "max_price", "zdr"), None), {"ash", "ash/eu", "birch", "oak/turbo"}),
    ],
)
def test_strangers_and_empty_wishes_are_passed_over(gateway: Gateway, provider: dict[str, Any], served: set[str]) -> None:
    way = go(gateway, MODEL, provider)
    assert set(way.order) == served or (way.answer.status == 400 and not served)


@pytest.mark.parametrize("skin", PATHS)
@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"models": [MODEL] * ENDLESS}, "models"),
        ({"models": [f"cross/{at}" for at in range(ENDLESS)]}, "models"),
        ({"model": "x" * 5000}, "model"),
        ({"model": 1}, "model"),
        ({"models": MODEL}, "models"),
        ({"models": [MODEL, 1]}, "models[1]"),
        ({"models": [MODEL, None]}, "models[1]"),
        ({"models": [MODEL, "x" * 5000]}, "models[1]"),
        ({"route": "both"}, "route"),
        ({"route": 1}, "route"),
        ({"route": "fallback", "provider": {"sort": {"partition": "none"}}}, "route"),
    ],
)
def test_names_of_models(gateway: Gateway, upstream: MockServer, skin: str, fields: dict[str, Any], named: str) -> None:
    upstream.reset()
    answer = ask(gateway, skin, json.dumps({"model": MODEL, **SMALL[skin], **fields}).encode())
    assert refused(answer, skin).startswith(f"{named}: ")
    assert upstream.seen() == ()


SLUGS = st.sampled_from(("ash", "ash/eu", "birch", "oak", "oak/turbo", "ASH", "nobody", "ash/us"))
AMOUNTS = st.sampled_from((0, 1, 2.5, "1", "3", 4, -1, "x", None, True))
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "order": st.lists(SLUGS, max_size=3),
    "only": st.lists(SLUGS, max_size=4),
    "ignore": st.lists(SLUGS, max_size=3),
    "allow_fallbacks": st.booleans(),
    "zdr": st.booleans(),
    "data_collection": st.sampled_from(("allow", "deny")),
    "quantizations": st.lists(st.sampled_from(("fp8", "mxfp8", "bf16", "int4", "unknown")), max_size=3),
    "max_price": st.dictionaries(st.sampled_from(PRICES), AMOUNTS, max_size=3),
    "sort": st.sampled_from(("price", "latency", "throughput", {"by": "price", "partition": "none"}, "exacto", "none")),
    "preferred_max_latency": st.sampled_from((0, 1e-9, {"p50": 0, "p99": 1}, -1)),
}
NULL = st.none()
WISHES = st.fixed_dictionaries({}, optional={name: values | NULL for name, values in VALUES.items()})


def forbidden(stop: Stop, wish: dict[str, Any]) -> bool:
    """Whether the caller excluded the endpoint; said once more here, in other words than the router's."""
    names = {stop.tag, stop.tag.partition("/")[0]}
    listed = {name: {slug.lower() for slug in wish.get(name) or ()} for name in ("only", "ignore", "order")}
    families = {"fp8": ("fp8", "mxfp8")}
    bits = "fp8" if '"fp8"' in stop.keys else "mxfp8" if "mxfp8" in stop.keys else "bf16" if "bf16" in stop.keys else "unknown"
    wanted = {one for name in wish.get("quantizations") or () for one in families.get(name, (name,))}
    ceilings = {name: float(limit) for name, limit in (wish.get("max_price") or {}).items() if limit is not None}
    return (
        (wish.get("only") is not None and not names & listed["only"])
        or bool(names & listed["ignore"])
        or (wish.get("allow_fallbacks") is False and bool(listed["order"]) and not names & listed["order"])
        or (wish.get("zdr") is True and "zdr = true" not in stop.keys)
        or (wish.get("data_collection") == "deny" and "training = false" not in stop.keys)
        or (bool(wanted) and bits not in wanted)
        or stop.prompt > ceilings.get("prompt", 99)
        or stop.completion > ceilings.get("completion", 99)
        or ("request" in stop.prices and ceilings.get("request", 99) < 0.001)
    )


@settings(max_examples=150, deadline=None)
@given(wish=WISHES, skin=st.sampled_from(sorted(PATHS)), streamed=st.booleans())
def test_nothing_that_was_excluded_serves(gateway: Gateway, wish: dict[str, Any], skin: str, streamed: bool) -> None:
    way = go(gateway, MODEL, wish, path=PATHS[skin], stream=streamed, **SMALL[skin])
    check(way, wish)


def check(way: Way, wish: dict[str, Any]) -> None:
    """A 400 names a field, a 404 is justified, and an answer comes from an endpoint that was allowed, as are those behind it."""
    if way.answer.status == 400:
        assert way.answer.json["error"]["message"].startswith("provider."), way.answer.body
        return
    allowed = {stop.tag for stop in STOPS if not forbidden(stop, wish)}
    if way.answer.status == 404:
        assert allowed == set(), (wish, way.answer.body)
        assert way.answer.json["error"]["availability"]["excluded_by"]
    else:
        assert way.answer.status == 200, way.answer.body
        assert way.served in allowed, (wish, way.order)
        assert set(way.order) <= allowed
        assert set(way.order) == allowed or wish.get("allow_fallbacks") is False
