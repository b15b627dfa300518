"""The bytes of a request."""

import pytest

from trunkline.errors import ConfigError
from trunkline.transport.pool import Origin, Pool
from trunkline.transport.proxy import Proxy
from trunkline.transport.target import Target, render_head, render_headers, sends_length

ORIGIN = Origin("https", "api.example.com", 443)


def test_a_head():
    assert render_head("POST", "https://api.example.com/v1/chat?x=1#part", ORIGIN, {"Authorization": "Bearer k"}) == (
        b"POST /v1/chat?x=1 HTTP/1.1\r\nhost: api.example.com\r\n"
        b"accept-encoding: identity\r\nuser-agent: trunkline\r\nauthorization: Bearer k\r\n"
    )


def test_defaults_can_be_replaced():
    head = render_head("GET", "https://api.example.com", ORIGIN, {"Accept-Encoding": "gzip", "User-Agent": "me"})
    assert head == b"GET / HTTP/1.1\r\nhost: api.example.com\r\naccept-encoding: gzip\r\nuser-agent: me\r\n"


@pytest.mark.parametrize(
    ("url", "origin", "line", "host"),
    [
        ("http://a:8080", Origin("http", "a", 8080), b"/", b"a:8080"),
        ("http://a:443/", Origin("http", "a", 443), b"/", b"a:443"),
        ("http://[::1]:8080/x", Origin("http", "::1", 8080), b"/x", b"[::1]:8080"),
        (
            "http://a/m\u00fc del:x%2Fy/a b?q=\u00e9 1&r=%20",
            Origin("http", "a", 80),
            b"/m%C3%BC%20del:x%2Fy/a%20b?q=%C3%A9%201&r=%20",
            b"a",
        ),
    ],
)
def test_urls(url, origin, line, host):
    assert render_head("GET", url, origin, {}).startswith(b"GET %b HTTP/1.1\r\nhost: %b\r\n" % (line, host))


def test_through_a_proxy():
    proxy = Proxy("p", 8080, b"Basic x")
    plain = render_head("GET", "http://a/x", Origin("http", "a", 80, True, proxy), {})
    assert plain.startswith(b"GET http://a:80/x HTTP/1.1\r\nhost: a\r\n")
    assert plain.endswith(b"proxy-authorization: Basic x\r\n")
    tunnelled = render_head("GET", "https://a/x", Origin("https", "a", 443, True, proxy), {})
    assert tunnelled.startswith(b"GET /x HTTP/1.1\r\n")
    assert b"Basic x" not in tunnelled


@pytest.mark.parametrize(
    "name", ["Host", "content-length", "Transfer-Encoding", "connection", "upgrade", "bad name", "bad:name", "", "x\r\ny"]
)
def test_header_names_that_are_refused(name):
    with pytest.raises(ConfigError):
        render_head("GET", "http://a/", ORIGIN, {name: "v"})
    with pytest.raises(ConfigError):
        render_headers({name: "v"})


@pytest.mark.parametrize("value", ["a\r\nb: c", "a\nb", "a\rb", "a\0b", "\u00e9", "secret\x7f"])
def test_header_values_that_are_refused_are_not_shown(value):
    with pytest.raises(ConfigError) as raised:
        render_headers({"authorization": value})
    assert "authorization" in str(raised.value)
    assert value not in str(raised.value)


def test_a_method_that_is_none():
    with pytest.raises(ConfigError):
        render_head("GET / HTTP/1.1\r\nx:", "http://a/", ORIGIN, {})


def test_header_lines():
    assert render_headers({"X-A": " one ", "b": "t\two"}) == b"X-A: one\r\nb: t\two\r\n"


@pytest.mark.parametrize(
    ("method", "body", "tail"),
    [
        ("POST", b"{}", b"content-length: 2\r\nx: y\r\n\r\n{}"),
        ("POST", b"", b"content-length: 0\r\nx: y\r\n\r\n"),
        ("GET", b"", b"x: y\r\n\r\n"),
        ("DELETE", b"{}", b"content-length: 2\r\nx: y\r\n\r\n{}"),
    ],
)
def test_a_request(method, body, tail):
    target = Target(method, "http://a/", Pool(ORIGIN, max_idle=1, idle_seconds=1), b"HEAD\r\n", sends_length(method))
    assert target.request(body, b"x: y\r\n") == b"HEAD\r\n" + tail
