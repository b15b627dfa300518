"""Closed by default: the lock in front of management, dashboard and metrics."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline import settings
from trunkline.api.access import Lock, is_loopback_request
from trunkline.errors import ApiError

Header = tuple[str, str]


def scope(host: str | None, *headers: Header, peer: str | None = "127.0.0.1") -> dict[str, object]:
    pairs = [("host", host)] if host is not None else []
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in [*pairs, *headers]]
    return {"type": "http", "client": (peer, 50000) if peer else None, "headers": encoded}


def lock(host: str = "127.0.0.1", public_url: str = "", trusted_proxies: str = "") -> Lock:
    environ = {"TRUNKLINE_PUBLIC_URL": public_url, "TRUNKLINE_TRUSTED_PROXIES": trusted_proxies, "TRUNKLINE_DATA_DIR": str(Path("/unused"))}
    return Lock(settings.load({"host": host}, environ))


@pytest.mark.parametrize("host", ["localhost", "LocalHost:8787", "127.0.0.1", "127.0.0.1:8787", "127.9.9.9:1", "[::1]", "[::1]:8787"])
@pytest.mark.parametrize("peer", ["127.0.0.1", "127.0.0.53", "::1", "::ffff:127.0.0.1"])
def test_a_local_peer_asking_for_a_loopback_name_is_local(host: str, peer: str) -> None:
    assert is_loopback_request(scope(host, peer=peer))
    assert lock().opens(scope(host, peer=peer))


@pytest.mark.parametrize(
    "host",
    [
        None,
        "",
        "attacker.example",
        "localhost.attacker.example",
        "127.0.0.1.attacker.example",
        "127.0.0.1@attacker.example",
        "attacker.example#localhost",
        "localhost/../attacker",
        "localhost, attacker.example",
        "localhost attacker.example",
        "localhost:",
        "localhost:80:80",
        "localhost.",
        "127.1",
        "2130706433",
        "0.0.0.0",
        "[::]",
        "::1",
        "[::1%25eth0]",
        "10.0.0.1:8787",
        "l\xf6calhost",
    ],
)
def test_any_other_host_is_not_local(host: str | None) -> None:
    assert not is_loopback_request(scope(host))
    assert not lock().opens(scope(host))


def test_a_repeated_host_is_not_local() -> None:
    assert not is_loopback_request(scope("localhost", ("host", "localhost")))


@pytest.mark.parametrize("peer", ["10.0.0.7", "192.168.1.2", "2001:db8::1", "::ffff:10.0.0.7", "0.0.0.0", "", "unix", None])
def test_any_other_peer_is_not_local(peer: str | None) -> None:
    assert not is_loopback_request(scope("localhost", peer=peer))


@pytest.mark.parametrize(
    "header",
    [
        ("forwarded", "for=203.0.113.1"),
        ("via", "1.1 proxy"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-host", "localhost"),
        ("x-forwarded-proto", "https"),
        ("X-Forwarded-Port", "443"),
        ("x-forwarded-anything", ""),
        ("x-real-ip", "127.0.0.1"),
    ],
)
def test_a_request_through_a_proxy_is_not_local(header: Header) -> None:
    assert not is_loopback_request(scope("localhost", header))


@pytest.mark.parametrize("bind", ["0.0.0.0", "::", "10.0.0.5", "gateway.internal"])
def test_a_bind_beyond_the_machine_without_public_url_serves_no_management(bind: str) -> None:
    with pytest.raises(ApiError, match="TRUNKLINE_PUBLIC_URL") as refused:
        lock(bind).require(scope("127.0.0.1:8787"))
    assert refused.value.status == 403
    assert refused.value.error_type == "permission_denied"


@pytest.mark.parametrize("bind", ["127.0.0.1", "localhost", "::1", "[::1]"])
def test_a_loopback_bind_serves_local_programs(bind: str) -> None:
    lock(bind).require(scope("localhost:8787"))


@pytest.mark.parametrize("peer", ["203.0.113.9", "127.0.0.1"])
@pytest.mark.parametrize("host", ["gw.example.com", "GW.example.com:443"])
def test_the_public_url_opens_requests_to_its_host(host: str, peer: str) -> None:
    lock("0.0.0.0", "https://gw.example.com").require(scope(host, ("x-forwarded-for", "203.0.113.9"), peer=peer))


@pytest.mark.parametrize("host", ["gw.example.com:8787", "gw.example.com:80", "evil.example", "gw.example.com.evil.example", "", None])
def test_the_public_url_opens_no_other_host_or_port(host: str | None) -> None:
    with pytest.raises(ApiError, match="TRUNKLINE_PUBLIC_URL"):
        lock("0.0.0.0", "https://gw.example.com").require(scope(host, peer="203.0.113.9"))


def test_a_public_url_with_a_port_wants_that_port() -> None:
    opened = lock("0.0.0.0", "http://gw.example.com:8787")
    assert opened.opens(scope("gw.example.com:8787", peer="203.0.113.9"))
    assert not opened.opens(scope("gw.example.com", peer="203.0.113.9"))


def test_a_public_url_by_ipv6_address_matches_its_literal() -> None:
    assert lock("::", "http://[2001:db8::5]:8787").opens(scope("[2001:DB8::5]:8787", peer="2001:db8::1"))


def test_local_programs_stay_welcome_beside_a_public_url() -> None:
    assert lock("0.0.0.0", "https://gw.example.com").opens(scope("localhost:8787"))


@pytest.mark.parametrize(
    "header",
    [
        ("x-forwarded-host", "gw.example.com"),
        ("x-forwarded-host", "evil.example, gw.example.com"),
        ("forwarded", "for=203.0.113.9;host=gw.example.com;proto=https"),
        ("forwarded", 'for=1.2.3.4;host=evil.example, for=203.0.113.9; Host="gw.example.com:443"'),
    ],
)
def test_only_a_trusted_proxy_is_believed_about_the_host(header: Header) -> None:
    request = scope("backend:8787", header, peer="10.0.0.2")
    assert lock("0.0.0.0", "https://gw.example.com", "10.0.0.0/8").opens(request)
    assert not lock("0.0.0.0", "https://gw.example.com", "192.168.0.0/16").opens(request)
    assert not lock("0.0.0.0", "https://gw.example.com").opens(request)


def test_a_trusted_proxy_that_names_another_host_is_believed_too() -> None:
    request = scope("gw.example.com", ("x-forwarded-host", "evil.example"), peer="10.0.0.2")
    assert not lock("0.0.0.0", "https://gw.example.com", "10.0.0.0/8").opens(request)


def test_a_trusted_proxy_does_not_make_its_clients_local() -> None:
    assert not lock("127.0.0.1", "", "127.0.0.1/32").opens(scope("localhost", ("x-forwarded-for", "127.0.0.1")))


@given(st.text(max_size=40) | st.from_regex(r"[a-z0-9.:\[\]-]{1,20}", fullmatch=True))
def test_no_host_but_a_loopback_name_opens_a_closed_server(host: str) -> None:
    raw = {"type": "http", "client": ("127.0.0.1", 1), "headers": [(b"host", host.encode("utf-8"))]}
    loopback = re.fullmatch(r"(localhost|127(\.\d+){3}|\[[0:]*:0*1\]|\[::ffff:.*\])(:\d+)?", host.lower())
    assert not lock().opens(raw) or loopback
