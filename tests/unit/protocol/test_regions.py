"""Which hosts ask for a region: every one that begins with it, but for the server's own name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.protocol.regions import FORWARDED, PREFIXES, asked_region, region_of


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("eu.localhost:8787", "europe"),
        ("us.localhost", "us"),
        ("EU.Gateway.Example.com", "europe"),
        ("eu.127.0.0.1:8787", "europe"),
        ("localhost:8787", ""),
        ("europe.example.com", ""),
        ("gateway.eu.example.com", ""),
        ("eu", ""),
        ("eu.", ""),
        ("[::1]:8787", ""),
        ("", ""),
    ],
)
def test_a_host_that_begins_with_a_region_asks_for_it(host: str, region: str) -> None:
    assert region_of(host) == region


def test_the_own_name_of_a_server_asks_for_nothing() -> None:
    assert region_of("eu.example.com:443", "eu.example.com") == ""
    assert region_of("us.eu.example.com", "eu.example.com") == "us"
    assert region_of("eu.example.com", "example.com") == "europe"


def test_a_proxy_may_name_the_host_that_was_asked_for() -> None:
    assert asked_region({b"host": b"127.0.0.1:8787", FORWARDED: b"eu.example.com"}) == "europe"
    assert asked_region({b"host": b"127.0.0.1:8787", FORWARDED: b"a.example.com, us.example.com"}) == "us"
    assert asked_region({b"host": b"eu.example.com", FORWARDED: b"us.example.com"}) == "europe"
    assert asked_region({FORWARDED: b"eu.example.com"}, "eu.example.com") == ""
    assert asked_region({}) == ""


@given(st.text(st.sampled_from("eEuUsS."), min_size=3, max_size=3), st.text(st.characters(codec="ascii"), max_size=12))
def test_one_look_at_three_bytes_misses_no_region(start: str, rest: str) -> None:
    host = start + rest
    assert not region_of(host) or host.encode()[:3] in PREFIXES or host != host.strip()
