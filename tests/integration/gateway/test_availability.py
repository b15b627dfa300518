"""Every code of `error.availability`, over the wire: in three dialects, before a stream and without one (contract 2.12)."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from clients import call
from gateway import Gateway

from trunkline.mock.script import Fault, Match, Rule
from trunkline.mock.thread import MockServer

PATHS = {"chat": "/api/v1/chat/completions", "responses": "/api/v1/responses", "messages": "/api/v1/messages"}
ASKED: dict[str, dict[str, Any]] = {
    "chat": {"messages": [{"role": "user", "content": "hi"}]},
    "responses": {"input": "hi"},
    "messages": {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 9},
}
ANTHROPIC = {
    "invalid_request": "invalid_request_error",
    "not_found": "not_found_error",
    "rate_limit_exceeded": "rate_limit_error",
    "provider_overloaded": "overloaded_error",
    "permission_denied": "permission_error",
}
PAIR = "a pair"
"""In place of a model: one with two endpoints that no other case uses."""


class Case(NamedTuple):
    """How a code comes about: the model, more fields, and the status of every upstream, 0 = it is not asked. `routed`: by the router."""

    model: str
    status: int
    error_type: str
    fields: dict[str, Any] = {}
    upstream: int = 0
    routed: bool = True
    retryable: bool = False


CASES = {
    "model_not_found": Case("acme/fake-1.0", 400, "invalid_request", routed=False),
    "wrong_endpoint": Case("openai/text-embedding-3-small", 400, "invalid_request", routed=False),
    "no_endpoints": Case("openai/gpt-5.2", 404, "not_found", routed=False),
    "model_deprecated": Case("google/gemini-3-pro-image-preview", 404, "not_found", routed=False),
    "free_variant_ended": Case("acme/echo-1:free", 404, "not_found", routed=False),
    "privacy_restricted": Case("acme/echo-1", 404, "not_found", {"provider": {"zdr": True}}),
    "constraint_filtered": Case("acme/echo-1", 404, "not_found", {"provider": {"max_price": {"prompt": 0.01}}}),
    "capacity_exhausted": Case(PAIR, 429, "rate_limit_exceeded", upstream=429, retryable=True),
    "temporarily_unavailable": Case(PAIR, 503, "provider_overloaded", upstream=503, retryable=True),
    "model_unavailable_upstream": Case(PAIR, 404, "not_found", upstream=404),
    "region_restricted": Case(PAIR, 403, "permission_denied", upstream=451),
}


@pytest.fixture(scope="module")
def numbers(pairs: Iterator[int]) -> dict[str, int]:
    """A pair for each code, since what the router learns of one must not change another."""
    return {code: next(pairs) for code, case in CASES.items() if case.model == PAIR}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("dialect", PATHS)
@pytest.mark.parametrize("code", CASES)
def test_each_code(gateway: Gateway, upstream: MockServer, numbers: dict[str, int], code: str, dialect: str, stream: bool) -> None:
    case = CASES[code]
    model = f"pair/m{numbers[code]}" if case.model == PAIR else case.model
    upstream.use(Rule(match=Match(), fault=Fault(kind="status", status=case.upstream, message="The mock says no")))
    body = {"model": model, **ASKED[dialect], **case.fields, "stream": stream}
    answer = call(gateway, "POST", PATHS[dialect], json.dumps(body).encode(), headers={"x-openrouter-metadata": "enabled"})
    told = answer.json
    error = told["error"]
    available = error["availability"]
    assert (answer.status, error["error_type"]) == (case.status, case.error_type)
    assert (available["code"], available["retryable"], available["requested_models"]) == (code, case.retryable, [model])
    assert available["docs_url"].endswith(f"#{code}")
    assert call(gateway, "GET", available["docs_url"].partition("#")[0]).body.count(f'id="{code}"'.encode()) == 1
    assert ("openrouter_metadata" in told) == case.routed
    assert bool(upstream.seen()) == bool(case.upstream)
    if case.upstream:
        metadata = told["metadata"] if dialect == "messages" else error["metadata"]
        assert {row["status"] for row in metadata["previous_errors"]} == {case.upstream}
        assert available["affected_providers"] == ["Acme", "Beta"]
    if dialect == "messages":
        assert (told["type"], error["type"]) == ("error", ANTHROPIC[case.error_type])
        assert told["request_id"] == (answer.id if case.routed else None)
    if dialect == "responses":
        assert (told["error_type"], told["metadata"]) == (case.error_type, None)


def test_the_table_is_whole() -> None:
    assert len(CASES) == 11
