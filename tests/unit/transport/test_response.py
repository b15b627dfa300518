"""Reading, deadlines and giving up."""

import asyncio
import gzip
import math
import zlib

import brotli
import pytest

from trunkline.errors import ConnectionLost, MalformedResponse, ResponseTooLarge, UpstreamTimeout
from trunkline.protocol.catalogue import Timeouts
from trunkline.transport.response import Response

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\ntransfer-encoding: chunked\r\nX-Twice: 1\r\nX-Twice: 2\r\n\r\n"
PIECE = b"2\r\nok\r\n"
END = b"0\r\n\r\n"


def test_headers(run, converse):
    async def main():
        async with converse(["read", HEAD + END]) as talk:
            response = await talk.send()
            assert response.header(b"content-type") == b"text/event-stream"
            assert response.header(b"x-twice") == b"2"
            assert response.header(b"absent") is None
            assert (b"x-twice", b"1") in response.headers

    run(main())


def test_bytes_are_read_as_they_arrive(run, converse):
    async def main():
        async with converse(["read", HEAD, 0.2, PIECE, 0.2, PIECE + PIECE, 0.2, END]) as talk:
            response = await talk.send()
            assert [await response.read() for _ in range(4)] == [b"ok", b"okok", b"", b""]

    run(main())


@pytest.mark.parametrize(
    ("script", "timeouts", "phase"),
    [
        (["read"], {"first_content": 0.05}, "head"),
        (["read", b"HTTP/1.1 200"], {"first_content": 0.05}, "head"),
        (["read"], {"first_content": 5.0, "total": 0.05}, "total"),
        (["read", HEAD + PIECE], {"idle": 0.05}, "idle"),
        (["read", HEAD + PIECE], {"idle": 5.0, "total": 0.05}, "total"),
        (["read", HEAD, *[PIECE, 0.01] * 60], {"idle": 0.5, "total": 0.15}, "total"),
    ],
)
def test_deadlines(run, converse, script, timeouts, phase):
    async def main():
        async with converse(script) as talk:
            with pytest.raises(UpstreamTimeout) as raised:
                await (await talk.send(**timeouts)).read_all(1000)
            assert raised.value.phase == phase
            name = "first_content" if phase == "head" else phase
            assert raised.value.seconds == timeouts[name]
            await talk.settle(0)

    run(main())


def test_the_idle_deadline_starts_anew_with_each_read(run, converse):
    async def main():
        async with converse(["read", HEAD, *[PIECE, 0.2] * 4, END]) as talk:
            assert await (await talk.send(first_content=0.6, idle=0.6)).read_all(100) == b"ok" * 4

    run(main())


def test_a_head_timeout_of_its_own(run, converse):
    async def main():
        async with converse(["read", 0.1, HEAD + END]) as talk:
            assert (await talk.send(first_content=0.02, head_timeout=30.0)).status == 200

    run(main())


def test_a_deadline_for_content_ends_a_stream_of_heartbeats(run, converse):
    async def main():
        async with converse(["read", HEAD, *[PIECE, 0.01] * 60]) as talk:
            response = await talk.send()
            response.expect("first_content", 0.1, since=response.sent_at)
            with pytest.raises(UpstreamTimeout) as raised:
                await response.read_all(1000)
            assert (raised.value.phase, raised.value.seconds) == ("first_content", 0.1)

    run(main())


def test_a_deadline_for_content_can_be_taken_away(run, converse):
    async def main():
        async with converse(["read", HEAD, 0.1, PIECE + END]) as talk:
            response = await talk.send()
            response.expect("first_content", 0.03)
            response.expect("", math.inf)
            assert await response.read_all(10) == b"ok"

    run(main())


def test_what_came_before_an_error_is_read_first(run, converse):
    async def main():
        async with converse(["read", HEAD + PIECE + b"nonsense\r\n"]) as talk:
            response = await talk.send()
            assert await response.read() == b"ok"
            for _ in range(2):
                with pytest.raises(MalformedResponse):
                    await response.read()

    run(main())


def test_an_unread_response_ends_at_the_total_deadline(run, converse):
    async def main():
        async with converse(["read", HEAD + PIECE]) as talk:
            response = await talk.send(total=0.5)
            await talk.settle(0)
            assert await response.read() == b"ok"
            with pytest.raises(UpstreamTimeout, match="total"):
                await response.read()

    run(main())


