"""Replies as ASGI messages."""

import asyncio

from pipelines import Outcome, never

from trunkline.inference.reply import AsgiReply


def test_a_whole_answer_has_its_length_and_all_headers() -> None:
    outcome = Outcome()
    reply = AsgiReply(outcome.send, never, [(b"x-always", b"1")])
    asyncio.run(reply.whole(418, b"{}", [(b"x-once", b"2")]))
    assert outcome.status == 418
    assert outcome.headers == {b"content-type": b"application/json", b"content-length": b"2", b"x-always": b"1", b"x-once": b"2"}
    assert outcome.ended
    assert reply.started


def test_a_stream_sends_its_head_once_and_ends_when_told() -> None:
    outcome = Outcome()
    reply = AsgiReply(outcome.send, never, [(b"x-always", b"1")])

    async def run() -> None:
        await reply.write(b"one")
        assert not outcome.ended
        await reply.write(b"two", last=True)

    asyncio.run(run())
    assert outcome.pieces == [b"one", b"two"]
    assert outcome.ended
    assert outcome.headers[b"content-type"].startswith(b"text/event-stream")
    assert outcome.headers[b"x-always"] == b"1"
    assert reply.blocked_since == 0.0


def test_a_client_that_does_not_read_is_seen() -> None:
    async def run() -> None:
        free = asyncio.Event()

        async def send(_message: object) -> None:
            await free.wait()

        reply = AsgiReply(send, never, [])
        reply.started = True
        writing = asyncio.get_running_loop().create_task(reply.write(b"x"))
        await asyncio.sleep(0)
        assert reply.blocked_since > 0
        free.set()
        await writing
        assert reply.blocked_since == 0.0

    asyncio.run(run())


def test_a_stream_may_be_of_another_type() -> None:
    outcome = Outcome()
    reply = AsgiReply(outcome.send, never, [(b"x-always", b"1")])

    async def run() -> None:
        reply.become("audio/mpeg")
        await reply.write(b"one", last=True)

    asyncio.run(run())
    assert outcome.headers == {b"content-type": b"audio/mpeg", b"x-always": b"1"}


def test_more_headers_go_with_the_head() -> None:
    for streamed in (False, True):
        outcome = Outcome()
        reply = AsgiReply(outcome.send, never, [(b"x-always", b"1")])
        reply.extend([(b"x-more", b"2")])
        asyncio.run(reply.write(b"x", last=True) if streamed else reply.whole(200, b"{}"))
        assert outcome.headers[b"x-always"] == b"1"
        assert outcome.headers[b"x-more"] == b"2"
