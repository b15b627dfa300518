"""Generation ids and key hashes."""

import hashlib
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.protocol.identity import generation_bytes, generation_text, is_api_key, key_hash, key_label, unix_ms, uuid7

times = st.integers(min_value=0, max_value=2**48 - 1)
randoms = st.binary(min_size=10, max_size=10)


@given(times, randoms)
def test_uuid7_has_its_version_variant_and_time(ms: int, random: bytes) -> None:
    made = uuid.UUID(bytes=uuid7(ms, random))
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert unix_ms(made.bytes) == ms


@given(times, randoms)
def test_text_is_reversible_and_has_openrouters_shape(ms: int, random: bytes) -> None:
    made = uuid7(ms, random)
    text = generation_text(made)
    assert text.startswith(f"gen-{ms // 1000}-")
    assert generation_bytes(text) == made


@given(times, times, randoms)
def test_bytes_sort_by_time(one: int, other: int, random: bytes) -> None:
    assert (uuid7(one, random) < uuid7(other, random)) == (one < other) or one == other


@given(st.text(max_size=40))
def test_other_text_is_no_id(text: str) -> None:
    with pytest.raises(ValueError, match="not a generation id"):
        generation_bytes(text)


def test_a_changed_time_is_noticed() -> None:
    text = generation_text(uuid7(1_795_404_218_000, bytes(10)))
    with pytest.raises(ValueError, match="not a generation id"):
        generation_bytes(text.replace("1795404218", "1795404219"))
    with pytest.raises(ValueError, match="not a generation id"):
        generation_bytes("gen-0-" + "z" * 22)


def test_keys() -> None:
    key = "sk-or-v1-0e6f" + "a" * 56 + "1c96"
    assert is_api_key(key)
    assert key_label(key) == "sk-or-v1-0e6...1c96"
    assert key_hash(key) == hashlib.sha256(key.encode()).hexdigest()


@pytest.mark.parametrize("rest", ["", "A" * 64, "a" * 63, "a" * 65, "a" * 64 + "\n"])
def test_other_text_is_no_key(rest: str) -> None:
    assert not is_api_key("sk-or-v1-" + rest)
    assert not is_api_key(rest)
