"""Vectors as lists and as base64."""

import base64
import struct

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.dialects.embeddings.vectors import as_asked, encoded
from trunkline.errors import MalformedResponse

FLOATS = st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=20)


@given(FLOATS)
def test_base64_and_back(floats: list[float]) -> None:
    as_base64 = bytes(as_asked(msgspec.json.encode(floats), as_base64=True))
    assert base64.b64decode(msgspec.json.decode(as_base64)) == struct.pack(f"<{len(floats)}f", *floats)
    assert msgspec.json.decode(bytes(as_asked(as_base64, as_base64=False))) == floats


def test_what_is_wanted_passes_byte_for_byte() -> None:
    assert bytes(as_asked(b"[1.00, 2e-1]", as_base64=False)) == b"[1.00, 2e-1]"
    text = b'"' + encoded([1.5]).encode() + b'"'
    assert bytes(as_asked(text, as_base64=True)) == text


@pytest.mark.parametrize("as_base64", [True, False])
@pytest.mark.parametrize("raw", [b"[]", b"null", b'["a"]', b'"!!"', b'""', b'"AAA="', b"{}", b"[1,null]", b"[1e39]x", b'"AADAfw=="', b"7"])
def test_what_is_no_vector(raw: bytes, as_base64: bool) -> None:
    with pytest.raises(MalformedResponse):
        as_asked(raw, as_base64=as_base64)


def test_a_number_out_of_range() -> None:
    with pytest.raises(MalformedResponse, match="range"):
        as_asked(b"[1e39]", as_base64=True)
