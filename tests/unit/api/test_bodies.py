"""JSON bodies: a Struct or a 400 that names the field, whatever is sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Struct, UnsetType

from trunkline.api.bodies import MAX_BYTES, decode
from trunkline.errors import ApiError


class Body(Struct):
    name: str
    limit: float | UnsetType | None = UNSET
    tags: list[str] = []


def test_fields_beyond_the_contract_are_ignored() -> None:
    assert decode(b'{"name": "x", "external": {"user": "y"}, "later": [1]}', Body) == Body("x")


def test_absent_and_null_differ() -> None:
    assert decode(b'{"name": "x"}', Body).limit is UNSET
    assert decode(b'{"name": "x", "limit": null}', Body).limit is None


def test_the_last_of_a_duplicate_key_counts() -> None:
    assert decode(b'{"name": "x", "name": "y"}', Body).name == "y"


@pytest.mark.parametrize(
    ("body", "field"),
    [(b"{}", "name"), (b'{"name": 5}', "name"), (b'{"name": "x", "limit": "1"}', "limit"), (b'{"name": "x", "tags": [1]}', "tags[0]")],
)
def test_the_error_names_the_field(body: bytes, field: str) -> None:
    with pytest.raises(ApiError) as refused:
        decode(body, Body)
    assert refused.value.status == 400
    assert refused.value.message.startswith(f"{field}: ")
    assert refused.value.metadata == {"field": field}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  \n",
        b"[]",
        b"null",
        b"7",
        b'"x"',
        b"{",
        b"{'name': 'x'}",
        b'{"name": "x"} trailing',
        b'{"name": "x", "limit": NaN}',
        b'{"name": "x", "limit": -Infinity}',
        b'{"name": "x", "limit": 1e999}',
        b'{"name": "\xff"}',
        b"\xff\xfe{",
        b'{"name": "\\ud800"}',
        b'{"name": "x", "deep": ' + b"[" * (MAX_BYTES - 64),
        b'{"name": "x", "deep": ' + b"[" * 30000 + b"]" * 30000 + b"}",
    ],
)
def test_nonsense_is_a_400(body: bytes) -> None:
    with pytest.raises(ApiError) as refused:
        decode(body, Body)
    assert refused.value.status == 400
    assert refused.value.message


@given(st.binary(max_size=300))
def test_no_bytes_do_anything_else(body: bytes) -> None:
    try:
        decode(body, Body)
    except ApiError as error:
        assert error.status == 400
