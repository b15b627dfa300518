"""Where a request would go and why, without a call to anyone."""

import asyncio
from typing import Any

import msgspec
import pytest
from pipelines import Bench, Outcome, answer, never, served
from races import Course
from staged_bench import PluginBench

from trunkline.catalogue.catalogue import Catalogue
from trunkline.errors import ApiError
from trunkline.health.stickiness import Stickiness
from trunkline.inference.call import Call, Mint
from trunkline.inference.pipeline import Pipeline
from trunkline.inference.reply import AsgiReply
from trunkline.inference.route_reports import Explained, RouteReports, dialect_of, named_dialect
from trunkline.inference.skins import CHAT, CONVERSATIONS
from trunkline.protocol.catalogue import Model, Pricing
from trunkline.protocol.health import EndpointHealth, HealthSnapshot, Percentiles
from trunkline.protocol.request import Chosen, InboundRequest

ASK = {"model": "a/m", "messages": [{"role": "user", "content": "What is the capital of France?"}]}


class Desk:
    """A server that is asked for reports."""

    def __init__(self, *names: str, **changes: Any) -> None:
        self.bench = Bench([served(name, **changes) for name in names], answer())
        self.reports = RouteReports(
            self.bench.services, {name: Explained(self.bench.pipeline, skin) for name, skin in CONVERSATIONS.items()}
        )

    def send(self, body: object, query: bytes = b"", authorization: bytes = b"Bearer good") -> Outcome:
        async def go() -> Outcome:
            outcome = Outcome()
            data = body if isinstance(body, bytes) else msgspec.json.encode(body)
            call = Call({b"authorization": authorization}, data, Mint(), CHAT, query)
            await self.reports.run(call, AsgiReply(outcome.send, never, []))
            return outcome

        return asyncio.run(go())

    def ask(self, query: bytes = b"", **fields: Any) -> Any:
        return self.send({**ASK, **fields}, query).json["data"]


def test_the_report_names_every_endpoint_with_rank_reason_and_price() -> None:
    desk = Desk("one", "two", "three")
    told = desk.ask(provider={"order": ["two"], "ignore": ["three"]}, max_tokens=100)
    assert (told["dialect"], told["requested"], told["strategy"]) == ("chat", "a/m", "direct")
    assert [(one["rank"], one["provider"], one["decided_by"], one["selected"]) for one in told["endpoints"]] == [
        (1, "Two", "order", True),
        (2, "One", "order", False),
    ]
    assert [(one["provider"], one["excluded_by"], one["rule"]) for one in told["excluded"]] == [("Three", "allowed_providers", "ignore")]
    price = (told["prompt_tokens"] * 10 + told["completion_tokens"] * 20) / 10**12
    assert told["completion_tokens"] == 100
    assert {one["predicted_cost_usd"] for one in told["endpoints"]} == {price}
    assert "error" not in told


def test_nobody_is_called_and_nothing_is_charged_or_recorded() -> None:
    desk = Desk("one")
    desk.ask()
    assert not desk.bench.client.sent
    assert not desk.bench.ledgers.records and not desk.bench.ledgers.settled


def test_the_length_of_the_answer_is_learned() -> None:
    desk = Desk("one")
    for _ in range(50):
        desk.bench.estimates.observe("a/m", text_bytes=40, prompt_tokens=10, output_tokens=20)
    assert desk.ask(max_tokens=4000)["completion_tokens"] < 100


def test_measurements_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk("one")
    entry = EndpointHealth(latency=Percentiles(0.5, 0.6, 0.7, 0.8))
    monkeypatch.setattr(desk.bench.health, "snapshot", lambda: HealthSnapshot({"one": entry}))
    assert desk.ask()["endpoints"][0]["latency"] == {"p50": 0.5, "p75": 0.6, "p90": 0.7, "p99": 0.8}


def test_a_request_that_nothing_may_serve_is_explained_too() -> None:
    told = Desk("one").ask(provider={"only": ["zeta"]})
    assert told["endpoints"] == []
    assert [one["rule"] for one in told["excluded"]] == ["only"]
    assert (told["error"]["code"], told["error"]["availability"]["code"]) == (404, "constraint_filtered")


@pytest.mark.parametrize(
    ("body", "query", "dialect"),
    [
        (ASK, b"", "chat"),
        ({**ASK, "system": "Be brief", "max_tokens": 9}, b"", "messages"),
        ({**ASK, "max_tokens": 9}, b"dialect=messages", "messages"),
        ({"model": "a/m", "input": "hi"}, b"", "responses"),
        ({"model": "a/m", "prompt": "hi"}, b"", "completions"),
        ({**ASK}, b"dialect=", "chat"),
        ({**ASK}, b"beta=true", "chat"),
    ],
)
def test_the_dialect_is_told_by_the_query_or_by_the_fields(body: Any, query: bytes, dialect: str) -> None:
    assert Desk("one").send(body, query).json["data"]["dialect"] == dialect


