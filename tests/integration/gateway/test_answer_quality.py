"""How well endpoints answer, from the wire to the router: tool calls, the form that was asked for, imported benchmarks (contract 3.10)."""

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from clients import call, get, until
from gateway import Gateway
from town import endpoint, model, provider

from trunkline import settings
from trunkline.analytics.rollup import write_batch
from trunkline.mock.script import Answer, Match, Rule, ToolCall
from trunkline.mock.thread import MockServer
from trunkline.protocol.generation import AttemptRecord, GenerationRecord
from trunkline.protocol.identity import uuid7
from trunkline.storage.engines import open_storage

WAIT_SECONDS = 60
CHAT, MESSAGES, RESPONSES, ROUTE = "/api/v1/chat/completions", "/api/v1/messages", "/api/v1/responses", "/api/v1/route"
QUESTION = [{"role": "user", "content": "Where?"}]
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [{"type": "function", "function": {"name": "find", "parameters": CITY}}]
FIVE_CALLS = tuple(ToolCall(name="find", arguments=arguments) for arguments in ({"city": "Bern"},) * 3 + ('{"city":', {"city": "Rome"}))
"""One of them is broken."""
GOOD, BAD = '{"city": "Bern"}', '{"town": "Bern"}'
PEERS = ("beta", "gamma", "delta")


def priced(dollars: int) -> str:
    return f'{{ prompt = "0.00000{dollars}", completion = "0.00000{dollars}" }}'


def config(url: str, more: str = "") -> str:
    """A model that the cheapest provider, acme, may serve worse than others."""
    slugs = ("acme", *PEERS)
    served = [endpoint("acme/find", slug, f"{slug}-find", pricing=priced(price)) for price, slug in enumerate(slugs, 1)]
    return "\n".join([more, *[provider(slug, url) for slug in slugs], model("acme/find"), *served])


def post(gateway: Gateway, path: str, **fields: Any) -> Any:
    answer = call(gateway, "POST", path, json.dumps({"model": "acme/find", **fields}).encode())
    assert answer.status == 200, answer.body
    return answer


def shown(gateway: Gateway, provider_name: str = "Acme", slug: str = "acme/find") -> dict[str, Any]:
    """An endpoint of `GET /endpoints`."""
    endpoints = get(gateway, f"/models/{slug}/endpoints").json["data"]["endpoints"]
    return next(one for one in endpoints if one["provider_name"] == provider_name)


def row(gateway: Gateway, tag: str = "acme", **fields: Any) -> dict[str, Any]:
    """An endpoint of the explanation of a request."""
    rows = post(gateway, ROUTE, messages=QUESTION, **fields).json["data"]["endpoints"]
    return next(one for one in rows if one["tag"] == tag)


DIALECTS = ("chat", "messages", "responses")
"""Of upstreams, those that clients speak, too."""


def dialects(url: str) -> str:
    """A model for each of them, and one more."""
    parts = []
    for dialect in DIALECTS:
        parts.append(provider(dialect, url).replace('dialect = "chat"', f'dialect = "{dialect}"'))
        parts.append(model(f"acme/{dialect}") + endpoint(f"acme/{dialect}", dialect, "place"))
    return "\n".join([*parts, model("acme/any"), endpoint("acme/any", "chat", "any")])


@pytest.fixture(scope="module")
def mock() -> Iterator[MockServer]:
    with MockServer() as server:
        yield server


