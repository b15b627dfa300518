"""Kept answers, mended JSON, compressed prompts and router metadata over the wire (contract 4.2, 4.5, 9.3)."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from clients import CHAT, Answer, call, get, until
from crossroads import Stop, failing, go, line, map_of
from gateway import Gateway
from heard import ASKED as SMALL
from heard import PATHS, heard

from trunkline.mock.script import Answer as Said
from trunkline.mock.script import Fault, Match, Rule, Script
from trunkline.mock.thread import MockServer

HOUSES = ("ash", "birch")
CACHE = {"X-OpenRouter-Cache": "true"}
HEAL = [{"id": "response-healing"}]
COMPRESS = [{"id": "context-compression"}]
PEOPLE: dict[str, tuple[str, dict[str, Any]]] = {
    "missing-brace": ('{"name": "Alice", "age": 30', {"name": "Alice", "age": 30}),
    "fenced": ('```json\n{"name": "Bob"}\n```', {"name": "Bob"}),
    "leading-prose": ('Here is the data you asked for: {"name": "Charlie", "age": 25}', {"name": "Charlie", "age": 25}),
    "trailing-comma": ('{"name": "David", "age": 35,}', {"name": "David", "age": 35}),
    "unquoted-keys": ('{name: "Eve", age: 40}', {"name": "Eve", "age": 40}),
}
MODELS = {
    "cross/any": (Stop(tag="ash"),),
    "cross/two": (Stop(tag="ash"), Stop(tag="birch", prompt=2)),
    "cross/vectors": (Stop(tag="ash"),),
    "cross/tight": (Stop(tag="ash", keys="context_length = 4900"),),
    "cross/room": (Stop(tag="ash", keys="context_length = 5000"),),
    "cross/small": (Stop(tag="ash", keys="context_length = 8192"),),
    "cross/larger": (Stop(tag="ash", keys="context_length = 8193"),),
    "cross/forty": (Stop(tag="ash", keys="quirks = { max_messages = 30 }"),),
    "cross/thousand": (Stop(tag="ash", keys="quirks = { max_messages = 1000 }"),),
}
KEYS = {"cross/vectors": 'output_modalities = ["embeddings"]\n'}


@pytest.fixture(scope="module")
def upstream() -> Iterator[MockServer]:
    rules = [Rule(match=Match(contains=f"a {name}"), answer=Said(text=said)) for name, (said, _) in PEOPLE.items()]
    with MockServer(scene=Script(rules=(*rules, *failing(HOUSES, Fault(kind="status", status=500))))) as server:
        yield server


@pytest.fixture(scope="module")
def gateway(upstream: MockServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    lines = [line(slug, *stops, keys=KEYS.get(slug, "")) for slug, stops in MODELS.items()]
    with Gateway(tmp_path_factory.mktemp("features"), map_of(upstream.url, lines, HOUSES)) as running:
        yield running
        assert not [text for text in running.log if "Traceback" in text], "".join(running.log)


def ask(gateway: Gateway, body: bytes | dict[str, Any], path: str = CHAT, **headers: str) -> Answer:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return call(gateway, "POST", path, data, headers={**CACHE, **{name.replace("_", "-"): value for name, value in headers.items()}})


def numbers(value: Any) -> set[float]:
    if isinstance(value, dict):
        return set().union(*[numbers(inner) for inner in value.values()])
    return {value} if isinstance(value, int | float) and not isinstance(value, bool) else set()


def talk(text: str) -> dict[str, Any]:
    return {"model": "cross/any", "messages": [{"role": "user", "content": text}]}


class TestCaching:
    @pytest.mark.parametrize("skin", PATHS)
    @pytest.mark.parametrize("streamed", [False, True])
    def test_a_miss_then_a_hit(self, gateway: Gateway, upstream: MockServer, skin: str, streamed: bool) -> None:
        """The example of the documentation, with a second for its twelve."""
        body = {"model": "cross/any", "stream": streamed, **SMALL[skin]}
        first = ask(gateway, body, PATHS[skin])
        assert (first.headers["x-openrouter-cache-status"], first.headers["x-openrouter-cache-ttl"]) == ("MISS", "300")
        assert "x-openrouter-cache-age" not in first.headers
        time.sleep(1.1)
        before = len(upstream.seen())
        second = ask(gateway, body, PATHS[skin])
        age = int(second.headers["x-openrouter-cache-age"])
        assert (second.headers["x-openrouter-cache-status"], age >= 1) == ("HIT", True)
        assert int(second.headers["x-openrouter-cache-ttl"]) == 300 - age
        assert second.headers["x-openrouter-cache-source-id"] == first.id != second.id
        assert heard(skin, second.body, stream=streamed).text == heard(skin, first.body, stream=streamed).text != ""
        assert len(upstream.seen()) == before
        if not streamed:
            assert numbers(second.json["usage"]) == {0}
        until(lambda: get(gateway, f"/generation?id={second.id}").status == 200)
        record = get(gateway, f"/generation?id={second.id}").json["data"]
        assert (record["response_cache_source_id"], record["total_cost"], record["usage"]) == (first.id, 0, 0)

    def test_embeddings_are_kept_too(self, gateway: Gateway) -> None:
        body = {"model": "cross/vectors", "input": "hi"}
        told = [ask(gateway, body, "/api/v1/embeddings").headers["x-openrouter-cache-status"] for _ in range(2)]
        assert told == ["MISS", "HIT"]

    @pytest.mark.parametrize(("value", "seconds"), [("60abc", "60"), ("1.5", "1"), ("0", "1"), ("999999", "86400"), ("abc", "300")])
    def test_the_time_to_live(self, gateway: Gateway, value: str, seconds: str) -> None:
        answer = ask(gateway, talk(f"ttl {value}"), X_OpenRouter_Cache_TTL=value)
        assert answer.headers["x-openrouter-cache-ttl"] == seconds

    def test_the_order_of_properties_counts(self, gateway: Gateway) -> None:
        one = b'{"model":"cross/any","messages":[{"role":"user","content":"order"}],"seed":1}'
        swapped = b'{"messages":[{"role":"user","content":"order"}],"model":"cross/any","seed":1}'
        spaced = one.replace(b",", b",\n  ")
        told = [ask(gateway, body).headers["x-openrouter-cache-status"] for body in (one, swapped, spaced)]
        assert told == ["MISS", "MISS", "HIT"]

    def test_no_metadata_on_a_hit(self, gateway: Gateway) -> None:
        answers = [ask(gateway, talk("metadata"), X_OpenRouter_Metadata="enabled").json for _ in range(2)]
        assert ["openrouter_metadata" in answer for answer in answers] == [True, False]


class TestHealing:
    @pytest.mark.parametrize("name", PEOPLE)
    @pytest.mark.parametrize("kind", ["json_object", "json_schema"])
    def test_the_five_pairs(self, gateway: Gateway, name: str, kind: str) -> None:
        _, person = PEOPLE[name]
        schema = {"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer"}}, "required": ["name"]}
        form = {"type": kind, **({"json_schema": {"name": "person", "schema": schema}} if kind == "json_schema" else {})}
        way = go(gateway, "cross/any", None, f"a {name}", response_format=form, plugins=HEAL)
        assert json.loads(way.answer.json["choices"][0]["message"]["content"]) == person
        stages = way.answer.json["openrouter_metadata"]["pipeline"]
        assert [stage["type"] for stage in stages] == ["response_healing"]

    def test_unasked_nothing_is_mended(self, gateway: Gateway) -> None:
        way = go(gateway, "cross/any", None, "a trailing-comma", response_format={"type": "json_object"})
        assert way.answer.json["choices"][0]["message"]["content"] == PEOPLE["trailing-comma"][0]


def words(count: int, size: int = 400) -> list[dict[str, Any]]:
    """A conversation of so many messages of about a hundred tokens each."""
    return [{"role": ("user", "assistant")[at % 2], "content": f"{at} ".ljust(size, "x")} for at in range(count - 1)] + [
        {"role": "user", "content": f"{count - 1} ".ljust(size, "x")}
    ]


class TestCompression:
    def test_ten_thousand_tokens_go_where_there_is_room_for_five(self, gateway: Gateway, upstream: MockServer) -> None:
        way = go(gateway, "cross/tight", models=["cross/room"], messages=words(100), plugins=COMPRESS, max_tokens=100)
        assert (way.answer.status, way.answer.json["model"]) == (200, "cross/room")
        assert 0 < len(sent(upstream)["messages"]) < 100

    def test_above_a_thousand_messages_the_ends_stay(self, gateway: Gateway, upstream: MockServer) -> None:
        messages = words(1201, size=1)
        assert go(gateway, "cross/thousand", messages=messages, plugins=COMPRESS).answer.status == 200
        assert sent(upstream)["messages"] == messages[:500] + messages[-500:]

    @pytest.mark.parametrize(
        ("model", "fields", "status"),
        [
            ("cross/small", {}, 200),
            ("cross/small", {"plugins": [{"id": "context-compression", "enabled": False}]}, 404),
            ("cross/larger", {}, 404),
            ("cross/larger", {"plugins": COMPRESS}, 200),
            ("cross/larger", {"transforms": ["middle-out"]}, 200),
        ],
    )
    def test_small_endpoints_compress_by_default(self, gateway: Gateway, model: str, fields: dict[str, Any], status: int) -> None:
        answer = go(gateway, model, messages=words(200), **fields).answer
        assert answer.status == status, answer.body
        assert status == 200 or "context-compression" in answer.error["message"]

    def test_the_sample_of_the_metadata(self, gateway: Gateway, upstream: MockServer) -> None:
        """42 messages become 30: one endpoint, one attempt with 200, and the stage."""
        told = go(gateway, "cross/forty", messages=words(42), plugins=COMPRESS).answer.json["openrouter_metadata"]
        assert len(sent(upstream)["messages"]) == 30
        assert (told["requested"], told["strategy"], told["attempt"], told["is_byok"]) == ("cross/forty", "direct", 1, False)
        assert told["region"] is None
        assert told["summary"]
        (row,) = told["endpoints"]["available"]
        assert (told["endpoints"]["total"], row["provider"], row["model"], row["selected"]) == (1, "Ash", "cross/forty", True)
        assert told["attempts"] == [{"provider": "Ash", "model": "cross/forty", "status": 200}]
        (stage,) = told["pipeline"]
        assert stage["type"] == "context_compression"
        assert {42, 30} <= numbers(stage["data"])


def test_the_metadata_of_a_second_attempt(gateway: Gateway) -> None:
    told = go(gateway, "cross/two", {"order": ["ash"]}, "!ash").answer.json["openrouter_metadata"]
    assert (told["attempt"], [one["status"] for one in told["attempts"]]) == (2, [500, 200])
    assert [row["selected"] for row in told["endpoints"]["available"]] == [False, True]


def sent(upstream: MockServer) -> Any:
    """The body that the upstream got last."""
    return upstream.seen()[-1].json()
