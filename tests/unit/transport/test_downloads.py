"""Files from URLs of callers. The guard forbids loopback to them, so that most of it is tried on a client without a network."""

import asyncio

import pytest

from trunkline.errors import EgressDenied, MalformedResponse, ResponseTooLarge, UpstreamRefused
from trunkline.transport.client import Client
from trunkline.transport.downloads import MAX_REDIRECTS, Download, Downloads
from trunkline.transport.egress import EgressGuard
from trunkline.transport.fake import FakeClient, FakeReply

URL = "https://files.test/a/b.png?key=1"


def fetch(*replies: FakeReply, url: str = URL, limit: int = 100) -> tuple[Download, list[str]]:
    client = FakeClient(*replies)
    return asyncio.run(Downloads(client).fetch(url, limit=limit)), [sent.target.url for sent in client.sent]


def redirect(location: str, status: int = 302) -> FakeReply:
    return FakeReply(status, {"location": location})


def test_a_file_comes_with_its_type() -> None:
    file, _ = fetch(FakeReply(200, {"content-type": "Image/PNG; charset=x"}, [b"ab", b"c"]))
    assert file == Download(b"abc", "image/png")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed_from_where_they_are(status: int) -> None:
    _, urls = fetch(redirect("../c.png", status), FakeReply(200, {}, [b"x"]))
    assert urls == [URL, "https://files.test/c.png"]


def test_redirects_have_an_end() -> None:
    with pytest.raises(MalformedResponse, match="redirects"):
        fetch(*[redirect(URL)] * (MAX_REDIRECTS + 1))


def test_a_redirect_must_lead_somewhere() -> None:
    with pytest.raises(MalformedResponse, match="nowhere"):
        fetch(FakeReply(302))


@pytest.mark.parametrize(
    "location", ["http://127.0.0.1/x", "http://169.254.169.254/latest", "http://[::1]/", "file:///etc/passwd", "http://10.0.0.1/"]
)
def test_a_redirect_to_a_private_address_is_refused(location: str) -> None:
    with pytest.raises(EgressDenied):
        fetch(redirect(location), FakeReply(200, {}, [b"secret"]))


def test_the_guard_is_that_of_all_users_urls() -> None:
    with pytest.raises(EgressDenied):
        asyncio.run(Downloads(Client(EgressGuard())).fetch("http://127.0.0.1:1/x", limit=1))


def test_anything_but_200_is_no_file() -> None:
    with pytest.raises(UpstreamRefused, match="404"):
        fetch(FakeReply(404, {}, [b"not here"]))


@pytest.mark.parametrize("headers", [{"content-length": "101"}, {}])
def test_a_file_above_the_limit_is_given_up(headers: dict[str, str]) -> None:
    with pytest.raises(ResponseTooLarge):
        fetch(FakeReply(200, headers, [b"x" * 101]))
