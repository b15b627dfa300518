"""Prepared ways of operations."""

import asyncio

import pytest
from pipelines import served

from trunkline.errors import EgressDenied, UpstreamRefused
from trunkline.inference.lines import MAX_TARGETS, Lines
from trunkline.protocol.catalogue import Auth
from trunkline.providers.credentials import Credentials
from trunkline.transport.fake import FakeClient


def test_a_line_is_made_once_and_again_for_a_new_catalogue() -> None:
    lines, one = Lines(FakeClient(), Credentials({}), {}), served("one")
    assert lines.to(one) is lines.to(one)
    assert lines.to(served("one")) is not lines.to(one)


def test_the_head_holds_the_credential() -> None:
    lines = Lines(FakeClient(), Credentials({"KEY": "secret"}), {})
    line = lines.to(served("one", auth=Auth(source="env:KEY")))
    target = line.target("http://one.test/v1/embeddings", accept="application/json")
    assert b"authorization: Bearer secret" in target.head and b"content-type" not in target.head
    assert line.target("http://one.test/v1/embeddings", accept="application/json") is target


def test_heads_are_kept_in_bounds() -> None:
    line = Lines(FakeClient(), Credentials({}), {}).to(served("one"))
    for number in range(3 * MAX_TARGETS):
        line.target(f"http://one.test/v1/voices/{number}", accept="audio/*")
    assert len(line._targets) == MAX_TARGETS


def test_a_url_that_may_not_be_called() -> None:
    line = Lines(FakeClient(), Credentials({}), {}).to(served("one", operator_url=False))
    with pytest.raises(EgressDenied):
        line.target("http://127.0.0.1/v1", accept="*/*")


def test_the_child_of_an_endpoint_is_launched() -> None:
    started: list[int] = []

    async def launch() -> None:
        started.append(1)

    line = Lines(FakeClient(), Credentials({}), {"embedder": launch}).to(served("one", launch="embedder"))
    assert line.launch is not None
    asyncio.run(line.launch())  # type: ignore[arg-type]
    assert started == [1]


def test_callers_own_keys_have_lines_of_their_own_in_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trunkline.inference.lines.MOST_LINES", 3)
    lines, shared = Lines(FakeClient(), Credentials({}, lambda name: f"secret-{name}"), {}), served("one")
    owned = [served("one", byok=name, auth=Auth(source=f"own:{name}")) for name in "abcd"]
    kept = lines.to(shared)
    heads = [lines.to(one).target("http://one.test/v1", accept="*/*").head for one in owned]
    assert [f"Bearer secret-{name}".encode() in head for name, head in zip("abcd", heads, strict=True)] == [True] * 4
    assert lines.to(shared) is kept
    assert lines.to(owned[3]) is lines.to(owned[3])
    assert len(lines._lines) <= 3
    with pytest.raises(UpstreamRefused):
        Lines(FakeClient(), Credentials({}), {}).to(owned[0])
