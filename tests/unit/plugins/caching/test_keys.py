"""Which requests are identical."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.plugins.caching.keys import cache_key

BODY = b'{"model":"a/m","temperature":1,"messages":[{"role":"user","content":"a b"}]}'
SCOPE: dict[str, Any] = {"key_hash": "k", "operation": "chat", "models": ("a/m",), "stream": False}


def key(body: bytes = BODY, **changes: Any) -> bytes:
    return cache_key(body, **{**SCOPE, **changes})


def test_white_space_between_tokens_does_not_count() -> None:
    spaced = BODY.replace(b":", b" :\n ").replace(b"{", b"{\t")
    assert key(spaced) == key()
    assert len(key()) == 32


@pytest.mark.parametrize(
    "body",
    [
        BODY.replace(b"a b", b"a  b"),
        b'{"temperature":1,"model":"a/m","messages":[{"role":"user","content":"a b"}]}',
        b'{"model":"a/m","temperature":1,"messages":[{"content":"a b","role":"user"}]}',
        BODY.replace(b'"temperature":1', b'"temperature":1.0'),
        BODY.replace(b'"temperature":1,', b""),
    ],
)
def test_everything_else_in_a_body_does(body: bytes) -> None:
    assert key(body) != key()


@pytest.mark.parametrize(
    "changes", [{"key_hash": "l"}, {"operation": "messages"}, {"models": ("a/n",)}, {"models": ("a/m", "b")}, {"stream": True}]
)
def test_so_do_key_operation_model_and_stream(changes: dict[str, Any]) -> None:
    assert key(**changes) != key()


@given(st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_any_json_has_one_key_however_it_is_laid_out(value: Any) -> None:
    plain = msgspec.json.encode({"x": value})
    assert key(msgspec.json.format(plain, indent=3)) == key(plain)