def test_close_cancels_at_once(run, converse):
    async def main():
        async with converse(["read", HEAD + PIECE]) as talk:
            response = await talk.send()
            started = asyncio.get_running_loop().time()
            response.close()
            response.close()
            await talk.settle(0)
            while not talk.server.closed_at:
                await asyncio.sleep(0.002)
            assert talk.server.closed_at[0] - started < 2
            with pytest.raises(ConnectionLost, match="closed before its end"):
                await response.read()

    run(main())


def test_close_after_the_end_keeps_body_and_connection(run, converse):
    async def main():
        async with converse(["read", HEAD + PIECE + END, "loop"]) as talk:
            response = await talk.send()
            response.close()
            assert talk.client.stats().idle == 1
            assert await response.read() == b"ok"
            second = await talk.send()
            response.close()
            assert await second.read_all(10) == b"ok"

    run(main())


def test_close_wakes_a_reader(run, converse):
    async def main():
        async with converse(["read", HEAD]) as talk:
            response = await talk.send()
            asyncio.get_running_loop().call_later(0.02, response.close)
            with pytest.raises(ConnectionLost):
                await response.read()

    run(main())


def test_a_cancelled_read_loses_nothing(run, converse):
    async def main():
        async with converse(["read", HEAD, 0.3, PIECE + END]) as talk:
            response = await talk.send()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(response.read(), 0.02)
            assert await response.read_all(10) == b"ok"
            assert talk.client.stats().idle == 1

    run(main())


def test_read_all_is_bounded(run, converse):
    async def main():
        async with converse(["read", HEAD, *[PIECE] * 50]) as talk:
            with pytest.raises(ResponseTooLarge):
                await (await talk.send()).read_all(20)
            await talk.settle(0)

    run(main())


def test_a_compressed_body_is_decoded_and_bounded(run, converse):
    async def main():
        packed = gzip.compress(b"x" * 5000)
        answer = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n%b" % (len(packed), packed)
        async with converse(["read", answer, "loop"], max_decoded=6000) as talk:
            assert await (await talk.send()).read_all(6000) == b"x" * 5000
            with pytest.raises(ResponseTooLarge):
                await (await talk.send()).read_all(4000)
        async with converse(["read", answer], max_decoded=4000) as talk:
            with pytest.raises(ResponseTooLarge):
                await (await talk.send()).read()

    run(main())


def test_a_compressed_body_that_stops_early_is_no_whole_body(run, converse):
    async def main():
        packed = gzip.compress(b"x" * 5000)[:-4]
        answer = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n%b" % (len(packed), packed)
        async with converse(["read", answer]) as talk:
            with pytest.raises(ConnectionLost, match="compressed"):
                await (await talk.send()).read_all(6000)

    run(main())


@pytest.mark.parametrize(("coding", "pack"), [(b"gzip", gzip.compress), (b"br", brotli.compress)])
def test_a_bomb_is_unpacked_in_portions_and_lets_others_go_on(run, converse, coding, pack):
    """4 KB that say 4 MB, behind a stream's head: a reader gets them in portions, and between these the loop serves others."""

    async def main():
        bomb = pack(b"data: {}\n\n" * 400_000)
        answer = b"HTTP/1.1 200 OK\r\ncontent-encoding: %b\r\ncontent-length: %d\r\n\r\n%b" % (coding, len(bomb), bomb)
        async with converse(["read", answer]) as talk:
            response = await talk.send()
            turns = 0

            async def count_turns():
                nonlocal turns
                while True:
                    turns += 1
                    await asyncio.sleep(0)

            counting = asyncio.ensure_future(count_turns())
            sizes = []
            while piece := await response.read():
                sizes.append(len(piece))
            counting.cancel()
            assert sum(sizes) == 4_000_000
            assert max(sizes) < 600_000
            assert turns >= len(sizes) - 1
            assert talk.client.stats().idle == 1

    run(main())


def test_a_read_cancelled_between_portions_loses_nothing(run, converse):
    async def main():
        bomb = gzip.compress(bytes(4_000_000))
        answer = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n%b" % (len(bomb), bomb)
        async with converse(["read", answer]) as talk:
            response = await talk.send()
            size = len(await response.read())
            reading = asyncio.ensure_future(response.read())
            await asyncio.sleep(0)
            reading.cancel()
            size += sum(len(output) for output in await asyncio.gather(reading, return_exceptions=True) if isinstance(output, bytes))
            while piece := await response.read():
                size += len(piece)
            assert size == 4_000_000

    run(main())


