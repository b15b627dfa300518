"""Inference connections that end otherwise than by an answer: refusals, deadlines, clients that leave, a server that stops."""

import asyncio

import pytest
from stand import HEAD, Stand, chunked, post, run

from trunkline.api import connection as module
from trunkline.inference.call import Call
from trunkline.inference.reply import COMMENT, Reply

# Refusals


async def refused(stand: Stand, *pieces: bytes) -> tuple[int, bytes]:
    """What a client reads that sends these pieces: the status and the end of the answer. The connection ends after it."""
    client = await stand.connect(*pieces)
    status, head, body = await client.answer()
    assert b"\r\nconnection: close\r\n" in head and b'"error"' in body
    assert await client.rest() == b""
    return status, body


@pytest.mark.parametrize(
    "request_bytes",
    [
        HEAD + b"Content-Length: x\r\n\r\n",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
        HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 20 + b"\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n",
        HEAD + b"A: b\r\n folded\r\nContent-Length: 0\r\n\r\n",
        HEAD + b"A b: c\r\n\r\n",
        HEAD + b"no colon\r\n\r\n",
        HEAD.replace(b"1.1", b"9.9") + b"\r\n",
        HEAD.replace(b"\r", b"") + b"\n",
    ],
)
def test_what_is_no_http_is_refused_in_json(request_bytes: bytes) -> None:
    async def test(stand: Stand) -> None:
        status, body = await refused(stand, request_bytes + b"and more" * 1000)
        assert status == 400 and b"not valid HTTP/1.1" in body
        assert not stand.route.calls

    run(test)


@pytest.mark.parametrize("read_at_once", [True, False])
def test_a_head_without_end_is_refused(read_at_once: bool) -> None:
    async def test(stand: Stand) -> None:
        long = HEAD + b"X: " + b"x" * module.MAX_HEAD_BYTES
        pieces = [long] if read_at_once else [long[at : at + 20_000] for at in range(0, len(long), 20_000)]
        assert (await refused(stand, *pieces))[0] == 431

    run(test)


def test_a_large_body_is_not_taken_for_a_head() -> None:
    async def test(stand: Stand) -> None:
        large = b"x" * (2 * module.MAX_HEAD_BYTES)
        client = await stand.connect(post(large) + HEAD, b"X: y\r\n", b"Content-Length: 0\r\n\r\n")
        assert (await client.answer())[2] == large
        assert (await client.answer())[2] == b""

    run(test)


def test_a_body_announced_too_large_is_refused_before_it_is_read() -> None:
    async def test(stand: Stand) -> None:
        status, body = await refused(stand, HEAD + b"Content-Length: %d\r\n\r\n" % (module.MAX_BODY_BYTES + 1))
        assert status == 413 and b"64 MiB" in body

    run(test)


@pytest.mark.parametrize("limit", ["MAX_BODY_BYTES", "MAX_PIECES"])
def test_a_body_without_end_is_refused_and_the_rest_thrown_away(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, limit, 1000)

    async def test(stand: Stand) -> None:
        head = chunked().removesuffix(b"0\r\n\r\n")
        status, _ = await refused(stand, head, *[b"2\r\nab\r\n" * 500] * 4)
        assert status == 413 and not stand.route.calls

    run(test)


def test_requests_before_a_bad_one_are_answered_first() -> None:
    async def slow(call: Call, reply: Reply) -> None:
        await asyncio.sleep(0.01)
        await reply.whole(200, call.body)

    async def test(stand: Stand) -> None:
        client = await stand.connect(post(b"1") + post(b"2") + HEAD + b"bad\r\n\r\n")
        answers = [await client.answer() for _ in range(3)]
        assert [status for status, _, _ in answers] == [200, 200, 400]
        assert await client.rest() == b""

    run(test, slow)


