"""What may be called, and at which addresses."""

import asyncio
import ipaddress

import pytest

from trunkline.errors import ConnectFailed, EgressDenied
from trunkline.transport.egress import EgressGuard, Location, classify


class Names:
    """A resolver that counts its questions."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked += 1
        await asyncio.sleep(0)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("https://API.Example.com/v1", Location("https", "api.example.com", 443)),
        ("http://example.com:8080", Location("http", "example.com", 8080)),
        ("https://[2606:4700::1111]/x", Location("https", "2606:4700::1111", 443)),
        ("https://b\u00fccher.example/", Location("https", "xn--bcher-kva.example", 443)),
    ],
)
def test_urls_that_may_be_called(url, location):
    assert EgressGuard().check_url(url) == location


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "file:///etc/passwd",
        "//example.com",
        "example.com",
        "",
        "http://",
        "http:///path",
        "http://user@example.com/",
        "http://user:pass@example.com/",
        "http://@example.com/",
        "http://example.com:0/",
        "http://example.com:99999/",
        "http://example.com:x/",
        "http://exa mple.com/",
        "http://example.com\\@127.0.0.1/",
        "http://exam%70le.com/",
        "http://exam\x7fple.com/",
        "http://exam\uff05ple.com/",
        "http://exam\uff3cple.com/",
        "http://\ud800.com/",
        "http://[::1",
        "http://" + "\u00fc" * 80 + ".example/",
    ],
)
def test_urls_that_are_refused_even_to_the_operator(url):
    with pytest.raises(EgressDenied):
        EgressGuard().check_url(url, operator_url=True)


INTERNAL = ["127.0.0.1", "127.8.9.1", "::1", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "fd12::1"]
INTERNAL_WRAPPED = [
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::127.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2002:c0a8:101::1",
]
FORBIDDEN = [
    "169.254.169.254", "169.254.1.1", "169.254.170.2", "168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254",
    "fe80::1", "fec0::1", "0.0.0.0", "0.1.2.3", "::", "224.0.0.1", "239.255.255.250", "ff02::1", "255.255.255.255", "240.0.0.1",
    "192.0.2.1",    "198.18.0.1", "198.51.100.7", "203.0.113.7", "2001:db8::1", "2001::1", "64:ff9b:1::1", "100::1",
    "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::", "::ffff:0.0.0.0",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"]


@pytest.mark.parametrize("address", INTERNAL + INTERNAL_WRAPPED)
def test_internal_addresses_are_for_operators_only(address):
    assert classify(ipaddress.ip_address(address))[1] is True
    url = f"http://[{address}]/" if ":" in address else f"http://{address}/"
    assert EgressGuard().check_url(url, operator_url=True)
    with pytest.raises(EgressDenied):
        EgressGuard().check_url(url)
    with pytest.raises(EgressDenied):
        asyncio.run(EgressGuard(resolve=Names([address])).addresses("name.example", 80))


@pytest.mark.parametrize("address", FORBIDDEN)
def test_some_addresses_are_for_nobody(address):
    for operator_url in (False, True):
        with pytest.raises(EgressDenied):
            asyncio.run(EgressGuard(resolve=Names([address])).addresses("name.example", 80, operator_url=operator_url))


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_for_all(address):
    assert asyncio.run(EgressGuard(resolve=Names([address])).addresses("name.example", 80)) == (str(ipaddress.ip_address(address)),)


@pytest.mark.parametrize("host", ["\uff11\uff12\uff17.0.0.1", "127\u30020\u30020\u30021"])
def test_addresses_in_wide_letters(host):
    with pytest.raises(EgressDenied, match="loopback"):
        EgressGuard().check_url(f"http://{host}/")


def test_one_forbidden_address_spoils_the_name():
    with pytest.raises(EgressDenied, match=r"evil\.example .* 10\.0\.0\.1 is private"):
        asyncio.run(EgressGuard(resolve=Names(["8.8.8.8", "10.0.0.1"])).addresses("evil.example", 80))


@pytest.mark.parametrize("spelling", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1"])
def test_other_spellings_of_loopback_are_caught_when_they_resolve(spelling):
    """The system's resolver reads them as the C library does."""
    guard = EgressGuard()
    location = guard.check_url(f"http://{spelling}/")

    async def resolve(host, port):
        found = await asyncio.get_running_loop().getaddrinfo("127.0.0.1", port)
        return [entry[4][0] for entry in found]

    with pytest.raises(EgressDenied):
        asyncio.run(EgressGuard(resolve=resolve).addresses(location.host, location.port))


def test_localhost_by_the_systems_resolver():
    assert "127.0.0.1" in asyncio.run(EgressGuard().addresses("localhost", 80, operator_url=True))
    with pytest.raises(EgressDenied):
        asyncio.run(EgressGuard().addresses("localhost", 80))


def test_answers_are_kept_for_a_while():
    now = [0.0]
    names = Names(["8.8.8.8"], ["8.8.4.4"])
    guard = EgressGuard(resolve=names, ttl=30.0, clock=lambda: now[0])

    async def main():
        first = await guard.addresses("name.example", 80)
        now[0] = 29.0
        assert await guard.addresses("name.example", 80) == first
        now[0] = 31.0
        return await guard.addresses("name.example", 80)

    assert asyncio.run(main()) == ("8.8.4.4",)
    assert names.asked == 2


def test_a_kept_answer_is_checked_for_each_caller():
    async def main():
        guard = EgressGuard(resolve=Names(["127.0.0.1"]))
        assert await guard.addresses("name.example", 80, operator_url=True) == ("127.0.0.1",)
        with pytest.raises(EgressDenied):
            await guard.addresses("name.example", 80)

    asyncio.run(main())


def test_many_callers_ask_once_and_a_cancelled_one_harms_no_other():
    names = Names(["8.8.8.8"])
    guard = EgressGuard(resolve=names)

    async def main():
        callers = [asyncio.ensure_future(guard.addresses("name.example", 80)) for _ in range(5)]
        await asyncio.sleep(0)
        callers[0].cancel()
        return await asyncio.gather(*callers, return_exceptions=True)

    results = asyncio.run(main())
    assert isinstance(results[0], asyncio.CancelledError)
    assert results[1:] == [("8.8.8.8",)] * 4
    assert names.asked == 1


def test_names_that_do_not_resolve():
    async def fail(host, port):
        raise OSError("no such name")

    with pytest.raises(ConnectFailed, match="no such name"):
        asyncio.run(EgressGuard(resolve=fail).addresses("gone.example", 80))
    with pytest.raises(ConnectFailed, match="no address"):
        asyncio.run(EgressGuard(resolve=Names([])).addresses("gone.example", 80))


def test_the_cache_is_bounded():
    async def main():
        names = Names(["8.8.8.8"])
        guard = EgressGuard(resolve=names)
        for number in range(1025):
            await guard.addresses(f"n{number}.example", 80)
        await guard.addresses("n1024.example", 80)
        assert names.asked == 1025
        await guard.addresses("n0.example", 80)
        assert names.asked == 1026

    asyncio.run(main())
