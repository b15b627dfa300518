"""`openrouter_metadata` (contract 2.13): asked for by header, in three dialects, on answers and errors, streamed and whole."""

from typing import Any

import msgspec
import pytest
from msgspec import structs
from pipelines import Bench, Outcome, answer, event, served, stream, words

from trunkline.dialects.chat.request import ChatRequest
from trunkline.dialects.hub.conversation import Conversation
from trunkline.errors import ConnectFailed, ConnectionLost
from trunkline.inference.call import Call, Mint
from trunkline.inference.metadata import describe, strategy
from trunkline.inference.pipeline import Pipeline
from trunkline.inference.skins import CHAT, MESSAGES, RESPONSES, TEXT, Skin
from trunkline.inference.staging import Staging
from trunkline.protocol.catalogue import Model
from trunkline.protocol.quirks import Quirks
from trunkline.protocol.request import Chosen
from trunkline.transport.fake import FakeReply

LATER = b"x-openrouter-metadata"
EARLIER = b"x-openrouter-experimental-metadata"
ASK = {"messages": [{"role": "user", "content": "hi"}]}
BODIES: dict[str, tuple[Skin, dict[str, Any]]] = {
    "chat": (CHAT, ASK),
    "completions": (TEXT, {"prompt": "hi"}),
    "messages": (MESSAGES, {**ASK, "max_tokens": 5}),
    "responses": (RESPONSES, {"input": "hi"}),
}
KEY = "openrouter_metadata"


def ask(bench: Bench, dialect: str = "chat", *, headers: dict[bytes, bytes] | None = None, **fields: Any) -> Outcome:
    skin, body = BODIES[dialect]
    asked = {LATER: b"enabled"} if headers is None else headers
    data = msgspec.json.encode({"model": "a/m", **body, **fields})
    return bench.send(Call({b"authorization": b"Bearer good", **asked}, data, Mint(), skin))


def payloads(outcome: Outcome) -> list[Any]:
    """The data of each event of a stream."""
    lines = [line.removeprefix(b"data: ") for line in outcome.body.split(b"\n") if line.startswith(b"data: ")]
    return [msgspec.json.decode(line) for line in lines if line != b"[DONE]"]


def metadata_of(event: Any) -> Any:
    """Where a dialect's last event carries it."""
    return event.get("response", event).get(KEY)


@pytest.mark.parametrize("dialect", BODIES)
def test_a_whole_answer_carries_it(dialect: str) -> None:
    told = ask(Bench([served("one"), served("two")], answer()), dialect, provider={"order": ["one"]}).json[KEY]
    assert {key: told[key] for key in ("requested", "strategy", "region", "summary", "attempt", "is_byok", "attempts")} == {
        "requested": "a/m",
        "strategy": "direct",
        "region": None,
        "summary": "available=2, selected=One",
        "attempt": 1,
        "is_byok": False,
        "attempts": [{"provider": "One", "model": "a/m", "status": 200}],
    }
    assert told["endpoints"]["total"] == 2
    assert [(one["provider"], one["model"], one["selected"]) for one in told["endpoints"]["available"]] == [
        ("One", "a/m", True),
        ("Two", "a/m", False),
    ]
    assert "params" not in told and "pipeline" not in told


@pytest.mark.parametrize("dialect", BODIES)
def test_the_last_event_of_a_stream_carries_it(dialect: str) -> None:
    *earlier, last = payloads(ask(Bench([served("one")], stream(*words("Paris."))), dialect, stream=True))
    assert metadata_of(last)["attempt"] == 1
    assert all(metadata_of(one) is None for one in earlier)


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("dialect", BODIES)
def test_who_does_not_ask_gets_none(dialect: str, streamed: bool) -> None:
    reply = stream(*words("Paris.")) if streamed else answer()
    assert KEY.encode() not in ask(Bench([served("one")], reply), dialect, headers={}, stream=streamed).body


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({LATER: b"Enabled"}, True),
        ({EARLIER: b"ENABLED"}, True),
        ({LATER: b"disabled"}, False),
        ({LATER: b"true"}, False),
        ({LATER: b"disabled", EARLIER: b"enabled"}, False),
        ({LATER: b""}, False),
    ],
)
def test_the_header_and_its_older_name(headers: dict[bytes, bytes], told: bool) -> None:
    assert (KEY in ask(Bench([served("one")], answer()), headers=headers).json) is told


def test_the_second_attempt_succeeds() -> None:
    bench = Bench([served("one"), served("two")], ConnectFailed("refused"), answer())
    told = ask(bench, provider={"order": ["one", "two"]}).json[KEY]
    assert (told["attempt"], told["summary"]) == (2, "available=2, selected=Two")
    assert told["attempts"] == [{"provider": "One", "model": "a/m", "status": 0}, {"provider": "Two", "model": "a/m", "status": 200}]


