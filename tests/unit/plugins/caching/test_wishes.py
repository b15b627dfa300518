"""What headers and presets say of caching."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.plugins.caching.wishes import CachePreset, CacheWish, ttl, wish

ON = b"x-openrouter-cache"
TTL = b"x-openrouter-cache-ttl"
CLEAR = b"x-openrouter-cache-clear"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (b"60abc", 60),
        (b"1.5", 1),
        (b"0", 1),
        (b"999999", 86400),
        (b"abc", None),
        (b"", None),
        (b"-5", None),
        (b" 7", 7),
        (b"9" * 500, 86400),
    ],
)
def test_the_leading_digits_count(value: bytes, seconds: int | None) -> None:
    assert ttl(value) == seconds


@given(st.binary(max_size=40))
def test_any_header_gives_a_lawful_time_or_none(value: bytes) -> None:
    assert ttl(value) is None or 1 <= (ttl(value) or 0) <= 86400


@pytest.mark.parametrize(
    ("header", "preset", "on"),
    [
        (None, None, False),
        (b"true", None, True),
        (b"TRUE", None, True),
        (b"false", None, False),
        (b"1", None, False),
        (None, True, True),
        (b"false", True, False),
        (b"true", True, True),
        (b"true", False, False),
        (None, False, False),
        (b"nonsense", True, True),
    ],
)
def test_who_decides(header: bytes | None, preset: bool | None, on: bool) -> None:
    headers = {} if header is None else {ON: header}
    assert (wish(headers, CachePreset(preset)) is not None) is on


@pytest.mark.parametrize(
    ("header", "preset", "seconds"), [(b"60", 600, 60), (None, 600, 600), (None, None, 300), (b"abc", 600, 600), (None, 10**6, 86400)]
)
def test_whose_time_counts(header: bytes | None, preset: int | None, seconds: int) -> None:
    headers = {ON: b"true"} | ({} if header is None else {TTL: header})
    assert wish(headers, CachePreset(ttl_seconds=preset)) == CacheWish(seconds)


def test_clear_means_something_only_with_caching() -> None:
    assert wish({CLEAR: b"true"}) is None
    assert wish({ON: b"true", CLEAR: b"true"}) == CacheWish(300, clear=True)
    assert wish({ON: b"true", CLEAR: b"no"}) == CacheWish(300)