@pytest.mark.parametrize(
    ("fields", "dialect"),
    [
        ({"documents": [], "query": "q"}, "rerank"),
        ({"input": "say this", "voice": "alloy"}, "speech"),
        ({"input": ["a"], "encoding_format": "float"}, "embeddings"),
        ({"input_audio": {"data": "", "format": "wav"}}, "transcription"),
    ],
)
def test_operations_beside_chat_have_fields_of_their_own(fields: dict[str, Any], dialect: str) -> None:
    assert dialect_of(msgspec.json.encode(fields)) == dialect


@pytest.mark.parametrize(
    ("fields", "made", "dialect"),
    [
        ({"input": "hi"}, ("embeddings",), "embeddings"),
        ({"prompt": "a cat"}, ("image",), "images"),
        ({"prompt": "a cat"}, ("image", "text"), "completions"),
        ({"input": "hi"}, ("speech",), "speech"),
        ({"file": "x"}, ("transcription",), "transcription"),
        ({"input": "hi"}, (), "responses"),
        ({"messages": []}, ("image",), "chat"),
        ({"input": "hi"}, ("video",), "responses"),
    ],
)
def test_where_fields_are_common_the_model_tells(fields: dict[str, Any], made: tuple[str, ...], dialect: str) -> None:
    body = msgspec.json.encode({"model": "a/m", **fields})
    assert dialect_of(body, lambda slug: made if slug == "a/m" else ("rerank",)) == dialect


@pytest.mark.parametrize("name", [b"null", b"5", b'""'])
def test_a_name_that_is_none_tells_nothing(name: bytes) -> None:
    body = b'{"input": "hi", "model": %b}' % name
    assert dialect_of(body, lambda slug: ("embeddings",) if slug else ()) == "responses"


def refuse(_body: bytes) -> InboundRequest:
    raise ApiError("invalid_request", "this is another operation")


def test_the_model_of_the_catalogue_is_asked() -> None:
    desk = Desk("one")
    other = Model(id="a/m", name="M", author="a", canonical_slug="a/m", created=1, output_modalities=("embeddings",))
    desk.bench.catalogue = Catalogue(models=[other], endpoints=[served("one")], providers={}, authors={}, missing={})
    skins = {"chat": CHAT, "embeddings": msgspec.structs.replace(CHAT, parse=refuse)}
    desk.reports = RouteReports(desk.bench.services, {name: Explained(desk.bench.pipeline, skin) for name, skin in skins.items()})
    with pytest.raises(ApiError, match="another operation"):
        desk.send({"model": "a/m", "input": "hi"})


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_object_gets_the_error_of_chat(body: bytes) -> None:
    desk = Desk("one")
    with pytest.raises(ApiError) as refusal:
        desk.send(body)
    with pytest.raises(ApiError) as same:
        CHAT.parse(body)
    assert (refusal.value.status, refusal.value.message) == (400, same.value.message)


def test_a_body_of_nobody_is_refused() -> None:
    with pytest.raises(ApiError, match="Whose body"):
        dialect_of(b'{"model":"a/m"}')


@pytest.mark.parametrize(
    "query", [b"dialect=latin", b"dialect=chat&dialect=x", b"&".join(b"a=%d" % one for one in range(20)), b"dialect=\xff"]
)
def test_wrong_queries_are_refused(query: bytes) -> None:
    with pytest.raises(ApiError) as refusal:
        named_dialect(query, CONVERSATIONS)
    assert refusal.value.status == 400


@pytest.mark.parametrize("authorization", [b"", b"Bearer bad", b"Bearer manager"])
def test_it_takes_an_inference_key(authorization: bytes) -> None:
    with pytest.raises(ApiError) as refusal:
        Desk("one").send(b"not even json", authorization=authorization)
    assert refusal.value.status in (401, 403)


def test_a_model_that_nobody_has_is_an_error() -> None:
    with pytest.raises(ApiError, match="not a valid model ID"):
        Desk("one").ask(model="acme/fake-1.0")


def test_another_strategy_is_told() -> None:
    desk = Desk("one")
    other = Model(id="a/m", name="M", author="a", canonical_slug="a/m", created=1, aliases=("a/older",))
    desk.bench.catalogue = Catalogue(models=[other], endpoints=[served("one")], providers={}, authors={}, missing={})
    assert desk.ask(model="a/older")["strategy"] == "alias"


class Chooser:
    """Stands for the routers: what they make of a request."""

    def __init__(self, chosen: Chosen, *models: str) -> None:
        self._chosen = chosen
        self._models = models

    async def expand(self, call: Call, _principal: object, request: Any) -> Any:
        assert call.skin.dialect == request.dialect
        return msgspec.structs.replace(request, models=self._models or (self._chosen.router,), chosen=self._chosen)


