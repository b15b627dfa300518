"""Relaying a committed stream."""

import asyncio
from types import SimpleNamespace

import pytest
from pipelines import DONE, ROLE, USAGE, Outcome, event, never, stream

from trunkline.dialects.chat.stream import ChatStream
from trunkline.errors import ConnectionLost, UpstreamTimeout
from trunkline.inference import relay as module
from trunkline.inference.relay import let_go, relay
from trunkline.inference.reply import AsgiReply
from trunkline.inference.upstream import Live
from trunkline.protocol.catalogue import Timeouts
from trunkline.protocol.quirks import Quirks
from trunkline.transport.fake import FakeReply, FakeResponse
from trunkline.transport.sse import EventSplitter


def passed(reply: FakeReply, *, draining: bool = False, content_idle: float = 60.0) -> tuple[Outcome, bytes, Live]:
    async def run() -> tuple[Outcome, bytes, Live]:
        outcome = Outcome()
        translator = ChatStream("gen-1", "a/m", "One", 1, Quirks())
        response = FakeResponse(reply, Timeouts(), sent_at=asyncio.get_running_loop().time())
        live = Live(response, EventSplitter(), translator, b"")
        rest = await relay(live, AsgiReply(outcome.send, never, []), SimpleNamespace(draining=draining), content_idle)
        await let_go(live)
        return outcome, rest, live

    return asyncio.run(run())


def test_the_last_bytes_wait_for_the_end_of_the_stream() -> None:
    outcome, rest, live = passed(stream(ROLE, event({"content": "Hi"}), event({}, finish="stop"), USAGE + DONE))
    assert outcome.text == "Hi"
    assert live.stream.usage is not None
    assert b"[DONE]" not in outcome.body + rest


def test_nothing_is_written_for_a_client_that_left() -> None:
    outcome, _, live = passed(stream(ROLE, event({"content": "Hi"}), event({}, finish="stop"), USAGE, DONE), draining=True)
    assert outcome.pieces == []
    assert live.stream.usage == {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}


def test_an_event_without_a_blank_line_at_the_end_counts() -> None:
    _, rest, live = passed(stream(ROLE, event({"content": "Hi"}), event({}, finish="stop").rstrip()))
    assert live.stream.finish_reason == "stop"
    assert b'"finish_reason":"stop"' in rest


def test_an_end_without_a_finish_is_no_end() -> None:
    with pytest.raises(ConnectionLost, match="without a finish"):
        passed(stream(ROLE, event({"content": "Hi"})))


@pytest.mark.parametrize("end", [ConnectionLost("reset"), 3600.0])
def test_an_upstream_that_breaks_off_after_its_finish_has_finished(end: ConnectionLost | float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "USAGE_SECONDS", 0.05)
    outcome, _, live = passed(stream(ROLE, event({"content": "Hi"}), event({}, finish="stop"), end))
    assert outcome.text == "Hi"
    assert live.stream.finish_reason == "stop"


def test_half_an_event_after_the_finish_is_no_error() -> None:
    outcome, _, live = passed(stream(ROLE, event({"content": "Hi"}), event({}, finish="stop"), USAGE[:40]))
    assert outcome.text == "Hi"
    assert live.stream.finish_reason == "stop"


def test_heartbeats_do_not_keep_a_stream_alive() -> None:
    beats: list[bytes | float] = [b": ping\n\n", 0.02] * 50
    with pytest.raises(UpstreamTimeout, match="content_idle"):
        passed(stream(ROLE, event({"content": "Hi"}), *beats), content_idle=0.1)


def test_a_connection_that_breaks_after_the_end_is_no_error() -> None:
    _, _, live = passed(stream(ROLE, event({"content": "Hi"}), event({}, finish="stop"), DONE, ConnectionLost("reset")))
    assert live.stream.done


class Pushed(AsgiReply):
    """A reply that can be pushed to, except while it is `shut`."""

    shut = False

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.send, never, [])
        self.pushed: list[bytes] = []
        self.outcome = outcome

    def push(self, data: bytes) -> bool:
        if self.shut:
            return False
        self.pushed.append(data)
        self.outcome.pieces.append(data)
        return True


@pytest.mark.parametrize("shut", [False, True])
def test_what_cannot_be_pushed_is_written_and_nothing_is_lost_or_doubled(shut: bool) -> None:
    async def run() -> tuple[Pushed, bytes]:
        reply = Pushed(Outcome())
        reply.shut = shut
        steps = [event({"content": word}) for word in ("a", "b", "c")]
        response = FakeResponse(stream(ROLE, *steps, event({}, finish="stop"), USAGE + DONE), Timeouts(), sent_at=0.0)
        live = Live(response, EventSplitter(), ChatStream("gen-1", "a/m", "One", 1, Quirks()), b"")
        return reply, await relay(live, reply, SimpleNamespace(draining=False), 60.0)

    reply, rest = asyncio.run(run())
    assert reply.outcome.text == "abc"
    assert len(reply.pushed) == (0 if shut else 3)
    assert b'content":"c' not in rest
