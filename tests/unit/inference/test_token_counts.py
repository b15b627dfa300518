"""Counts of input tokens: an estimate, or the endpoint's own answer."""

import asyncio
from typing import Any

import msgspec
import pytest
from pipelines import JSON_HEADERS, Bench, Outcome, never, served

from trunkline.errors import ApiError, ConnectFailed, ConnectionLost
from trunkline.inference.call import Call, Mint
from trunkline.inference.reply import AsgiReply
from trunkline.inference.skins import MESSAGES
from trunkline.inference.token_counts import PATH, TokenCounts
from trunkline.protocol.catalogue import Auth
from trunkline.protocol.principal import Principal
from trunkline.protocol.quirks import Quirks
from trunkline.protocol.request import Chosen, InboundRequest
from trunkline.providers.credentials import Credentials
from trunkline.transport.fake import FakeReply

ANTHROPIC = served("one", dialect="messages", base_url="http://one.test", auth=Auth(style="header", header="x-api-key", source="env:KEY"))
COUNTED = FakeReply(200, JSON_HEADERS, [b'{"input_tokens":42}'])


def ask(bench: Bench, *, headers: dict[bytes, bytes] | None = None, **fields: Any) -> Outcome:
    """Ask for a count as an agent does."""
    bench.routes.credentials = Credentials({"KEY": "secret"})
    body = {"model": "a/m", "messages": [{"role": "user", "content": "x" * 400}], **fields}
    call = Call(headers or {b"x-api-key": b"good"}, msgspec.json.encode(body), Mint(), MESSAGES)
    counts = TokenCounts(bench.services, bench.client, bench.routes)

    async def run() -> Outcome:
        outcome = Outcome()
        try:
            await counts.run(call, AsgiReply(outcome.send, never, []))
        except ApiError as error:
            outcome.error = error
        return outcome

    return asyncio.run(run())


def test_the_count_of_an_endpoint_that_cannot_count_is_an_estimate() -> None:
    outcome = ask(Bench([served("one")]))
    assert (outcome.status, outcome.body) == (200, b'{"input_tokens":100}')


def test_what_was_learnt_of_a_model_counts() -> None:
    bench = Bench([served("one")])
    bench.estimates.observe("a/m", text_bytes=1000, prompt_tokens=500, output_tokens=1)
    assert ask(bench).json == {"input_tokens": 200}


def test_an_endpoint_of_the_dialect_counts_itself() -> None:
    bench = Bench([ANTHROPIC], COUNTED)
    assert ask(bench, provider={"order": ["one"]}, max_tokens=9, temperature=0.5).json == {"input_tokens": 42}
    (sent,) = bench.client.sent
    assert sent.target.url == "http://one.test/v1/messages/count_tokens"
    head = sent.target.request(b"", b"").lower()
    assert b"x-api-key: secret" in head
    assert b"anthropic-version: 2023-06-01" in head
    assert msgspec.json.decode(sent.body) == {"model": "m", "messages": [{"role": "user", "content": "x" * 400}]}
    assert bench.ledgers.records == []
    assert bench.ledgers.settled == []


def test_the_count_is_asked_for_with_the_experiments_of_the_call() -> None:
    bench = Bench([msgspec.structs.replace(ANTHROPIC, quirks=Quirks(betas={"*": ""}))], COUNTED)
    ask(bench, headers={b"x-api-key": b"good", b"anthropic-beta": b"context-management-2025-06-27"}, context_management={"edits": []})
    assert bench.client.sent[0].extra_headers == b"anthropic-beta: context-management-2025-06-27\r\n"


@pytest.mark.parametrize(
    "reply",
    [
        ConnectFailed("refused"),
        FakeReply(529, JSON_HEADERS, [b'{"type":"error"}']),
        FakeReply(200, JSON_HEADERS, [b"{}"]),
        FakeReply(200, JSON_HEADERS, [b'{"input', ConnectionLost("cut")]),
    ],
    ids=["refused", "overloaded", "no count", "cut"],
)
def test_an_endpoint_that_does_not_answer_is_replaced_by_an_estimate(reply: Any) -> None:
    assert ask(Bench([ANTHROPIC], reply)).json == {"input_tokens": 100}


def test_an_address_without_a_count_is_not_asked() -> None:
    vertex = msgspec.structs.replace(ANTHROPIC, quirks=Quirks(path="/models/{model}:rawPredict"))
    assert ask(Bench([vertex])).json == {"input_tokens": 100}


def test_a_prompt_that_fits_nowhere_is_counted_too() -> None:
    assert ask(Bench([served("one", context_length=10)])).json == {"input_tokens": 100}


def test_only_endpoints_that_the_caller_allows_are_asked() -> None:
    bench = Bench([ANTHROPIC, served("two")])
    assert ask(bench, provider={"only": ["two"]}).json == {"input_tokens": 100}
    outcome = ask(bench, provider={"only": ["three"]})
    assert outcome.error is not None
    assert outcome.error.status == 404


@pytest.mark.parametrize(
    ("headers", "status"), [({b"x-api-key": b"bad"}, 401), ({b"authorization": b"Bearer manager"}, 403)], ids=["unknown", "management"]
)
def test_who_may_not_ask(headers: dict[bytes, bytes], status: int) -> None:
    outcome = ask(Bench([served("one")]), headers=headers)
    assert outcome.error is not None
    assert outcome.error.status == status


def test_what_is_no_request_is_told() -> None:
    outcome = ask(Bench([served("one")]), messages="hello")
    assert outcome.error is not None
    assert outcome.error.error_type == "invalid_request"
    assert ask(Bench([served("one")]), model="a/none").error is not None


def test_the_path_is_anthropics() -> None:
    assert PATH == "/api/v1/messages/count_tokens"


class Chooses:
    """Stands for the routers: chooses a model, or answers itself."""

    def __init__(self, chosen: Chosen, *models: str) -> None:
        self.chosen, self.models = chosen, models

    async def expand(self, _call: Call, _principal: Principal, request: InboundRequest) -> InboundRequest:
        return msgspec.structs.replace(request, models=self.models, chosen=self.chosen)


@pytest.mark.parametrize(
    ("chosen", "models", "count"),
    [
        (Chosen("openrouter/auto", "general:math"), ("a/m",), 42),
        (Chosen("openrouter/bodybuilder", answer="{}"), ("openrouter/bodybuilder",), 100),
    ],
)
def test_a_router_chooses_first(chosen: Chosen, models: tuple[str, ...], count: int) -> None:
    bench = Bench([ANTHROPIC], COUNTED)
    bench.services = msgspec.structs.replace(bench.services, routers=Chooses(chosen, *models))
    assert ask(bench, model=chosen.router).json == {"input_tokens": count}


def test_an_alias_stands_for_its_model() -> None:
    bench = Bench([served("one", model="a/m-2", id="a/m-2@one")])
    assert ask(bench, model="~a/m-latest").json == {"input_tokens": 100}
