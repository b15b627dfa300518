"""Inference connections and where a request ends: what two readers could cut differently is refused, and framing costs no memory."""

import asyncio
import tracemalloc

import pytest
from smuggling import CHUNKED, FORGED, forgeries
from stand import HEAD, PATH, Stand, chunked, post, run

from trunkline.api import connection as module
from trunkline.inference.call import Call
from trunkline.inference.reply import Reply

FORGERIES = forgeries(PATH)


@pytest.mark.parametrize("name", FORGERIES)
@pytest.mark.parametrize("apart", [False, True], ids=["one-read", "head-and-rest"])
def test_a_forged_request_never_becomes_a_call(name: str, apart: bool) -> None:
    data = FORGERIES[name]
    cut = data.index(b"\r\n\r\n") + 4 if apart else len(data)

    async def test(stand: Stand) -> None:
        client = await stand.connect(*filter(None, (data[:cut], data[cut:])))
        status, head, body = await client.answer()
        assert (status, b"connection: close" in head) == (400, True)
        assert b"not valid HTTP/1.1" in body
        assert await client.rest() == b""

    stand = run(test)
    assert not stand.route.calls
    assert not stand.elsewhere


@pytest.mark.parametrize(
    ("framing", "body"),
    [
        (b"Content-Length: 5 \r\n\r\nabcde", b"abcde"),
        (b"cONTENT-lENGTH:\t5\r\n\r\nabcde", b"abcde"),
        (b"tRANSFER-eNCODING: CHUNKED\r\n\r\n5;ext=1\r\nabcde\r\n0\r\n\r\n", b"abcde"),
        (CHUNKED + b"\r\n\r\n0000000005\r\nabcde\r\n000\r\nX: 1\r\n\r\n", b"abcde"),
        (b"Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 5\r\n\r\nabcde", b"abcde"),
    ],
)
def test_unusual_framing_that_all_readers_cut_alike(framing: bytes, body: bytes) -> None:
    async def test(stand: Stand) -> None:
        client = await stand.connect(HEAD + framing + FORGED)
        assert [(await client.answer())[2] for _ in range(2)] == [body, b"FORGED"]

    run(test)


@pytest.mark.parametrize("first", [post(b"a", b"Connection: close"), chunked(b"a").replace(b"1.1", b"1.0")], ids=["close", "1.0"])
def test_nothing_is_taken_after_the_last_request(first: bytes) -> None:
    async def test(stand: Stand) -> None:
        client = await stand.connect(first + FORGED)
        assert (await client.answer())[2] == b"a"
        await client.rest()

    assert run(test).bodies == [b"a"]


@pytest.mark.parametrize("kind", ["many-headers", "one-header", "extension"])
def test_framing_without_end_is_refused_and_not_kept(kind: str) -> None:
    """After a chunked body any number of headers may follow, and an extension after each chunk's size: neither has a length."""
    beginning = {"many-headers": b"0\r\n", "one-header": b"0\r\nX: ", "extension": b"1;"}[kind]
    piece = b"".join(b"x%d: y\r\n" % number for number in range(4000)) if kind == "many-headers" else b"y" * 40_000

    async def test(stand: Stand) -> None:
        client = await stand.connect(HEAD + CHUNKED + b"\r\n\r\n2\r\nab\r\n" + beginning)
        await client.reader.read(0)
        tracemalloc.start()
        try:
            sent = 0
            while stand.connections and sent < 400 and not next(iter(stand.connections))._ending:
                await client.send(piece)
                sent += 1
            held = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
        assert sent < 20
        assert held < 4_000_000
        status, _, body = await client.answer()
        assert (status, b"64 KiB" in body) == (431, True)

    assert not run(test).route.calls


def test_a_slow_large_body_in_chunks_is_not_taken_for_framing() -> None:
    """Five times the limit in small chunks, each with an extension: body comes with every read, so there is no end to say."""
    chunks = [b"x" * 2000] * 160

    async def test(stand: Stand) -> None:
        head = HEAD + CHUNKED + b"\r\n\r\n"
        client = await stand.connect(head, *[b"%x;a=b\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks], b"0\r\n\r\n")
        assert (await client.answer())[2] == b"".join(chunks)
        await client.send(post(b"x" * 200_000)[:150_000], b"x" * 60_000)
        assert len((await client.answer())[2]) == 200_000

    run(test)


def test_too_large_a_body_is_not_asked_for() -> None:
    async def test(stand: Stand) -> None:
        client = await stand.connect(HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % (module.MAX_BODY_BYTES + 1))
        assert (await client.rest()).startswith(b"HTTP/1.1 413 ")

    run(test)


def test_requests_sent_ahead_never_begin_when_the_client_leaves() -> None:
    """Each begun call settles itself (`inference`); one that has not begun has nothing to settle."""
    left = []

    async def held(_call: Call, reply: Reply) -> None:
        gone = asyncio.get_running_loop().create_future()
        reply.on_leaving(lambda: gone.set_result(None))
        await gone
        left.append(True)

    async def test(stand: Stand) -> None:
        client = await stand.connect(post(b"1") + post(b"2") + post(b"3") + HEAD)
        await stand.until(lambda: len(stand.route.calls) == 1)
        client.writer.transport.abort()
        await stand.until(lambda: bool(left) and not stand.connections and not stand.tasks)

    assert run(test, held).bodies == [b"1"]
