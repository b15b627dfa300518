"""CORS: open operations answer any origin without credentials; nothing but header names is echoed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.api import cors

INFERENCE = "/api/v1/chat/completions"


@pytest.mark.parametrize(
    "path",
    [
        INFERENCE,
        "/api/v1/completions",
        "/api/v1/models",
        "/api/v1/model/acme/echo-1",
        "/api/v1/providers",
        "/api/v1/key",
        "/api/v1/auth/keys",
    ],
)
def test_open_paths_answer_a_preflight_for_any_origin(path: str) -> None:
    headers = dict(cors.preflight(path, [(b"origin", b"https://app.example")]) or [])
    assert headers[b"access-control-allow-origin"] == b"*"
    assert b"access-control-allow-credentials" not in headers
    assert b"OPTIONS" in headers[b"access-control-allow-methods"]
    assert headers[b"access-control-allow-headers"] == cors.DEFAULT_REQUEST_HEADERS


@pytest.mark.parametrize(
    "path", ["/api/v1/keys", "/api/v1/keys/abc", "/api/v1/credits", "/api/v1/workspaces", "/health", "/", "/api/v1/unknown"]
)
def test_management_and_unknown_paths_have_no_preflight(path: str) -> None:
    assert cors.preflight(path, []) is None
    assert cors.response_headers(path) == ()


def test_methods_are_those_of_the_path() -> None:
    assert dict(cors.preflight(INFERENCE, []) or [])[b"access-control-allow-methods"] == b"POST, OPTIONS"


def test_well_formed_header_names_are_echoed() -> None:
    asked = [(b"access-control-request-headers", b"authorization, x-title,content-type")]
    assert dict(cors.preflight(INFERENCE, asked) or [])[b"access-control-allow-headers"] == b"authorization, x-title, content-type"


@pytest.mark.parametrize("evil", [b"a\r\nset-cookie: x", b"a b", b"\xff", b"(", b"x" * 129])
def test_malformed_header_names_are_left_out(evil: bytes) -> None:
    asked = [(b"access-control-request-headers", b"x-title," + evil)]
    assert dict(cors.preflight(INFERENCE, asked) or [])[b"access-control-allow-headers"] == b"x-title"


@given(st.binary(max_size=200))
def test_whatever_is_asked_no_control_byte_is_echoed(asked: bytes) -> None:
    echoed = dict(cors.preflight(INFERENCE, [(b"access-control-request-headers", asked)]) or [])[b"access-control-allow-headers"]
    assert all(0x20 <= byte < 0x7F for byte in echoed)


def test_an_endless_list_is_cut() -> None:
    asked = [(b"access-control-request-headers", b",".join(b"x-%d" % number for number in range(1000)))]
    assert dict(cors.preflight(INFERENCE, asked) or [])[b"access-control-allow-headers"].count(b",") == 63


def test_answers_expose_what_clients_read() -> None:
    exposed = dict(cors.response_headers(INFERENCE))[b"access-control-expose-headers"]
    for name in (b"X-Generation-Id", b"Retry-After", b"X-RateLimit-Remaining", b"X-OpenRouter-Cache-Status"):
        assert name in exposed
