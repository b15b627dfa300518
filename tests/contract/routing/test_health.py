"""What upstreams' troubles do to routing, over the wire (contract 3.2, 3.3; docs/architecture.md, "Health")."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from typing import Any

import pytest
from clients import CHAT, call, chat_body, crowd
from crossroads import Stop, called, failing, go, line, map_of, upstream_name
from gateway import Gateway
from heard import PATHS

from trunkline.mock.script import Answer, Fault, Match, Pace, Rule, Script
from trunkline.mock.thread import MockServer

HOUSES = ("ash", "birch", "cedar", "oak")
EMBEDS = 'output_modalities = ["embeddings"]\n'
TWO = (Stop(tag="ash"), Stop(tag="birch", prompt=2))
ALIKE = (Stop(tag="cedar"), Stop(tag="oak"))
USED_UP = {"x-ratelimit-limit-requests": "100", "x-ratelimit-remaining-requests": "0"}
REST_S = 120
DRAWS = 60
STORM = 600
MODELS = {
    "cross/crowded": ALIKE,
    "cross/vectors": ALIKE,
    "cross/roomy": ALIKE,
    "cross/dated": (Stop(tag="ash"),),
    "cross/panic": TWO,
    "cross/storm": (Stop(tag="ash"),),
    "cross/memory": TWO,
    "cross/ejected": TWO,
    "cross/here": (Stop(tag="cedar"), Stop(tag="ash", prompt=2)),
    "cross/there": (Stop(tag="cedar"), Stop(tag="ash", prompt=2)),
}


def dated() -> Fault:
    """A rate limit that ends at a time of the day."""
    now = time.time()
    later = formatdate(now + REST_S, usegmt=True)
    return Fault(kind="status", status=429, retry_after=later, headers={"date": formatdate(now, usegmt=True)})


def rules() -> tuple[Rule, ...]:
    tired = Fault(kind="status", status=503, retry_after=REST_S)
    return (
        Rule(match=Match(model=upstream_name("cross/crowded", "cedar")), answer=Answer(headers=USED_UP)),
        Rule(match=Match(model=upstream_name("cross/vectors", "cedar")), answer=Answer(headers=USED_UP)),
        Rule(match=Match(model="*|dated"), fault=dated()),
        Rule(match=Match(model="*|panic", contains="!all"), fault=tired),
        Rule(match=Match(model="*|storm"), fault=Fault(kind="status", status=503)),
        Rule(match=Match(model="*", contains="slowly"), pace=Pace(head_ms=1500)),
        Rule(
            match=Match(model=upstream_name("cross/here", "cedar"), contains="!limit"),
            fault=Fault(kind="status", status=429, retry_after=REST_S),
        ),
        *failing(HOUSES, Fault(kind="status", status=500)),
    )


@pytest.fixture(scope="module")
def upstream() -> Iterator[MockServer]:
    with MockServer(scene=Script(rules=rules())) as server:
        yield server


@pytest.fixture(scope="module")
def gateway(upstream: MockServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    lines = [line(slug, *stops, keys=EMBEDS if slug.endswith("vectors") else "") for slug, stops in MODELS.items()]
    with Gateway(tmp_path_factory.mktemp("health"), map_of(upstream.url, lines, HOUSES)) as running:
        yield running
        assert not [text for text in running.log if "Traceback" in text], "".join(running.log)


def draws(gateway: Gateway, upstream: MockServer, model: str, path: str, body: dict[str, Any]) -> Counter[str]:
    """Which endpoints were called for so many requests, once both had been heard."""
    for house in ("cedar", "oak"):
        data = json.dumps({"model": model, **body, "provider": {"order": [house]}}).encode()
        assert call(gateway, "POST", path, data).status == 200
    before = len(called(upstream, model))
    for _ in range(DRAWS):
        assert call(gateway, "POST", path, json.dumps({"model": model, **body}).encode()).status == 200
    return Counter(called(upstream, model)[before:])


CHATTING = {"messages": [{"role": "user", "content": "hi"}]}


@pytest.mark.parametrize(
    ("model", "path", "body"), [("cross/crowded", CHAT, CHATTING), ("cross/vectors", "/api/v1/embeddings", {"input": "hi"})]
)
def test_a_used_up_rate_limit_weighs_in_the_draw(
    gateway: Gateway, upstream: MockServer, model: str, path: str, body: dict[str, Any]
) -> None:
    """A hundredth as likely, and still there. Alike it would be drawn 30 times of 60."""
    seen = draws(gateway, upstream, model, path, body)
    assert seen["cedar"] <= 8, seen
    assert seen["oak"] + seen["cedar"] == DRAWS


def test_without_such_headers_both_are_alike(gateway: Gateway, upstream: MockServer) -> None:
    assert 8 < draws(gateway, upstream, "cross/roomy", CHAT, CHATTING)["cedar"] < DRAWS - 8


@pytest.mark.parametrize("skin", PATHS)
def test_retry_after_may_be_a_date(gateway: Gateway, skin: str) -> None:
    body = {"model": "cross/dated", "input": "hi", "messages": CHATTING["messages"], "max_tokens": 9}
    fields = {name: body[name] for name in ("model", *(("input",) if skin == "responses" else ("messages", "max_tokens")))}
    answer = call(gateway, "POST", PATHS[skin], json.dumps(fields).encode())
    told = answer.json["error"]["availability"]
    assert (answer.status, told["code"], told["retryable"]) == (429, "capacity_exhausted", True)
    assert int(answer.headers["retry-after"]) == told["retry_after"]
    assert told["retry_after"] == REST_S


def test_where_all_are_ejected_the_one_that_is_back_soonest_is_tried(gateway: Gateway, upstream: MockServer) -> None:
    failed = go(gateway, "cross/panic", {"sort": "price"}, "!all")
    assert failed.answer.status == 503
    way = go(gateway, "cross/panic")
    assert (way.answer.status, set(way.order)) == (200, {"ash", "birch"})
    assert all("waiting" in notes for notes in way.notes.values())
    assert called(upstream, "cross/panic")[-1] == "ash", "it failed first, so that it is back first"


def test_a_rate_limit_is_of_the_credential_with_the_model(gateway: Gateway) -> None:
    assert go(gateway, "cross/here", {"sort": "price"}, "!limit").served == "ash"
    assert go(gateway, "cross/here", {"sort": "price"}).order == ("ash", "cedar")
    assert go(gateway, "cross/there", {"sort": "price"}).order == ("cedar", "ash")


def test_repetitions_have_a_budget(gateway: Gateway, upstream: MockServer) -> None:
    """An only endpoint is tried twice, but all repetitions are at most a fifth of the requests of ten seconds, and ten a second."""
    earlier = len(upstream.seen())
    began = time.monotonic()
    answers = asyncio.run(crowd(gateway, [chat_body(model="cross/storm")] * STORM, at_once=50))
    seconds = time.monotonic() - began
    assert [one.status for one in answers if one is not None] == [503] * STORM
    repeated = len(called(upstream, "cross/storm")) - STORM
    assert 0 < repeated <= 100 + 10 * seconds + 0.2 * (earlier + STORM)


@pytest.mark.long
def test_an_outage_is_remembered_for_thirty_seconds(gateway: Gateway) -> None:
    wish = {"sort": "price"}
    assert go(gateway, "cross/memory", wish).order == ("ash", "birch")
    began = time.monotonic()
    assert go(gateway, "cross/memory", wish, "!ash").served == "birch"
    failed = time.monotonic()
    while (way := go(gateway, "cross/memory", wish)).order == ("birch", "ash"):
        assert "outage" in way.notes["ash"]
        assert time.monotonic() - began < 40
        time.sleep(0.2)
    assert time.monotonic() - failed > 29
    assert way.served == "ash"


@pytest.mark.long
def test_an_ejected_endpoint_is_taken_back_by_one_request_that_succeeds(gateway: Gateway, upstream: MockServer) -> None:
    wish = {"sort": "price"}
    for _ in range(5):
        assert go(gateway, "cross/ejected", {"order": ["ash"]}, "!ash").served == "birch"
    ejected = time.monotonic()
    assert "waiting" in go(gateway, "cross/ejected", wish).notes["ash"]
    while "waiting" in go(gateway, "cross/ejected", {"order": ["birch"]}).notes["ash"]:
        assert time.monotonic() - ejected < 60
        time.sleep(0.2)
    assert time.monotonic() - ejected > 29
    before = len(called(upstream, "cross/ejected"))
    with ThreadPoolExecutor(8) as threads:
        ways = list(threads.map(lambda _: go(gateway, "cross/ejected", wish, "slowly"), range(8)))
    assert sorted(way.served for way in ways) == ["ash"] + ["birch"] * 7
    assert Counter(called(upstream, "cross/ejected")[before:])["ash"] == 1
    assert go(gateway, "cross/ejected", wish).served == "ash"
