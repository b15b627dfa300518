"""Sending: retries, cancellation, and the end of a client."""

import asyncio
import gc
import weakref

import pytest

from trunkline.errors import ConfigError, ConnectFailed, ConnectionLost, EgressDenied, UpstreamTimeout
from trunkline.protocol.catalogue import Timeouts
from trunkline.transport.client import Client
from trunkline.transport.connection import Connection
from trunkline.transport.egress import EgressGuard

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


def test_what_goes_out(run, converse):
    async def main():
        async with converse(["read", OK]) as talk:
            await talk.send(b'{"a":1}', extra_headers=b"x-generation: g\r\n")
            assert talk.server.requests == [
                b"POST /v1/chat HTTP/1.1\r\nhost: 127.0.0.1:%d\r\naccept-encoding: identity\r\nuser-agent: trunkline\r\nx-key: k\r\n"
                b'content-length: 7\r\nx-generation: g\r\n\r\n{"a":1}' % talk.server.port
            ]

    run(main())


@pytest.mark.parametrize("end", ["reset", "close"])
def test_a_stale_connection_is_replaced_once(run, converse, end):
    """The upstream closes a kept connection when the second request comes: that request goes out again on a fresh one."""

    async def main():
        async with converse(["read", OK, "read", end], ["read", OK]) as talk:
            assert await (await talk.send(b"one")).read_all(10) == b"ok"
            assert await (await talk.send(b"two")).read_all(10) == b"ok"
            assert talk.server.connections == 2
            assert [request[-3:] for request in talk.server.requests] == [b"one", b"two", b"two"]

    run(main())


def test_a_fresh_connection_is_never_retried(run, converse):
    async def main():
        async with converse(["read", OK, "read", "close"], ["read", "close"], ["read", OK]) as talk:
            await talk.send(b"one")
            with pytest.raises(ConnectFailed):
                await talk.send(b"two")
            assert talk.server.connections == 2

    run(main())


def test_nothing_is_retried_after_a_response_byte(run, converse):
    async def main():
        async with converse(["read", OK, "read", b"H", 0.02, "close"], ["read", OK]) as talk:
            await talk.send(b"one")
            with pytest.raises(ConnectionLost):
                await talk.send(b"two")
            assert talk.server.connections == 1

    run(main())


def test_a_timeout_is_not_retried(run, converse):
    async def main():
        async with converse(["read", OK, "read"], ["read", OK]) as talk:
            await talk.send(b"one")
            with pytest.raises(UpstreamTimeout):
                await talk.send(b"two", first_content=0.05)
            assert talk.server.connections == 1

    run(main())


def test_a_cancelled_send_closes_the_socket(run, converse):
    async def main():
        async with converse(["read"]) as talk:
            task = asyncio.ensure_future(talk.send())
            while not talk.server.requests:
                await asyncio.sleep(0.002)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await talk.settle(0)

    run(main())


def test_a_send_may_be_cancelled_at_any_step(run, converse):
    async def main():
        async with converse(["read"]) as talk:
            for steps in range(12):
                task = asyncio.ensure_future(talk.send())
                for _ in range(steps):
                    await asyncio.sleep(0)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            await talk.settle(0)
            await asyncio.sleep(0.01)
            gc.collect()
            assert not [thing for thing in gc.get_objects() if type(thing) is Connection]

    run(main())


def test_targets_of_one_origin_share_connections(run, converse):
    async def main():
        async with converse(["read", OK, "loop"]) as talk:
            await talk.send()
            other = talk.client.target("GET", f"http://127.0.0.1:{talk.server.port}/v1/models", {}, operator_url=True)
            assert await (await talk.client.send(other, b"", Timeouts())).read_all(10) == b"ok"
            assert talk.server.connections == 1

    run(main())


def test_users_urls_are_guarded():
    async def resolve(host, port):
        return ["127.0.0.1"]

    async def main():
        client = Client(EgressGuard(resolve=resolve))
        with pytest.raises(EgressDenied):
            client.target("GET", "http://127.0.0.1/", {}, operator_url=False)
        target = client.target("GET", "http://rebound.example/", {}, operator_url=False)
        with pytest.raises(EgressDenied):
            await client.send(target, b"", Timeouts())

    asyncio.run(main())


def test_a_users_url_does_not_use_the_operators_connections(run, fault_server):
    """Both name the same host and port; only the operator's may go to a loopback address."""

    async def resolve(host, port):
        return ["127.0.0.1"]

    async def main():
        async with fault_server(["read", OK, "loop"]) as server:
            client = Client(EgressGuard(resolve=resolve))
            url = f"http://inside.example:{server.port}/"
            operators = client.target("GET", url, {}, operator_url=True)
            await client.send(operators, b"", Timeouts())
            assert client.stats().idle == 1
            with pytest.raises(EgressDenied):
                await client.send(client.target("GET", url, {}, operator_url=False), b"", Timeouts())
            await client.close()

    run(main())


def test_bad_proxy_variables_are_named():
    with pytest.raises(ConfigError, match="https_proxy"):
        Client(EgressGuard(), environ={"https_proxy": "socks5://x"})


def test_close_ends_everything(run, converse):
    async def main():
        async with converse(["read", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok"], ["read", OK]) as talk:
            cut = await talk.send()
            whole = await talk.send()
            assert talk.client.stats().open == 2
            await talk.client.close()
            assert talk.client.stats().open == 0
            assert await whole.read_all(10) == b"ok"
            assert await cut.read() == b"ok"
            with pytest.raises(ConnectionLost, match="client was closed"):
                await cut.read()
            with pytest.raises(ConnectFailed):
                await talk.send()

    run(main())


def test_pools_go_with_their_targets():
    """A gateway sees many base URLs over its life; none of them may stay behind."""
    client = Client(EgressGuard())
    target = client.target("GET", "http://a.example/", {}, operator_url=False)
    pool = weakref.ref(target.pool)
    assert client.target("POST", "http://a.example/x", {}, operator_url=False).pool is pool()
    del target
    gc.collect()
    assert pool() is None