def test_compressed_bytes_that_never_say_anything_are_not_kept(run, converse):
    """Empty blocks without end: nothing comes of them, so the reader waits on, and `total` ends it."""

    async def main():
        packer = zlib.compressobj(wbits=31)
        start = packer.compress(b"") + packer.flush(zlib.Z_FULL_FLUSH)
        nothing = b"\x00\x00\x00\xff\xff" * 200_000
        head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n"
        async with converse(["read", head + start, *[nothing] * 200]) as talk:
            response = await talk.send(total=0.5)
            with pytest.raises(UpstreamTimeout):
                await response.read()
            assert response.buffered < 2_000_000

    run(main())


def test_a_flow_takes_what_arrives_until_it_has_enough(run, converse):
    async def main():
        async with converse(["read", HEAD, 0.05, PIECE, 0.05, PIECE, 0.05, PIECE, 0.05, END]) as talk:
            response, seen = await talk.send(), []
            assert await response.pour(lambda data: seen.append(data) or len(seen) < 2)
            assert seen == [b"ok", b"ok"]
            assert not await response.pour(lambda data: seen.append(data) or True)
            assert seen == [b"ok"] * 3
            assert await response.read() == b""

    run(main())


def test_a_flow_gets_its_bytes_before_anybody_else_has_a_turn(run, converse, monkeypatch):
    async def main():
        async with converse(["read", HEAD, 0.05, PIECE, 0.05, END]) as talk:
            response, order = await talk.send(), []
            loop, put = asyncio.get_running_loop(), Response.put

            def put_and_mark(self, piece):
                loop.call_soon(order.append, "turn")
                put(self, piece)

            monkeypatch.setattr(Response, "put", put_and_mark)
            await response.pour(lambda data: order.append("flow") or True)
            assert order == ["flow", "turn"]

    run(main())


def test_what_a_flow_raises_ends_the_pouring(run, converse):
    async def main():
        async with converse(["read", HEAD, 0.05, PIECE, END]) as talk:
            response = await talk.send()

            def refuse(data):
                raise ResponseTooLarge("too much")

            with pytest.raises(ResponseTooLarge, match="too much"):
                await response.pour(refuse)
            response.close()

    run(main())


def test_the_idle_deadline_starts_anew_with_each_bytes_poured(run, converse):
    async def main():
        async with converse(["read", HEAD, *[PIECE, 0.2] * 4, END]) as talk:
            seen = []
            assert not await (await talk.send(first_content=0.6, idle=0.6)).pour(lambda data: seen.append(data) or True)
            assert b"".join(seen) == b"ok" * 4
        async with converse(["read", HEAD + PIECE]) as talk:
            with pytest.raises(UpstreamTimeout, match="idle"):
                await (await talk.send(idle=0.05)).pour(lambda data: True)

    run(main())


def test_a_cancelled_flow_loses_nothing(run, converse):
    async def main():
        async with converse(["read", HEAD, 0.3, PIECE + END]) as talk:
            response, seen = await talk.send(), []
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await response.pour(lambda data: seen.append(data) or True)
            assert seen == []
            assert await response.read_all(100) == b"ok"

    run(main())


def test_compressed_bytes_are_poured_unpacked(run, converse):
    packed = gzip.compress(b"0123456789" * 50)
    head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(packed)

    async def main():
        async with converse(["read", head + packed[:20], 0.05, packed[20:]]) as talk:
            seen = []
            assert not await (await talk.send()).pour(lambda data: seen.append(data) or True)
            assert b"".join(seen) == b"0123456789" * 50

    run(main())


@pytest.mark.parametrize("size", [2, 50_000_000], ids=["small", "larger-than-all-buffers"])
def test_whether_the_request_has_gone_out(run, converse, size):
    class Holder:
        response = None

    async def main():
        async with converse([30.0]) as talk:
            holder = Holder()
            sending = asyncio.create_task(talk.client.send(talk.target, b"x" * size, Timeouts(), holder=holder))
            while holder.response is None:
                await asyncio.sleep(0.001)
            whole = size == 2
            assert holder.response.sent == whole
            sending.cancel()
            await asyncio.wait([sending])
            assert holder.response.sent == whole, "as it was when it was closed"
            assert holder.response.error is not None

    run(main())


def test_a_request_that_is_answered_has_gone_out(run, converse):
    async def main():
        async with converse(["read", HEAD + PIECE + END]) as talk:
            response = await talk.send()
            assert response.sent
            response.close()
            assert response.sent

    run(main())
