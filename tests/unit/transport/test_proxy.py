"""The proxy variables, as curl and Go read them."""

import pytest

from trunkline.errors import ConfigError
from trunkline.transport.proxy import Proxies, Proxy


def test_no_variables_no_proxy():
    assert Proxies.from_environ({}).find("https", "api.example.com") is None


def test_each_scheme_has_its_own():
    proxies = Proxies.from_environ({"HTTP_PROXY": "http://one:8080", "HTTPS_PROXY": "http://two"})
    assert proxies.find("http", "example.com") == Proxy("one", 8080)
    assert proxies.find("https", "example.com") == Proxy("two", 80)


def test_lower_case_wins_and_an_empty_one_switches_off():
    assert Proxies.from_environ({"HTTP_PROXY": "http://one", "http_proxy": "two:3128"}).find("http", "example.com") == Proxy("two", 3128)
    assert Proxies.from_environ({"HTTP_PROXY": "http://one", "http_proxy": ""}).find("http", "example.com") is None


def test_credentials_are_sent_and_not_shown():
    proxy = Proxies.from_environ({"HTTP_PROXY": "http://us%40er:p%3Ass@one:8080"}).find("http", "example.com")
    assert proxy.authorization == b"Basic dXNAZXI6cDpzcw=="
    assert "dXNA" not in repr(proxy)


@pytest.mark.parametrize(
    "value", ["socks5://one:1080", "https://one", "http://", "http://one:99999", "http://one:0", "http://[one:80", "http://\udc80@one:80"]
)
def test_what_is_no_http_proxy_is_refused(value):
    with pytest.raises(ConfigError, match="HTTP_PROXY"):
        Proxies.from_environ({"HTTP_PROXY": value})


@pytest.mark.parametrize(
    ("exempt", "host", "direct"),
    [
        ("example.com", "example.com", True),
        ("example.com", "api.example.com", True),
        ("example.com", "badexample.com", False),
        (".example.com", "api.example.com", True),
        ("*.example.com", "api.example.com", True),
        ("a.test, Example.COM", "example.com", True),
        ("*", "example.com", True),
        ("10.0.0.0/8", "10.2.3.4", True),
        ("10.0.0.0/8", "11.2.3.4", False),
        ("10.2.3.4", "10.2.3.4", True),
        ("fd00::/8", "fd00::1", True),
        ("not an address", "10.2.3.4", False),
        ("", "localhost", True),
        ("", "127.0.0.1", True),
        ("", "::1", True),
        ("", "gpu.localhost", True),
        ("", "192.168.1.2", False),
    ],
)
def test_exempt_hosts(exempt, host, direct):
    proxies = Proxies.from_environ({"HTTP_PROXY": "http://one", "NO_PROXY": exempt})
    assert (proxies.find("http", host) is None) is direct
