"""The fake behaves as the real client does, as far as a script says."""

import asyncio
import time

import pytest

from trunkline.errors import ConnectFailed, ConnectionLost, EgressDenied, UpstreamTimeout
from trunkline.protocol.catalogue import Timeouts
from trunkline.transport.fake import FakeClient, FakeReply


def target_of(client: FakeClient):
    return client.target("POST", "http://up.example/v1", {"authorization": "Bearer k"}, operator_url=False)


def test_replies_in_order_and_requests_kept():
    async def main():
        client = FakeClient(FakeReply(headers={"Content-Type": "x/y"}, body=[b"one", b"two"]), FakeReply(429))
        target = target_of(client)
        first = await client.send(target, b"a", Timeouts(), extra_headers=b"h: 1\r\n")
        assert (first.status, first.header(b"content-type")) == (200, b"x/y")
        assert [await first.read() for _ in range(3)] == [b"one", b"two", b""]
        second = await client.send(target, b"b", Timeouts())
        assert (second.status, await second.read_all(10)) == (429, b"")
        assert [(sent.target, sent.body, sent.extra_headers) for sent in client.sent] == [(target, b"a", b"h: 1\r\n"), (target, b"b", b"")]
        with pytest.raises(AssertionError):
            await client.send(target, b"c", Timeouts())

    asyncio.run(main())


def test_errors_before_the_head_and_inside_the_body():
    async def main():
        client = FakeClient(ConnectFailed("refused"), FakeReply(body=[b"part", UpstreamTimeout("idle", 60)]))
        with pytest.raises(ConnectFailed):
            await client.send(target_of(client), b"", Timeouts())
        response = await client.send(target_of(client), b"", Timeouts())
        assert await response.read() == b"part"
        with pytest.raises(UpstreamTimeout):
            await response.read()

    asyncio.run(main())


def test_pauses():
    async def main():
        client = FakeClient(FakeReply(body=[0.02, b"late"], pause=0.02))
        started = time.perf_counter()
        response = await client.send(target_of(client), b"", Timeouts())
        assert time.perf_counter() - started > 0.015
        assert await response.read_all(10) == b"late"
        assert time.perf_counter() - started > 0.035

    asyncio.run(main())


def test_close_is_seen_only_before_the_end():
    async def main():
        client = FakeClient(FakeReply(body=[b"a", b"b"]), FakeReply(body=[b"a"]))
        early = await client.send(target_of(client), b"", Timeouts())
        await early.read()
        early.close()
        assert early.closed
        with pytest.raises(ConnectionLost):
            await early.read()
        late = await client.send(target_of(client), b"", Timeouts())
        await late.read_all(10)
        late.close()
        assert not late.closed

    asyncio.run(main())


def test_targets_are_real():
    client = FakeClient()
    assert b"authorization: Bearer k" in target_of(client).head
    with pytest.raises(EgressDenied):
        client.target("POST", "http://10.0.0.1/", {}, operator_url=False)