@pytest.mark.parametrize("dialect", BODIES)
def test_an_error_carries_it_and_the_generation(dialect: str) -> None:
    limit = FakeReply(429, {"retry-after": "40"}, [b'{"error":{"message":"slow down"}}'])
    bench = Bench([served("one"), served("two")], limit, limit)
    error = ask(bench, dialect, provider={"order": ["one", "two"]}).error
    assert error is not None and error.status == 429
    body = msgspec.json.decode(BODIES[dialect][0].render(error))
    assert (body[KEY]["attempt"], body[KEY]["summary"]) == (2, "available=2, selected=none")
    assert [one["status"] for one in body[KEY]["attempts"]] == [429, 429]
    availability = body["error"]["availability"]
    assert (availability["code"], availability["retry_after"]) == ("capacity_exhausted", 40)
    assert dict(error.headers) == {"retry-after": "40"}
    if dialect == "messages":
        assert body["request_id"].startswith("gen-")


@pytest.mark.parametrize("dialect", BODIES)
def test_the_sample_of_the_contract_a_provider_that_does_not_serve_the_model(dialect: str) -> None:
    """Contract 9.1, [Provider Routing], and 9.3, [Router Metadata]: attempt 0, one endpoint that is not selected."""
    error = ask(Bench([served("one")]), dialect, provider={"only": ["zeta"]}).error
    assert error is not None and error.status == 404
    assert "one" in error.message and "zeta" in error.message
    told = msgspec.json.decode(BODIES[dialect][0].render(error))[KEY]
    assert (told["attempt"], told["summary"]) == (0, "available=0, selected=none")
    assert told["endpoints"]["total"] == 1
    (only,) = told["endpoints"]["available"]
    assert (only["selected"], only["excluded_by"], only["rule"]) == (False, "allowed_providers", "only")
    assert "attempts" not in told


@pytest.mark.parametrize("dialect", BODIES)
def test_an_error_without_the_wish_carries_none(dialect: str) -> None:
    error = ask(Bench([served("one")]), dialect, headers={}, provider={"only": ["zeta"]}).error
    assert error is not None
    body = msgspec.json.decode(BODIES[dialect][0].render(error))
    assert KEY not in body
    assert body["error"]["availability"]["code"] == "constraint_filtered"


def test_what_fails_before_the_router_has_none() -> None:
    error = ask(Bench([served("one")]), "messages", model="acme/fake-1.0").error
    assert error is not None
    body = msgspec.json.decode(MESSAGES.render(error))
    assert KEY not in body and body["request_id"] is None


@pytest.mark.parametrize("dialect", BODIES)
def test_an_error_inside_a_stream_carries_it(dialect: str) -> None:
    bench = Bench([served("one")], stream(event({"content": "Par"}), ConnectionLost("reset")))
    last = payloads(ask(bench, dialect, stream=True))[-1]
    told = metadata_of(last)
    assert (told["attempt"], told["summary"]) == (1, "available=1, selected=none")
    assert told["attempts"] == [{"provider": "One", "model": "a/m", "status": 0}]


def test_parameters_that_did_not_get_there_are_named() -> None:
    plain = served("one", supported_parameters=frozenset(("max_tokens", "top_p")))
    refusal = FakeReply(400, {}, [b'{"error":{"message":"Unsupported parameter: \'top_p\'","code":"unsupported_parameter"}}'])
    bench = Bench([plain], refusal, answer(), answer())
    dropped = ask(bench, temperature=0.5, top_p=0.9).json[KEY]["params"]["dropped"]
    assert dropped == [
        {"name": "temperature", "provider": "One", "by": "gateway", "reason": "unsupported"},
        {"name": "top_p", "provider": "One", "by": "provider", "reason": "refused"},
    ]
    again = ask(bench, top_p=0.9).json[KEY]
    assert again["params"]["dropped"] == [{"name": "top_p", "provider": "One", "by": "gateway", "reason": "refused_before"}]
    assert again["attempt"] == 1


def test_emulated_parameters_count_as_sent() -> None:
    lone = served("one", supported_parameters=frozenset(("structured_outputs",)))
    form = {"type": "json_object"}
    assert "params" not in ask(Bench([lone], answer("{}")), response_format=form).json[KEY]


CATALOGUE = Bench(
    [served("one"), served("two", model="a/n")],
    models=[Model(id="b/x", name="X", author="b", canonical_slug="b/x-2026-01-01", created=1, aliases=("b/older",))],
).catalogue


@pytest.mark.parametrize(
    ("models", "answered", "found"),
    [
        (("a/m",), "a/m", "direct"),
        (("A/M",), "a/m", "direct"),
        (("a/m:nitro",), "a/m", "direct"),
        (("a/m", "a/n"), "a/m", "direct"),
        (("a/m", "a/n"), "a/n", "fallback"),
        (("b/older",), "b/x", "alias"),
        (("b/older:floor",), "b/x", "alias"),
        (("b/x-2026-01-01",), None, "alias"),
        (("a/m",), None, "direct"),
    ],
)
def test_strategies(models: tuple[str, ...], answered: str | None, found: str) -> None:
    assert strategy(CATALOGUE, ChatRequest(fields={}, models=models), answered) == found


