"""Upstream bodies as debugging callers see them: only in streams, and without secrets."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from trunkline.dialects.chat.request import ChatRequest
from trunkline.inference.echo import HIDDEN, redacted, wanted

KEY = "sk-or-v1-" + "a1" * 20


def asking(debug: bytes, *, stream: bool = True) -> ChatRequest:
    return ChatRequest(fields={"debug": Raw(debug)}, models=("a/m",), stream=stream)


@pytest.mark.parametrize(
    ("debug", "told"),
    [
        (b'{"echo_upstream_body":true}', True),
        (b'{"echo_upstream_body":false}', False),
        (b'{"echo_upstream_body":"true"}', False),
        (b"{}", False),
        (b"null", False),
        (b"[1]", False),
    ],
)
def test_who_asks_is_shown(debug: bytes, told: bool) -> None:
    assert wanted(asking(debug)) is told


def test_whole_answers_show_nothing() -> None:
    assert not wanted(asking(b'{"echo_upstream_body":true}', stream=False))


def cleaned(value: object) -> object:
    return msgspec.json.decode(redacted(msgspec.json.encode(value)))


@pytest.mark.parametrize(
    "key", ["authorization", "Authorization", "api_key", "x-api-key", "apiKey", "access_token", "password", "client_secret", "auth_token"]
)
def test_what_stands_under_a_telling_name_is_hidden(key: str) -> None:
    assert cleaned({"tools": [{"type": "mcp", "headers": {key: "hunter2"}}]}) == {"tools": [{"type": "mcp", "headers": {key: HIDDEN}}]}


@pytest.mark.parametrize(
    "text",
    [
        f"use {KEY} please",
        "Bearer abcdefghijkl",
        "AKIAABCDEFGHIJKLMNOP",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
        "https://bucket.test/a.png?X-Amz-Signature=0123456789abcdef&x=1",
    ],
)
def test_secrets_known_by_their_form_are_hidden_inside_text(text: str) -> None:
    told = cleaned({"messages": [{"role": "user", "content": text}]})
    assert HIDDEN in str(told)
    for secret in (KEY, "abcdefghijkl", "AKIAABCDEFGHIJKLMNOP", "c2lnbmF0dXJl", "0123456789abcdef"):
        assert secret not in str(told)


@pytest.mark.parametrize(
    "value",
    [
        {"max_tokens": 5, "messages": [{"role": "user", "content": "what is a token?"}]},
        {"tools": [{"function": {"parameters": {"properties": {"password": {"type": "string"}, "token": {"type": "string"}}}}}]},
        {"prompt_cache_key": "k", "logit_bias": {"1": 2.5}, "stop": None, "stream": True},
        {"content": "Bearer of bad news, desk-bound task-force"},
    ],
)
def test_what_is_no_secret_stays(value: object) -> None:
    assert cleaned(value) == value


@pytest.mark.parametrize("body", [b"not json", b"", b"\xff\xfe", b"[" * 100_000])
def test_a_body_that_cannot_be_read_is_not_shown(body: bytes) -> None:
    assert msgspec.json.decode(redacted(body)) == {"bytes": len(body)}


@given(st.binary(max_size=200))
def test_any_bytes_give_json(body: bytes) -> None:
    msgspec.json.decode(redacted(body))
