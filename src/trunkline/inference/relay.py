"""Passes a committed stream on to the client: what one read brings goes out in one send."""

from contextlib import suppress

from trunkline.errors import ConnectionLost, UpstreamError
from trunkline.inference.reply import Reply
from trunkline.inference.upstream import Live
from trunkline.inference.watch import ContentClock, Watch

LINGER_READS = 3
USAGE_SECONDS = 5.0
"""How long usage and [DONE] may come after the finish reason."""


class Current:
    """A stream in full flow: what arrives is translated and sent on where it arrives, without a turn of the event loop. `rest` is what
    has been translated and not sent."""

    __slots__ = ("_reply", "_splitter", "_stream", "_watch", "rest")

    def __init__(self, live: Live, reply: Reply, watch: Watch) -> None:
        self.rest = b""
        self._splitter = live.splitter
        self._stream = live.stream
        self._reply = reply
        self._watch = watch

    def take(self, data: bytes) -> bool:
        """What one read brought; False when it was out of the ordinary, or the client does not take it now."""
        stream = self._stream
        self.rest = stream.feed(self._splitter.feed(data))
        if not self.rest or stream.error is not None or stream.done or stream.finish_reason is not None:
            return False
        if self._watch.draining or self._reply.push(self.rest):
            self.rest = b""
            return True
        return False

    def end(self) -> None:
        """The body has ended."""
        self.rest = self._stream.feed(self._splitter.close()) + self._stream.end()


async def relay(live: Live, reply: Reply, watch: Watch, content_idle: float) -> bytes:
    """Relay until the upstream has finished; returns the client bytes that have not been sent yet, so that they go out together with the
    end.

    Raises UpstreamError when the upstream fails, ends without a finish, or sends no content for too long.
    """
    stream, current = live.stream, Current(live, reply, watch)
    current.rest = live.first
    clock: ContentClock | None = None
    while not stream.done:
        if current.rest and not watch.draining:
            await reply.write(current.rest)
        finished = stream.finish_reason is not None
        more = await _further(live, current, finished=finished)
        if stream.error is not None and not finished:
            raise stream.error
        if not more or stream.error is not None:
            break
        if not current.rest:
            clock = clock or ContentClock(content_idle)
            clock.check(stream.output_chars)
    if stream.finish_reason is None:
        raise ConnectionLost("the stream ended without a finish", status=200)
    return current.rest


async def _further(live: Live, current: Current, *, finished: bool) -> bool:
    """The stream until something is to be looked at; False when it has ended. After the finish only usage can come: an upstream that breaks
    off or dawdles then has ended its answer."""
    if finished:
        live.response.expect("usage", USAGE_SECONDS)
    try:
        more = await live.response.pour(current.take)
    except UpstreamError:
        if not finished:
            raise
        more = False
    if not more:
        current.end()
    return more


async def let_go(live: Live) -> None:
    """Read the end of the body, so that the connection can be used again; the pipeline hangs up on a server that does not end it."""
    with suppress(UpstreamError):
        for _ in range(LINGER_READS):
            if not await live.response.read():
                return
