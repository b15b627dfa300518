"""Passes a committed stream on to the client: what one read brings goes out in one send."""

from contextlib import suppress

from trunkline.errors import ConnectionLost, UpstreamError
from trunkline.inference.reply import Reply
from trunkline.inference.upstream import Live
from trunkline.inference.watch import ContentClock, Watch

LINGER_READS = 3
USAGE_SECONDS = 5.0
"""How long usage and [DONE] may come after the finish reason."""


async def relay(live: Live, reply: Reply, watch: Watch, content_idle: float) -> bytes:
    """Relay until the upstream has finished; returns the client bytes that have not been sent yet, so that they go out together with the
    end.

    Raises UpstreamError when the upstream fails, ends without a finish, or sends no content for too long.
    """
    stream, splitter = live.stream, live.splitter
    pending = live.first
    clock: ContentClock | None = None
    while not stream.done:
        if pending and not watch.draining:
            await reply.write(pending)
        finished = stream.finish_reason is not None
        data = await _read(live, finished=finished)
        pending = stream.feed(splitter.feed(data)) if data else stream.feed(splitter.close()) + stream.end()
        if stream.error is not None and not finished:
            raise stream.error
        if not data or stream.error is not None:
            break
        if not pending:
            clock = clock or ContentClock(content_idle)
            clock.check(stream.output_chars)
    if stream.finish_reason is None:
        raise ConnectionLost("the stream ended without a finish", status=200)
    return pending


async def _read(live: Live, *, finished: bool) -> bytes:
    """The next bytes. After the finish only usage can come: an upstream that breaks off or dawdles then has ended its answer."""
    if finished:
        live.response.expect("usage", USAGE_SECONDS)
    try:
        return await live.response.read()
    except UpstreamError:
        if not finished:
            raise
        return b""


async def let_go(live: Live) -> None:
    """Read the end of the body, so that the connection can be used again; the pipeline hangs up on a server that does not end it."""
    with suppress(UpstreamError):
        for _ in range(LINGER_READS):
            if not await live.response.read():
                return
