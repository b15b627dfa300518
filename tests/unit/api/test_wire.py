"""Answers as bytes, the write gate and the Date header."""

import asyncio
from typing import Any, cast

import pytest

from trunkline.api.wire import Dates, WireReply, WriteGate, refusal, render_headers
from trunkline.inference.reply import COMMENT


class Wire:
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Keeps it."""
        self.writes.append(data)


class Scene:
    """A reply on a transport of ours; `ended` holds what it said at its end."""

    def __init__(self, *, http11: bool = True, close: bool = False) -> None:
        self.wire = Wire()
        self.ended: list[bool] = []
        self.gate = WriteGate(asyncio.get_running_loop())
        self.reply = WireReply(
            cast(asyncio.Transport, self.wire),
            self.gate,
            Dates(lambda: 784111777.5),
            generation_id="gen-1",
            http11=http11,
            close=close,
            ended=self.ended.append,
        )

    @property
    def sent(self) -> bytes:
        """All that was written."""
        return b"".join(self.wire.writes)


def test_the_date_is_made_once_a_second() -> None:
    now = [784111777.0]
    dates = Dates(lambda: now[0])
    first = dates.line()
    assert first == b"date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    now[0] += 0.9
    assert dates.line() is first
    now[0] += 0.1
    assert dates.line() == b"date: Sun, 06 Nov 1994 08:49:38 GMT\r\n"


def test_a_whole_answer_is_one_write() -> None:
    async def scene() -> None:
        one = Scene()
        await one.reply.whole(503, b"{}", [(b"retry-after", b"1")])
        assert one.reply.started and one.ended == [True] and len(one.wire.writes) == 1
        lines = one.sent.split(b"\r\n")
        assert lines[:2] == [b"HTTP/1.1 503 Service Unavailable", b"date: Sun, 06 Nov 1994 08:49:37 GMT"]
        assert {b"content-type: application/json", b"x-generation-id: gen-1", b"content-length: 2", b"retry-after: 1"} <= set(lines)
        assert lines[-2:] == [b"", b"{}"]

    asyncio.run(scene())


@pytest.mark.parametrize("close", [True, False])
def test_the_connection_is_said_to_close_and_does(close: bool) -> None:
    async def scene() -> None:
        one = Scene(close=close)
        await one.reply.whole(200, b"")
        assert one.ended == [not close] and (b"\r\nconnection: close\r\n" in one.sent) is close

    asyncio.run(scene())


def test_a_status_without_a_name_can_be_sent() -> None:
    async def scene() -> None:
        one = Scene()
        await one.reply.whole(529, b"")
        assert one.sent.startswith(b"HTTP/1.1 529 \r\n")
        assert refusal(499, b"", Dates()).startswith(b"HTTP/1.1 499 \r\n")

    asyncio.run(scene())


def test_a_stream_is_chunks_and_its_head_goes_with_the_first() -> None:
    async def scene() -> None:
        one = Scene()
        await one.reply.write(b"data: 1\n\n")
        await one.reply.write(b"")
        await one.reply.write(b"x" * 17, last=True)
        assert b"\r\ntransfer-encoding: chunked\r\n" in one.wire.writes[0] and one.wire.writes[0].endswith(b"\r\n\r\n9\r\ndata: 1\n\n\r\n")
        assert one.wire.writes[1:] == [b"", b"11\r\n" + b"x" * 17 + b"\r\n0\r\n\r\n"]
        assert one.ended == [True] and one.reply.sent_at > 0

    asyncio.run(scene())


@pytest.mark.parametrize("http11", [True, False])
def test_a_stream_may_be_empty(http11: bool) -> None:
    async def scene() -> None:
        one = Scene(http11=http11)
        await one.reply.write(b"", last=True)
        assert one.sent.endswith(b"\r\n\r\n0\r\n\r\n" if http11 else b"\r\n\r\n") and one.ended == [http11]

    asyncio.run(scene())


def test_nothing_is_sent_after_the_end_or_to_nobody() -> None:
    async def scene() -> None:
        for end in ("last", "whole", "left"):
            one = Scene()
            await one.reply.write(b"1", last=end == "last")
            if end == "whole":
                await one.reply.whole(200, b"2")
            if end == "left":
                one.reply.left()
            size = len(one.sent)
            await one.reply.write(COMMENT)
            await one.reply.write(b"", last=True)
            await one.reply.whole(200, b"3")
            one.reply.probe()
            assert len(one.sent) == size and len(one.ended) == (0 if end == "left" else 1)

    asyncio.run(scene())


def test_a_probe_means_nothing_to_the_client() -> None:
    async def scene() -> None:
        one, old = Scene(), Scene(http11=False)
        one.reply.probe()
        old.reply.probe()
        assert one.sent == b"HTTP/1.1 100 Continue\r\n\r\n" and old.sent == b""
        for scene in (one, old):
            await scene.reply.write(b"1")
            scene.reply.probe()
        assert one.sent.endswith(b"\r\n1\r\n1\r\n%x\r\n%b\r\n" % (len(COMMENT), COMMENT))
        assert old.sent.endswith(b"\r\n\r\n1" + COMMENT)

    asyncio.run(scene())


def test_a_stream_waits_at_the_gate() -> None:
    async def scene() -> None:
        one = Scene()
        one.gate.close()
        one.gate.close()
        waiting = asyncio.ensure_future(one.reply.write(b"1"))
        await asyncio.sleep(0)
        assert one.sent and one.reply.blocked_since == one.reply.sent_at and one.gate.closed and not waiting.done()
        one.gate.open()
        await waiting
        assert not one.reply.blocked_since and not one.gate.closed
        one.gate.open()
        await one.gate.passed()

    asyncio.run(scene())


def test_one_writer_that_is_cancelled_does_not_take_the_others_along() -> None:
    async def scene() -> None:
        gate = WriteGate(asyncio.get_running_loop())
        gate.close()
        first, second = (asyncio.ensure_future(gate.passed()) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        gate.open()
        await second
        assert first.cancelled()

    asyncio.run(scene())


def test_who_wants_to_know_is_told_that_the_client_left() -> None:
    async def scene() -> None:
        told: list[Any] = []
        one = Scene()
        one.reply.left()
        one.reply.on_leaving(lambda: told.append(1))
        one.reply.left()
        one.reply.on_leaving(None)
        one.reply.left()
        assert told == [1]

    asyncio.run(scene())


def test_headers_are_lines() -> None:
    assert render_headers([(b"a", b"1"), (b"b", b"")]) == b"a: 1\r\nb: \r\n"


def test_a_stream_of_another_type_gets_no_comments() -> None:
    async def scene() -> None:
        one = Scene()
        one.reply.become("audio/mpeg")
        await one.reply.write(b"sound")
        one.reply.probe()
        await one.reply.write(b"", last=True)
        sent = b"".join(one.wire.writes)
        assert b"content-type: audio/mpeg\r\n" in sent and b"event-stream" not in sent and COMMENT not in sent
        assert sent.endswith(b"5\r\nsound\r\n0\r\n\r\n")

    asyncio.run(scene())


@pytest.mark.parametrize("streamed", [False, True])
def test_more_headers_go_with_the_head(streamed: bool) -> None:
    async def scene() -> None:
        one = Scene()
        one.reply.extend([(b"x-more", b"1")])
        if streamed:
            await one.reply.write(b"x")
            await one.reply.write(b"y", last=True)
        else:
            await one.reply.whole(200, b"{}", [(b"x-own", b"2")])
            assert b"\r\nx-own: 2\r\n" in one.sent
        head, _, rest = one.sent.partition(b"\r\n\r\n")
        assert head.count(b"\r\nx-more: 1") == 1
        assert b"x-more" not in rest

    asyncio.run(scene())


@pytest.mark.parametrize("http11", [True, False])
def test_a_further_piece_can_be_pushed_while_the_client_takes_it(http11: bool) -> None:
    async def scene() -> None:
        one = Scene(http11=http11)
        assert not one.reply.push(b"first")
        await one.reply.write(b"first")
        assert one.reply.push(b"second")
        assert one.wire.writes[1:] == [b"6\r\nsecond\r\n" if http11 else b"second"]
        one.gate.close()
        assert not one.reply.push(b"third")
        one.gate.open()
        await one.reply.write(b"end", last=True)
        assert one.reply.push(b"late")
        assert len(one.wire.writes) == 3

    asyncio.run(scene())