def test_without_an_exchange_nothing_was_tried() -> None:
    told = msgspec.json.decode(describe(CATALOGUE, ChatRequest(fields={}, model="a/m", models=("a/m",)), []))
    assert told == {
        "requested": "a/m",
        "strategy": "direct",
        "region": None,
        "summary": "available=0, selected=none",
        "attempt": 0,
        "is_byok": False,
        "endpoints": {"total": 0, "available": []},
    }


def test_what_stages_did_is_in_the_pipeline() -> None:
    bench = Bench([served("one")], answer('{"name": "Alice"'))
    staging = Staging(lambda: bench.catalogue, bench.estimates, {}, unloaded)
    bench.pipeline = Pipeline(structs.replace(bench.services, staging=staging))
    told = ask(bench, plugins=[{"id": "response-healing"}], response_format={"type": "json_object"}).json[KEY]
    assert [(one["type"], one["name"]) for one in told["pipeline"]] == [("response_healing", "response-healing")]


async def unloaded(conversation: Conversation) -> Conversation:
    return conversation


@pytest.mark.parametrize(
    ("router", "found"),
    [
        ("openrouter/auto", "auto"),
        ("openrouter/auto-beta", "auto"),
        ("openrouter/free", "free"),
        ("openrouter/pareto-code", "pareto"),
        ("openrouter/bodybuilder", "bodybuilder"),
        ("", "latest"),
    ],
)
def test_strategies_of_routers(router: str, found: str) -> None:
    request = ChatRequest(fields={}, model=router or "~a/m-latest", models=("a/m",), chosen=Chosen(router))
    assert strategy(CATALOGUE, request, "a/m") == found
    assert msgspec.json.decode(describe(CATALOGUE, request, []))["requested"] == (router or "~a/m-latest")


def test_the_task_that_a_router_saw_is_a_stage() -> None:
    request = ChatRequest(fields={}, model="openrouter/auto", models=("a/m",), chosen=Chosen("openrouter/auto", "coding"))
    told = msgspec.json.decode(describe(CATALOGUE, request, []))
    assert told["pipeline"] == [{"type": "plugin", "name": "auto-router", "data": {"task_type": "coding"}}]


@pytest.mark.parametrize(
    ("dialect", "lost"),
    [("messages", {"seed", "logit_bias"}), ("responses", {"seed", "logit_bias", "top_k"}), ("chat", set())],
)
def test_what_a_translation_has_no_word_for_is_named(dialect: str, lost: set[str]) -> None:
    """Pitfall 14: nothing is dropped silently."""
    one = served("one", dialect=dialect)
    bench = Bench([one], FakeReply(400, {}, [b'{"error":{"message":"no","code":"bad"}}']))
    outcome = ask(bench, seed=3, logit_bias={"5": 1}, top_k=4, temperature=0.5)
    assert outcome.error is not None and outcome.error.router is not None
    told = msgspec.json.decode(outcome.error.router).get("params", {"dropped": []})["dropped"]
    assert {row["name"] for row in told} == lost
    assert {(row["by"], row["reason"]) for row in told} <= {("gateway", "untranslated")}


@pytest.mark.parametrize("dialect", ["messages", "converse"])
@pytest.mark.parametrize(
    ("more", "names"),
    [
        ({"temperature": 0.5, "top_p": 0.9}, {"top_p"}),
        ({"temperature": 0.5, "top_k": 5, "reasoning": {"max_tokens": 1024}, "max_tokens": 4000}, {"temperature", "top_k"}),
        ({"top_p": 0.9}, set()),
        ({"temperature": 0.5, "reasoning": {"max_tokens": 3000}, "max_tokens": 2000}, set()),
    ],
    ids=["beside-temperature", "while-thinking", "alone", "not-to-be-written"],
)
def test_what_the_request_itself_rules_out_is_named(dialect: str, more: dict[str, Any], names: set[str]) -> None:
    """Pitfall 14: nothing is dropped silently."""
    one = served("one", dialect=dialect, quirks=Quirks(thinking="budget"))
    outcome = ask(Bench([one], FakeReply(400, {}, [b'{"error":{"message":"no","code":"bad"}}'])), **more)
    assert outcome.error is not None and outcome.error.router is not None
    told = msgspec.json.decode(outcome.error.router).get("params", {"dropped": []})["dropped"]
    assert told == [{"name": name, "provider": "One", "by": "gateway", "reason": "conflict"} for name in sorted(names)]


def test_what_passes_through_conflicts_with_nothing() -> None:
    one = served("one", dialect="messages", quirks=Quirks(thinking="budget"))
    outcome = ask(Bench([one], FakeReply(400, {}, [b'{"error":{"message":"no"}}'])), "messages", temperature=0.5, top_p=0.9)
    assert outcome.error is not None and outcome.error.router is not None
    assert "params" not in msgspec.json.decode(outcome.error.router)
