"""Whole answers that upstreams ended with an error after words (contract 2.5, "Non-stream equivalent"): another endpoint first, then what
there is, with the error inside, free of charge."""

from collections.abc import Iterator
from typing import Any

import pytest
from clients import CHAT, Answer, call, chat, chat_body, get, send, until
from gateway import MANAGEMENT_KEY, Gateway

from trunkline.mock.script import Answer as Said
from trunkline.mock.script import Match, Rule
from trunkline.mock.thread import MockServer

ORDER = {"order": ["acme", "beta"]}


def failing(upstream: MockServer, number: int, first: str = "Par", second: str = "Paris is") -> None:
    """Both endpoints of a pair say something and fail."""
    upstream.use(
        Rule(match=Match(model=f"first-{number}"), answer=Said(text=first, finish_reason="error")),
        Rule(match=Match(model=f"second-{number}"), answer=Said(text=second, finish_reason="error")),
    )


def generation(gateway: Gateway, answer: Answer) -> dict[str, Any]:
    found = get(gateway, f"/generation?id={answer.id}")
    assert found.status == 200
    return found.json["data"]  # type: ignore[no-any-return]


def test_an_endpoint_that_answers_in_full_comes_first(gateway: Gateway, upstream: MockServer, pairs: Iterator[int]) -> None:
    number = next(pairs)
    upstream.use(
        Rule(match=Match(model=f"first-{number}"), answer=Said(text="Par", finish_reason="error")), Rule(answer=Said(text="Paris."))
    )
    answer = chat(gateway, model=f"pair/m{number}", provider=ORDER)
    assert answer.status == 200
    assert answer.json["choices"][0]["message"]["content"] == "Paris."
    assert answer.json["choices"][0]["finish_reason"] == "stop"
    assert answer.json["usage"]["cost"] > 0


def test_the_best_partial_answer_is_given_free_of_charge_and_recorded_once(
    gateway: Gateway, upstream: MockServer, pairs: Iterator[int]
) -> None:
    number = next(pairs)
    failing(upstream, number)
    made = send(gateway, "POST", "/keys", key=MANAGEMENT_KEY, name="partial", limit=1).json
    answer = chat(gateway, key=made["key"], model=f"pair/m{number}", provider=ORDER)
    assert answer.status == 200, answer.body
    choice = answer.json["choices"][0]
    assert choice["message"]["content"] == "Paris is"
    assert choice["finish_reason"] == "error"
    assert choice["error"]["code"] == 502
    assert choice["error"]["metadata"]["error_type"] == "provider_unavailable"
    assert [one["provider"] for one in choice["error"]["metadata"]["previous_errors"]] == ["Acme"]
    assert answer.json["usage"]["cost"] == 0
    told = get(gateway, f"/generation?id={answer.id}", key=made["key"]).json["data"]
    assert (told["total_cost"], told["finish_reason"], told["provider_name"]) == (0, "error", "Beta")
    assert len(upstream.seen()) == 2
    spent: dict[str, Any] = {}

    def charged() -> bool:
        spent.update(get(gateway, f"/keys/{made['data']['hash']}", key=MANAGEMENT_KEY).json["data"])
        return bool(spent["usage"] > 0)

    upstream.use(Rule(answer=Said(text="Paris.")))
    whole = chat(gateway, key=made["key"], model=f"pair/m{number}", provider=ORDER)
    until(charged)
    assert spent["usage"] == pytest.approx(whole.json["usage"]["cost"])


def test_a_failed_response_holds_what_was_said(gateway: Gateway, upstream: MockServer, pairs: Iterator[int]) -> None:
    number = next(pairs)
    failing(upstream, number)
    answer = send(gateway, "POST", "/responses", model=f"pair/m{number}", input="hi", provider=ORDER)
    assert answer.status == 200, answer.body
    got = answer.json
    assert (got["status"], got["output_text"], got["error_type"]) == ("failed", "Paris is", "provider_unavailable")
    assert got["usage"]["cost"] == 0
    assert generation(gateway, answer)["finish_reason"] == "error"


def test_messages_have_no_failed_answer_but_the_error(gateway: Gateway, upstream: MockServer, pairs: Iterator[int]) -> None:
    number = next(pairs)
    failing(upstream, number)
    body: dict[str, Any] = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 9}
    answer = send(gateway, "POST", "/messages", model=f"pair/m{number}", provider=ORDER, **body)
    assert answer.status == 503
    assert answer.json["error"]["type"] == "overloaded_error"


def test_a_partial_answer_is_not_kept_for_later(gateway: Gateway, upstream: MockServer, pairs: Iterator[int]) -> None:
    number = next(pairs)
    failing(upstream, number)
    body = chat_body(model=f"pair/m{number}", provider=ORDER)

    def asked() -> Answer:
        return call(gateway, "POST", CHAT, body, headers={"X-OpenRouter-Cache": "true"})

    assert asked().json["choices"][0]["finish_reason"] == "error"
    upstream.use(Rule(answer=Said(text="Paris.")))
    for status in ("MISS", "HIT"):
        answer = asked()
        assert answer.headers["x-openrouter-cache-status"] == status
        assert answer.json["choices"][0]["message"]["content"] == "Paris."