@pytest.fixture(scope="module")
def gateway(mock: MockServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One gateway for the tests that only count, each at endpoints of its own."""
    with Gateway(tmp_path_factory.mktemp("quality"), config(mock.url, dialects(mock.url))) as server:
        yield server


def test_five_calls_of_which_one_is_bad_are_one_errored_request(gateway: Gateway, mock: MockServer) -> None:
    """Contract 3.10, to the letter."""
    mock.use(Rule(answer=Answer(tool_calls=FIVE_CALLS)))
    assert shown(gateway)["tool_calls_last_30m"] is None
    only = {"only": ["acme"]}
    answer = post(gateway, CHAT, messages=QUESTION, tools=TOOLS, provider=only)
    assert len(answer.json["choices"][0]["message"]["tool_calls"]) == 5
    mock.use(Rule(answer=Answer(tool_calls=FIVE_CALLS[:3])))
    for stream in (False, True):
        post(gateway, CHAT, messages=QUESTION, tools=TOOLS, provider=only, stream=stream)
    until(lambda: (shown(gateway)["tool_calls_last_30m"] or {}).get("requests") == 3, WAIT_SECONDS)
    assert shown(gateway)["tool_calls_last_30m"] == {"requests": 3, "errors": 1}
    seen = row(gateway)
    assert (seen["tool_requests"], seen["tool_success"]) == (3, pytest.approx(2 / 3))


def served(slug: str, number: int, **changes: Any) -> GenerationRecord:
    """An answer of a minute ago with one tool call, a good one unless `changes` say otherwise."""
    created_ms = int(time.time() * 1000) - 60_000 - number
    fields: dict[str, Any] = {
        "key_hash": "k",
        "workspace_id": "default",
        "model": "acme/find",
        "endpoint_id": f"acme/find@{slug}",
        "provider_name": slug.title(),
        "api_type": "completions",
        "cost": 0,
        "output_tokens": 100,
        "generation_ms": 1000,
        "tool_calls": 1,
        "tool_calls_invalid": 0,
        "attempts": (AttemptRecord(slug.title(), f"acme/find@{slug}", "acme/find", 200, 100),),
    }
    return GenerationRecord(id=uuid7(created_ms, os.urandom(10)), created_ms=created_ms, **{**fields, **changes})


def fill(data_dir: Path) -> None:
    """What a server did before: each endpoint 200 times, acme 199 times, and one time in five not well."""
    storage = open_storage(settings.load({"data_dir": str(data_dir)}, {}))
    with closing(storage.connect_telemetry()) as connection:
        write_batch(connection, [served(slug, number) for slug in PEERS for number in range(200)])
        write_batch(connection, [served("acme", number, tool_calls_invalid=int(number % 5 == 0)) for number in range(199)])


def test_the_two_hundredth_request_with_tools_tells_which_endpoint_is_behind(upstream: MockServer, tmp_path: Path) -> None:
    upstream.use(Rule(answer=Answer(tool_calls=FIVE_CALLS)))
    fill(tmp_path)
    with Gateway(tmp_path, config(upstream.url)) as gateway:
        assert row(gateway, provider={"sort": "price"}, tools=TOOLS)["rank"] == 1
        before = row(gateway, tools=TOOLS)
        assert (before["tool_requests"], before["rank"], before["notes"]) == (199, 4, ["exacto_unmeasured"])
        assert before["tool_success"] == pytest.approx(159 / 199)
        assert row(gateway, "beta", tools=TOOLS).get("notes", []) in ([], ["drawn"])
        post(gateway, CHAT, messages=QUESTION, tools=TOOLS, provider={"only": ["acme"]})
        until(lambda: row(gateway, tools=TOOLS)["tool_requests"] == 200, WAIT_SECONDS)
        after = row(gateway, tools=TOOLS)
        assert (after["rank"], after["decided_by"], after["notes"]) == (4, "exacto", ["exacto_deprioritised"])
        assert after["tool_success"] == pytest.approx(159 / 200)  # one errored request more, not one bad call
        answer = post(gateway, CHAT, messages=QUESTION, tools=TOOLS)
        assert answer.json["provider"] != "Acme"


SCHEMAS: dict[str, dict[str, Any]] = {
    CHAT: {
        "messages": QUESTION,
        "response_format": {"type": "json_schema", "json_schema": {"name": "place", "strict": True, "schema": CITY}},
    },
    MESSAGES: {"messages": QUESTION, "max_tokens": 99, "output_config": {"format": {"type": "json_schema", "schema": CITY}}},
    RESPONSES: {"input": "Where?", "text": {"format": {"type": "json_schema", "name": "place", "schema": CITY}}},
}
"""What asks for an answer of the schema, in each dialect of clients."""


def test_answers_in_the_wrong_form_are_counted_whatever_the_dialects(gateway: Gateway, mock: MockServer) -> None:
    slugs = [f"acme/{dialect}" for dialect in DIALECTS]
    for text in (GOOD, BAD, "In Bern."):
        mock.use(Rule(answer=Answer(text=text, reasoning="Hm {", words=3)))
        for slug, path, stream in product(slugs, SCHEMAS, (False, True)):
            post(gateway, path, **{**SCHEMAS[path], "model": slug, "stream": stream})
    for slug in slugs:
        mock.use(Rule(answer=Answer(text="In Bern.")))
        post(gateway, CHAT, model=slug, messages=QUESTION)
        post(gateway, CHAT, model=slug, messages=QUESTION, response_format={"type": "text"})
        mock.use(Rule(answer=Answer(text='{"city": "B', finish_reason="length")))
        post(gateway, CHAT, **{**SCHEMAS[CHAT], "model": slug})
    counted = [{"requests": 18, "errors": 12}] * 3
    wrong = "structured_outputs_last_30m"
    until(lambda: [shown(gateway, one.title(), f"acme/{one}")[wrong] for one in DIALECTS] == counted, WAIT_SECONDS)
    for dialect in DIALECTS:
        seen = row(gateway, dialect, model=f"acme/{dialect}")
        assert (seen["structured_requests"], seen["structured_success"]) == (18, pytest.approx(1 / 3))


def test_any_object_will_do_without_a_schema_and_what_is_healed_was_broken(gateway: Gateway, mock: MockServer) -> None:
    fields = {"model": "acme/any", "messages": QUESTION, "response_format": {"type": "json_object"}}
    mock.use(Rule(answer=Answer(text=BAD)))
    post(gateway, CHAT, **fields)
    mock.use(Rule(answer=Answer(text='```json\n{"city": "Bern",}\n```')))
    healed = post(gateway, CHAT, **fields, plugins=[{"id": "response-healing"}])
    assert json.loads(healed.json["choices"][0]["message"]["content"]) == {"city": "Bern"}
    counted = {"requests": 2, "errors": 1}
    until(lambda: shown(gateway, "Chat", "acme/any")["structured_outputs_last_30m"] == counted, WAIT_SECONDS)


def scores(acme: float) -> str:
    """Rows of a benchmark of yesterday."""
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date()
    rows = {"acme": acme, "beta": 0.61, "gamma": 0.60, "delta": 0.62}
    name = 'name = "tau2_airline"'
    return "\n".join(
        f'[[benchmarks]]\nmodel = "acme/find"\nprovider = "{slug}"\n{name}\nscore = {score}\ndate = {yesterday}\n'
        for slug, score in rows.items()
    )


def test_an_imported_benchmark_puts_an_endpoint_behind_for_tools(upstream: MockServer, tmp_path: Path) -> None:
    upstream.use(Rule(match=Match(model="*-find"), answer=Answer(text="Hi.")))
    with Gateway(tmp_path, config(upstream.url, scores(0.40))) as gateway:
        behind = row(gateway, tools=TOOLS)
        assert (behind["rank"], behind["decided_by"], behind["notes"]) == (4, "exacto", ["exacto_deprioritised"])
        assert behind["benchmarks"] == {"tau2_airline": 0.4}
        assert row(gateway, "beta", tools=TOOLS)["benchmarks"] == {"tau2_airline": 0.61}
        assert "exacto_deprioritised" not in row(gateway).get("notes", [])
        assert row(gateway, provider={"sort": "price"}, tools=TOOLS)["rank"] == 1
        for _ in range(5):
            assert post(gateway, CHAT, messages=QUESTION, tools=TOOLS).json["provider"] != "Acme"
        gateway.config.write_text(config(upstream.url, scores(0.60)))
        gateway.signal(signal.SIGHUP)
        until(lambda: row(gateway, tools=TOOLS)["benchmarks"] == {"tau2_airline": 0.6}, WAIT_SECONDS)
        assert "exacto_deprioritised" not in row(gateway, tools=TOOLS).get("notes", [])
