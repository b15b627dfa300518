"""HTTP/1.1 as real upstreams and broken ones speak it."""

import asyncio

import pytest

from trunkline.errors import ConnectFailed, ConnectionLost, MalformedResponse, ResponseTooLarge

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


def test_it_keeps_the_connection(run, converse):
    async def main():
        async with converse(["read", OK, "loop"]) as talk:
            for _ in range(3):
                assert await (await talk.send()).read_all(10) == b"ok"
            assert talk.server.connections == 1
            assert (talk.client.stats().open, talk.client.stats().idle) == (1, 1)

    run(main())


def test_a_small_answer_is_whole_when_send_returns(run, converse):
    async def main():
        async with converse(["read", OK]) as talk:
            response = await talk.send()
            assert response.complete
            assert talk.client.stats().idle == 1

    run(main())


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (CHUNKED + b"2\r\nab\r\n3;ext=1\r\ncde\r\n0\r\nx-trailer: t\r\n\r\n", b"abcde"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + OK, b"ok"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n", b""),
        (b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n", b""),
    ],
)
def test_bodies_that_leave_the_connection_usable(run, converse, answer, body):
    async def main():
        for pieces in ([answer], [answer[i : i + 1] for i in range(len(answer))]):
            async with converse(["read", *pieces, "loop"]) as talk:
                for _ in range(2):
                    response = await talk.send()
                    assert response.status in (200, 204, 302, 304)
                    assert await response.read_all(10) == body
                assert talk.server.connections == 1

    run(main())


@pytest.mark.parametrize(
    "script",
    [
        ["read", b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok"],
        ["read", b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok"],
        ["read", b"HTTP/1.1 200 OK\r\n\r\no", b"k", "close"],
        ["read", OK + b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nWRONG"],
        ["read", OK + b"garbage"],
        ["read", OK, 0.02, b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nWRONG"],
        ["read", OK, 0.02, "close"],
    ],
    ids=["close", "http/1.0", "until-eof", "second-response", "garbage", "bytes-while-idle", "closed-while-idle"],
)
def test_connections_that_are_not_used_again(run, converse, script):
    async def main():
        async with converse(script) as talk:
            assert await (await talk.send()).read_all(10) == b"ok"
            await talk.settle(0)
            assert await (await talk.send()).read_all(10) == b"ok"
            assert talk.server.connections == 2

    run(main())


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/2.0 200 OK\r\n\r\n",
        b"HTTP/1.1 050 Odd\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ncontent-length: -2\r\n\r\nok",
        CHUNKED + b"zz\r\nok\r\n",
        CHUNKED + b"ffffffffffffffffff\r\nok\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: rot13\r\ncontent-length: 2\r\n\r\nok",
    ],
)
def test_malformed_answers(run, converse, answer):
    async def main():
        async with converse(["read", answer]) as talk:
            with pytest.raises(MalformedResponse):
                await (await talk.send()).read_all(10)
            await talk.settle(0)

    run(main())


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nx: " + b"a" * 70_000,
        b"HTTP/1.1 200 OK\r\nx: " + b"a" * 70_000 + b"\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 300 + b"content-length: 0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 4000,
        CHUNKED + b"2\r\nok\r\n0\r\n" + b"x: y\r\n" * 300 + b"\r\n",
        CHUNKED + b"2\r\nok\r\n2;" + b"e" * 600_000,
    ],
    ids=["endless-header", "long-header", "many-headers", "many-interim", "many-trailers", "chunk-extension"],
)
def test_heads_and_framing_are_bounded(run, converse, answer):
    async def main():
        async with converse(["read", answer]) as talk:
            with pytest.raises(ResponseTooLarge):
                await (await talk.send()).read_all(10)
            await talk.settle(0)

    run(main())


@pytest.mark.parametrize("end", ["reset", "close"])
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", ConnectFailed),
        (b"HTTP/1.1 20", ConnectionLost),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nok", ConnectionLost),
        (CHUNKED + b"2\r\nok\r\n", ConnectionLost),
    ],
)
def test_connections_that_end_too_early(run, converse, answer, error, end):
    async def main():
        async with converse(["read", answer, 0.01, end]) as talk:
            with pytest.raises(error) as raised:
                await (await talk.send()).read_all(10)
            assert type(raised.value) is error
            assert talk.server.connections == 1

    run(main())


def test_a_reset_is_no_end_of_a_body_that_lasts_until_the_end(run, converse):
    async def main():
        async with converse(["read", b"HTTP/1.1 200 OK\r\n\r\nok", 0.02, "reset"]) as talk:
            response = await talk.send()
            assert await response.read() == b"ok"
            with pytest.raises(ConnectionLost):
                await response.read()

    run(main())


def test_head_has_no_body(run, converse):
    async def main():
        async with converse(["read", b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n", "loop"], method="HEAD") as talk:
            for _ in range(2):
                response = await talk.send(b"")
                assert response.header(b"content-length") == b"500"
                assert await response.read_all(10) == b""

    run(main())


def test_an_answer_before_the_request_is_written_ends_the_connection(run, converse):
    """An upstream that refuses a body of 32 MB after its head has not read the rest: nothing may follow on that connection."""

    async def main():
        refusal = b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno"
        async with converse([0.01, refusal, 0.2]) as talk:
            response = await talk.send(b"x" * 32_000_000)
            assert response.status == 413
            assert await response.read_all(10) == b"no"
            assert talk.client.stats().idle == 0

    run(main())


def test_back_pressure_stops_reading(run, converse):
    async def main():
        size = 24_000_000
        async with converse(["read", b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size, b"x" * size]) as talk:
            response = await talk.send()
            held = 0
            while not held or held != response.buffered:
                held = response.buffered
                await asyncio.sleep(0.05)
            assert held < 2_000_000
            assert len(await response.read_all(size)) == size
            assert talk.client.stats().idle == 1

    run(main())


def test_an_idle_connection_ages_out(run, converse):
    async def main():
        async with converse(["read", OK, "loop"], idle_seconds=0.6) as talk:
            await (await talk.send(first_content=0.5)).read_all(10)
            assert talk.client.stats().open == 1
            await talk.settle(0)

    run(main())
