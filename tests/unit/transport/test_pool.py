"""Which connection is taken, kept and dropped."""

import asyncio

from trunkline.transport.pool import Origin, Pool
from trunkline.transport.proxy import Proxy

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class Kept:
    """As much of a connection as a pool sees."""

    def __init__(self, loop) -> None:
        self.loop = loop
        self.closed = False
        self.idle_until = 0.0
        self.rings = []

    def ring_by(self, deadline: float) -> None:
        self.rings.append(deadline)

    def abort(self) -> None:
        self.closed = True

    close = abort


class Clock:
    def time(self) -> float:
        return 100.0


def filled(count: int, *, max_idle: int = 8) -> tuple[Pool, list[Kept]]:
    pool = Pool(Origin("http", "a", 80), max_idle=max_idle, idle_seconds=5.0)
    kept = [Kept(Clock()) for _ in range(count)]
    for connection in kept:
        pool.opened(connection)
        pool.put(connection)
    return pool, kept


def test_an_origin_is_told_apart_by_all_that_decides_where_bytes_go():
    origins = {
        Origin(scheme, host, port, operator_url, proxy)
        for scheme in ("http", "https")
        for host in ("a", "b")
        for port in (80, 81)
        for operator_url in (False, True)
        for proxy in (None, Proxy("p", 1))
    }
    assert len(origins) == 32
    assert str(Origin("https", "::1", 443)) == "https://[::1]:443"


def test_the_last_used_connection_is_taken_first():
    pool, kept = filled(3)
    assert [pool.take() for _ in range(4)] == [*reversed(kept), None]


def test_closed_connections_are_passed_over():
    pool, kept = filled(3)
    kept[2].closed = kept[1].closed = True
    assert pool.idle == 1
    assert pool.take() is kept[0]


def test_the_surplus_is_closed():
    pool, kept = filled(3, max_idle=2)
    assert [connection.closed for connection in kept] == [False, False, True]
    assert pool.idle == 2


def test_an_idle_connection_has_an_end():
    _, kept = filled(1)
    assert kept[0].idle_until == 105.0
    assert kept[0].rings == [105.0]


def test_a_lost_connection_is_forgotten():
    pool, kept = filled(2)
    pool.lost(kept[0])
    pool.lost(kept[0])
    assert (pool.open, pool.idle) == (1, 1)
    assert pool.take() is kept[1]
    pool.lost(kept[1])
    assert pool.open == 0


def test_close_takes_all():
    pool, kept = filled(2)
    assert pool.take() is kept[1]
    pool.close()
    assert pool.closed
    assert all(connection.closed for connection in kept)


def test_in_practice(run, converse):
    async def main():
        async with converse(["read", 0.02, OK, "loop"]) as talk:
            bodies = await asyncio.gather(*(_body(talk) for _ in range(5)))
            assert bodies == [b"ok"] * 5
            assert (talk.client.stats().open, talk.client.stats().idle) == (5, 5)
            await asyncio.gather(*(_body(talk) for _ in range(5)))
            assert talk.server.connections == 5

    run(main())


async def _body(talk) -> bytes:
    return await (await talk.send()).read_all(10)
