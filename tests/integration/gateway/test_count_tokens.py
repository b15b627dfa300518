"""Counts of tokens over the wire, as agents ask for them."""

import json

from clients import Answer, call
from gateway import API_KEY, Gateway

from trunkline.mock.thread import MockServer

PATH = "/api/v1/messages/count_tokens"


def count(gateway: Gateway, key: str, **fields: object) -> Answer:
    """One count, asked with the header that Anthropic's clients use."""
    body = {"model": "acme/echo-1", "messages": [{"role": "user", "content": "x" * 400}], **fields}
    return call(gateway, "POST", PATH, json.dumps(body).encode(), key=None, headers={"x-api-key": key})


def test_a_count_is_answered_without_a_generation(gateway: Gateway, upstream: MockServer) -> None:
    answer = count(gateway, API_KEY)
    assert answer.status == 200
    assert set(answer.json) == {"input_tokens"}
    assert answer.json["input_tokens"] > 0
    assert upstream.seen() == ()


def test_errors_are_told_as_anthropic_tells_them(gateway: Gateway, upstream: MockServer) -> None:
    for status, kind, answer in (
        (401, "authentication_error", count(gateway, "sk-or-v1-" + "0" * 64)),
        (400, "invalid_request_error", count(gateway, API_KEY, messages="hello")),
    ):
        assert answer.status == status
        assert answer.json["type"] == "error"
        assert answer.json["error"]["type"] == kind
    assert upstream.seen() == ()