def test_an_error_of_ours_is_not_called_the_clients(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(stand: Stand) -> None:
        monkeypatch.setattr(stand.route, "accept", None)
        assert (await refused(stand, post()))[0] == 500

    run(test)
    assert "TypeError" in caplog.text


# Time


def test_a_slow_sender_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IDLE_SECONDS", 0.5)
    monkeypatch.setattr(module, "BODY_SECONDS", 0.05)

    async def test(stand: Stand) -> None:
        for piece in (post(b"body")[:-1], HEAD):
            assert (await refused(stand, piece))[0] == 408

    run(test)


def test_a_client_that_ignores_the_refusal_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LINGER_SECONDS", 0.05)

    async def test(stand: Stand) -> None:
        await stand.connect(HEAD + b"bad\r\n\r\n")
        await stand.until(lambda: not stand.connections)

    run(test)


@pytest.mark.parametrize("sent", [b"", b"POST /api", post(b"1")])
def test_an_idle_connection_is_closed(sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IDLE_SECONDS", 0.5)

    async def test(stand: Stand) -> None:
        assert (await (await stand.connect(sent)).rest())[-1:] == (b"1" if sent.endswith(b"1") else b"")
        await stand.until(lambda: not stand.connections)

    run(test)


def test_a_long_answer_is_not_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IDLE_SECONDS", 0.3)

    async def slow(call: Call, reply: Reply) -> None:
        await asyncio.sleep(1)
        await reply.whole(200, call.body)

    async def test(stand: Stand) -> None:
        assert (await (await stand.connect(post(b"late"))).answer())[2] == b"late"

    run(test, slow)


def test_a_client_that_never_reads_its_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IDLE_SECONDS", 0.5)

    async def large(_call: Call, reply: Reply) -> None:
        await reply.whole(200, b"x" * 16_000_000)

    async def test(stand: Stand) -> None:
        await stand.connect(post(), post(), post(b"", b"Connection: close"))
        await stand.until(lambda: not stand.connections)
        assert len(stand.route.calls) == 1

    run(test, large)


# Leaving


def test_half_a_connection_is_enough_for_the_answer() -> None:
    go = asyncio.Event()

    async def held(call: Call, reply: Reply) -> None:
        await go.wait()
        await reply.whole(200, call.body)

    async def test(stand: Stand) -> None:
        client = await stand.connect(post(b"1") + post(b"2"))
        client.writer.write_eof()
        await stand.until(lambda: next(iter(stand.connections))._ending)
        go.set()
        answer = await client.rest()
        probe = b"HTTP/1.1 100 Continue\r\n\r\n"
        assert answer.startswith(probe)
        assert [part[-1:] for part in answer.replace(probe, b"").split(b"HTTP/1.1 200 OK")[1:]] == [b"1", b"2"]

    run(test, held)


def test_half_a_connection_is_enough_for_a_stream() -> None:
    go = asyncio.Event()

    async def stream(_call: Call, reply: Reply) -> None:
        await reply.write(b"one")
        await go.wait()
        await reply.write(b"two", last=True)

    async def test(stand: Stand) -> None:
        client = await stand.connect(post())
        client.writer.write_eof()
        await stand.until(lambda: next(iter(stand.connections))._ending)
        go.set()
        answer = await client.rest()
        probe = b"%x\r\n%b\r\n" % (len(COMMENT), COMMENT)
        assert probe in answer and answer.replace(probe, b"").endswith(b"\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")

    run(test, stream)


def test_half_a_request_ends_with_the_connection() -> None:
    async def test(stand: Stand) -> None:
        client = await stand.connect(post(b"body")[:-1])
        client.writer.write_eof()
        assert await client.rest() == b"" and not stand.route.calls

    run(test)


@pytest.mark.parametrize("started", [True, False])
@pytest.mark.parametrize("abrupt", [True, False])
def test_who_leaves_is_noticed_at_once(started: bool, abrupt: bool) -> None:
    left: list[float] = []

    async def stream(_call: Call, reply: Reply) -> None:
        loop = asyncio.get_running_loop()
        gone = loop.create_future()
        reply.on_leaving(lambda: gone.set_result(None))
        if started:
            await reply.write(b"one")
        await gone
        left.append(loop.time())
        await reply.write(b"to nobody")
        await reply.whole(200, b"to nobody")

    async def test(stand: Stand) -> None:
        quickest = 30.0
        for _ in range(20):  # a busy machine gets more tries
            left.clear()
            client = await stand.connect(post())
            await stand.until(lambda: len(stand.tasks) == 1)
            if started:
                await client.reader.readuntil(b"one\r\n")
            began = asyncio.get_running_loop().time()
            client.writer.transport.abort() if abrupt else client.writer.close()
            await stand.until(lambda: bool(left))
            quickest = min(quickest, left[0] - began)
            await stand.until(lambda: not stand.tasks and not stand.connections)
            if quickest < 0.1:
                break
        assert quickest < 0.1

    run(test, stream)


def test_a_client_that_does_not_read_holds_the_stream_up() -> None:
    sent = []

    async def stream(_call: Call, reply: Reply) -> None:
        for number in range(200):
            await reply.write(b"x" * 100_000)
            sent.append(number)
        assert not reply.blocked_since
        await reply.write(b"end", last=True)

    async def test(stand: Stand) -> None:
        client = await stand.connect(post())
        held = 0
        while not held or held != len(sent):
            held = len(sent)
            await asyncio.sleep(0.1)
        assert held < 199
        assert (await client.reader.readexactly(19_000_000))[-1:] == b"x"
        await stand.until(lambda: len(sent) == 200)

    run(test, stream)


def test_an_answer_that_breaks_off_does_not_look_whole(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(_call: Call, reply: Reply) -> None:
        await reply.write(b"one")
        raise RuntimeError("broken")

    async def test(stand: Stand) -> None:
        client = await stand.connect(post())
        try:
            answer = await client.rest()
        except ConnectionResetError:
            return
        assert not answer.endswith(b"0\r\n\r\n")

    run(test, broken)


# Shutdown


def test_an_idle_connection_ends_at_once_when_the_server_stops() -> None:
    async def test(stand: Stand) -> None:
        clients = [await stand.connect(*pieces) for pieces in ((), (b"PO",), (post(b"1"),))]
        for one in list(stand.connections):
            one.shutdown()
        for client in clients:
            await client.rest()

    run(test)


def test_answers_under_way_are_finished_when_the_server_stops() -> None:
    go = asyncio.Event()

    async def held(call: Call, reply: Reply) -> None:
        await go.wait()
        await reply.whole(200, call.body)

    async def test(stand: Stand) -> None:
        client = await stand.connect(post(b"1") + post(b"2") + HEAD)
        next(iter(stand.connections)).shutdown()
        go.set()
        assert (await client.answer())[2] == b"1"
        _, head, body = await client.answer()
        assert body == b"2" and b"connection: close" in head
        assert await client.rest() == b""

    run(test, held)
