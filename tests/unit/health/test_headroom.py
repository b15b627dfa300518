"""Rate-limit headers, as upstreams send them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.health.headroom import headroom

REQUESTS = (b"x-ratelimit-remaining-requests", b"x-ratelimit-limit-requests")
TOKENS = (b"x-ratelimit-remaining-tokens", b"x-ratelimit-limit-tokens")


def told(**pairs: tuple[bytes, bytes]) -> float | None:
    names = {"requests": REQUESTS, "tokens": TOKENS}
    headers = {name: value for kind, values in pairs.items() for name, value in zip(names[kind], values, strict=True)}
    return headroom(headers.get)


def test_an_answer_without_such_headers_says_nothing() -> None:
    assert headroom({b"content-type": b"application/json"}.get) is None


@pytest.mark.parametrize(
    ("remaining", "limit", "fraction"),
    [(b"59", b"60", 1.0), (b"30", b"60", 1.0), (b"29", b"60", 0.45), (b"6", b"60", 0.1), (b"2", b"60", 0.0), (b"0", b"60", 0.0)],
)
def test_the_fraction_is_told_in_steps_and_half_is_enough(remaining: bytes, limit: bytes, fraction: float) -> None:
    assert told(requests=(remaining, limit)) == fraction


def test_the_scarcest_limit_counts() -> None:
    assert told(requests=(b"500", b"500"), tokens=(b"1000", b"10000")) == 0.1


def test_the_other_family_of_names_is_known() -> None:
    headers = {b"anthropic-ratelimit-tokens-remaining": b"10", b"anthropic-ratelimit-tokens-limit": b"50"}
    assert headroom(headers.get) == 0.2


@pytest.mark.parametrize(("remaining", "limit"), [(b"many", b"60"), (b"5", b""), (b"5", b"0"), (b"-1", b"60"), (b"9" * 16, b"60")])
def test_what_is_no_pair_of_numbers_says_nothing(remaining: bytes, limit: bytes) -> None:
    assert told(requests=(remaining, limit)) is None


@given(st.binary(max_size=20), st.binary(max_size=20))
def test_whatever_an_upstream_sends_is_a_fraction_or_nothing(remaining: bytes, limit: bytes) -> None:
    fraction = told(requests=(remaining, limit))
    assert fraction is None or 0 <= fraction <= 1
