"""Conversations stay where their prompts are cached, over the wire (contract 3.8)."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from clients import CHAT, call, send
from crossroads import Stop, failing, go, line, map_of
from gateway import MANAGEMENT_KEY, Gateway
from heard import ASKED as SMALL
from heard import PATHS

from trunkline.mock.script import Answer, Fault, Match, Rule, Script, Tokens
from trunkline.mock.thread import MockServer

HOUSES = ("ash", "birch")
SAVES = 'input_cache_read = "0.0000001"'
TURNS = 24
"""By chance alone they would all go to one of two endpoints once in eight million times."""
CACHING = tuple(Stop(tag=house, prices=SAVES) for house in HOUSES)
MODELS = {
    "cross/kept": CACHING,
    "cross/also-kept": CACHING,
    "cross/quiet": CACHING,
    "cross/loud": CACHING,
    "cross/costly": tuple(Stop(tag=house) for house in HOUSES),
}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    cached = Answer(tokens=Tokens(prompt=50, completion=3, cached=40))
    rules = (*failing(HOUSES, Fault(kind="status", status=500)), Rule(match=Match(model="*|loud"), answer=cached))
    with MockServer(scene=Script(rules=rules)) as upstream:
        lines = [line(slug, *stops) for slug, stops in MODELS.items()]
        with Gateway(tmp_path_factory.mktemp("stickiness"), map_of(upstream.url, lines, HOUSES)) as running:
            yield running


def served(gateway: Gateway, model: str, *, key: str | None = None, header: str = "", path: str = CHAT, **fields: Any) -> str:
    """Which provider served one request."""
    body = {"model": model, **SMALL["chat"], **fields}
    headers = {"x-session-id": header} if header else {}
    more = {"key": key} if key else {}
    answer = call(gateway, "POST", path, json.dumps(body).encode(), headers=headers, **more)  # type: ignore[arg-type]
    assert answer.status == 200, answer.body
    return str(answer.json["provider"]).lower()


def begin(gateway: Gateway, model: str, house: str, **how: Any) -> None:
    """The first turn of a conversation, at a provider of the test's choice."""
    assert served(gateway, model, provider={"only": [house]}, **how) == house


def turns(gateway: Gateway, model: str, **how: Any) -> set[str]:
    """Where the next turns of a conversation go."""
    return {served(gateway, model, **how) for _ in range(TURNS)}


@pytest.mark.parametrize("house", HOUSES)
@pytest.mark.parametrize("how", [{"session_id": "a"}, {"header": "b"}, {"prompt_cache_key": "c"}], ids=str)
def test_a_named_conversation_stays_where_it_was(gateway: Gateway, house: str, how: dict[str, str]) -> None:
    named = {name: f"{value}-{house}" for name, value in how.items()}
    begin(gateway, "cross/kept", house, **named)
    assert turns(gateway, "cross/kept", **named) == {house}


@pytest.mark.parametrize("skin", PATHS)
def test_in_every_dialect(gateway: Gateway, skin: str) -> None:
    fields = {**SMALL[skin], "session_id": f"in-{skin}"}
    assert go(gateway, "cross/kept", {"only": ["birch"]}, path=PATHS[skin], **fields).served == "birch"
    ways = [go(gateway, "cross/kept", path=PATHS[skin], **fields) for _ in range(TURNS)]
    assert {way.served for way in ways} == {"birch"}
    assert all("sticky" in way.notes["birch"] for way in ways)


def test_the_body_names_the_conversation_before_the_header_and_that_before_the_key_of_the_cache(gateway: Gateway) -> None:
    begin(gateway, "cross/loud", "ash", session_id="one")
    begin(gateway, "cross/loud", "birch", header="two")
    begin(gateway, "cross/loud", "ash", prompt_cache_key="three")
    begin(gateway, "cross/loud", "birch", prompt_cache_key="four")
    assert turns(gateway, "cross/loud", session_id="one", header="two", prompt_cache_key="four") == {"ash"}
    assert turns(gateway, "cross/loud", header="two", prompt_cache_key="three") == {"birch"}
    assert turns(gateway, "cross/loud", prompt_cache_key="three") == {"ash"}
    assert turns(gateway, "cross/loud", prompt_cache_key="four") == {"birch"}


def test_a_conversation_without_a_name_stays_only_where_the_cache_was_used(gateway: Gateway) -> None:
    begin(gateway, "cross/quiet", "birch")
    assert turns(gateway, "cross/quiet") == set(HOUSES)
    begin(gateway, "cross/loud", "birch")
    assert turns(gateway, "cross/loud") == {"birch"}
    begins = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "First."}]
    begin(gateway, "cross/loud", "ash", messages=begins)
    later = [*begins, {"role": "assistant", "content": "Yes?"}, {"role": "user", "content": "Second."}]
    assert turns(gateway, "cross/loud", messages=later) == {"ash"}, "known by how it began"


def test_where_the_cache_saves_nothing_nobody_stays(gateway: Gateway) -> None:
    begin(gateway, "cross/costly", "birch", session_id="saves-nothing")
    assert turns(gateway, "cross/costly", session_id="saves-nothing") == set(HOUSES)


def test_the_callers_order_comes_before_it(gateway: Gateway) -> None:
    begin(gateway, "cross/kept", "birch", session_id="ordered")
    assert turns(gateway, "cross/kept", session_id="ordered", provider={"order": ["ash"]}) == {"ash"}


def test_it_is_of_one_model(gateway: Gateway) -> None:
    begin(gateway, "cross/kept", "birch", session_id="mine")
    begin(gateway, "cross/also-kept", "ash", session_id="mine")
    assert turns(gateway, "cross/kept", session_id="mine") == {"birch"}
    assert turns(gateway, "cross/also-kept", session_id="mine") == {"ash"}


def test_another_key_of_the_account_goes_on_with_it(gateway: Gateway) -> None:
    key = send(gateway, "POST", "/keys", key=MANAGEMENT_KEY, name="another").json["key"]
    begin(gateway, "cross/kept", "birch", session_id="ours")
    assert turns(gateway, "cross/kept", session_id="ours", key=key) == {"birch"}


def test_an_endpoint_that_failed_is_left_for_the_one_that_answered(gateway: Gateway) -> None:
    begin(gateway, "cross/also-kept", "ash", session_id="broken")
    failed = [{"role": "user", "content": "!ash"}]
    assert served(gateway, "cross/also-kept", session_id="broken", messages=failed) == "birch"
    begin(gateway, "cross/also-kept", "ash", session_id="somebody-else")
    assert turns(gateway, "cross/also-kept", session_id="broken") == {"birch"}