def routed(chosen: Chosen, *models: str) -> Desk:
    desk = Desk("one")
    services = msgspec.structs.replace(desk.bench.services, routers=Chooser(chosen, *models))
    pipeline = Pipeline(services)
    desk.reports = RouteReports(services, {name: Explained(pipeline, skin) for name, skin in CONVERSATIONS.items()})
    return desk


@pytest.mark.parametrize("query", [b"", b"dialect=messages"])
def test_routers_choose_first(query: bytes) -> None:
    told = routed(Chosen("openrouter/auto", "coding"), "a/m").ask(query, model="openrouter/auto", max_tokens=9)
    assert (told["requested"], told["strategy"], told["endpoints"][0]["model"]) == ("openrouter/auto", "auto", "a/m")


def test_what_a_router_answers_itself_goes_nowhere() -> None:
    told = routed(Chosen("openrouter/bodybuilder", answer="text")).ask(model="openrouter/bodybuilder")
    assert [(one["provider"], one["predicted_cost_usd"]) for one in told["endpoints"]] == [("Trunkline", 0.0)]
    assert told["strategy"] == "bodybuilder"


def test_the_report_tells_what_hedging_would_do() -> None:
    desk = Desk("one", "two")
    assert "hedge" not in desk.ask(stream=True)
    desk.bench.services.attempts.hedging = Course([served("one"), served("two")]).hedging
    assert desk.ask()["hedge"] == {"why_not": "not_streamed"}
    assert desk.ask(stream=True)["hedge"] == {"why_not": "extra_load"}
    desk.bench.services.attempts.hedging.budget.request()
    told = desk.ask(stream=True, provider={"order": ["two", "one"]})["hedge"]
    assert told == {"after_seconds": pytest.approx(0.05, rel=0.02), "provider": "One", "tag": "one"}


class StagedDesk(Desk):
    """A server with plugins."""

    def __init__(self, *endpoints: Any, replies: Any = ()) -> None:
        self.bench = PluginBench(*replies, endpoints=endpoints)
        self.reports = RouteReports(
            self.bench.services, {name: Explained(self.bench.pipeline, skin) for name, skin in CONVERSATIONS.items()}
        )


LONG = [{"role": "user" if turn % 2 == 0 else "assistant", "content": "word " * 400} for turn in range(41)]


def test_a_small_endpoint_that_would_compress_by_itself_is_no_dead_end() -> None:
    desk = StagedDesk(served("one", context_length=8192))
    told = desk.ask(messages=LONG)
    assert [one["rank"] for one in told["endpoints"]] == [1]
    assert "error" not in told
    assert told["prompt_tokens"] <= 8192
    assert told["pipeline"][0]["type"] == "context_compression"
    off = desk.ask(messages=LONG, plugins=[{"id": "context-compression", "enabled": False}])
    assert (off["endpoints"], off["error"]["availability"]["excluded_by"]) == ([], ["context_length"])


def test_compression_that_is_asked_for_is_planned_with() -> None:
    told = StagedDesk(served("one", context_length=12_000)).ask(messages=LONG, plugins=[{"id": "context-compression"}])
    assert told["pipeline"][0]["data"]["messages_before"] == 41
    assert StagedDesk(served("one")).ask().get("pipeline") is None


@pytest.mark.parametrize("plugins", [[{"id": "web"}], [{"id": "zzz"}], [{"id": "context-compression", "engine": "x"}], 5])
@pytest.mark.parametrize("file", [False, True])
def test_plugins_that_the_call_would_refuse_are_refused(plugins: object, file: bool) -> None:
    part = {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"}}
    messages = [{"role": "user", "content": [part]}] if file else ASK["messages"]
    desk = StagedDesk(served("one"))
    with pytest.raises(ApiError) as refusal:
        desk.ask(plugins=plugins, messages=messages)
    call = desk.bench.ask(plugins=plugins, messages=messages)
    assert call.error is not None
    assert (refusal.value.status, refusal.value.message) == (400, call.error.message)


def test_files_are_not_read() -> None:
    desk = StagedDesk(served("one"))
    part = {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"}}
    assert desk.ask(messages=[{"role": "user", "content": [part]}])["endpoints"]
    assert desk.bench.engine.files == []  # type: ignore[attr-defined]


def test_where_the_conversation_was_is_told() -> None:
    caching = {"pricing": Pricing(prompt=10, completion=20, input_cache_read=1)}
    desk = Desk("one", "two", **caching)
    desk.bench.stick(Stickiness())
    desk.reports = RouteReports(desk.bench.services, {name: Explained(desk.bench.pipeline, skin) for name, skin in CONVERSATIONS.items()})
    desk.bench.ask(**ASK, session_id="s", provider={"only": ["one"]})
    told = desk.ask(session_id="s")["endpoints"]
    assert (told[0]["tag"], told[0]["decided_by"], told[0]["notes"]) == ("one", "sticky", ["sticky"])
