"""Looks after one streaming reply while the pipeline waits for the upstream: is the client still there, does it read, has it heard from us
lately?

One timer looks round every few seconds and the reply tells when the client leaves; nothing here runs per event.
"""

import asyncio
import time
from collections.abc import Callable

from trunkline.errors import UpstreamTimeout
from trunkline.inference.reply import COMMENT, Reply
from trunkline.transport.tasks import spawn

LOOK_SECONDS = 5.0
SILENCE_SECONDS = 10.0
STALL_SECONDS = 60.0
DRAIN_SECONDS = 60.0
MAX_DRAINS = 32


class Drains:
    """How many streams go on for clients that left (endpoints that bill on): a bounded number, each for a bounded time."""

    def __init__(self, limit: int = MAX_DRAINS) -> None:
        self._free = limit

    def take(self) -> bool:
        """Take a place; False when all are taken."""
        if self._free == 0:
            return False
        self._free -= 1
        return True

    def give(self) -> None:
        """Give a place back."""
        self._free += 1


class Watch:
    """Watches one reply from `start` to `stop`. When the exchange must end early it cancels the task that runs it; `reason` then says why
    (`gone`, `stalled`), and is empty when somebody else cancelled."""

    __slots__ = ("_bills_on", "_drains", "_loop", "_reply", "_task", "_timer", "draining", "reason")

    def __init__(self, reply: Reply, drains: Drains, bills_on: Callable[[], bool]) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - the pipeline always runs in a task
        self._task = task
        self._loop = asyncio.get_running_loop()
        self._reply = reply
        self._drains = drains
        self._bills_on = bills_on
        self.reason = ""
        self.draining = False
        reply.sent_at = time.monotonic()
        self._timer = self._loop.call_later(LOOK_SECONDS, self._look)
        reply.on_leaving(self._left)

    def forgive(self) -> None:
        """Undo the cancellation that this watch asked for: the task goes on to its normal end."""
        self._task.uncancel()

    def stop(self) -> None:
        """End the watch."""
        self._timer.cancel()
        self._reply.on_leaving(None)
        if self.draining:
            self._drains.give()

    def _left(self) -> None:
        if self._bills_on() and self._drains.take():
            self.draining = True
            self._timer.cancel()
            self._timer = self._loop.call_later(DRAIN_SECONDS, self._end, "gone")
        else:
            self._end("gone")

    def _look(self) -> None:
        now = time.monotonic()
        if self._reply.blocked_since and now - self._reply.blocked_since > STALL_SECONDS:
            self._end("stalled")
            return
        if not self._reply.blocked_since and now - self._reply.sent_at >= SILENCE_SECONDS:
            spawn(self._reply.write(COMMENT), name="keep-alive")
        self._timer = self._loop.call_later(LOOK_SECONDS, self._look)

    def _end(self, reason: str) -> None:
        self.reason = reason
        self._task.cancel()


class ContentClock:
    """Notices a stream that sends heartbeats but no content (pitfalls: "only heartbeats come")."""

    __slots__ = ("_limit", "_seen", "_since")

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._seen = -1
        self._since = time.monotonic()

    def check(self, produced: int) -> None:
        """Called after each read with the amount of output so far; raises UpstreamTimeout when it has not grown for too long."""
        now = time.monotonic()
        if produced != self._seen:
            self._seen, self._since = produced, now
        elif now - self._since > self._limit:
            raise UpstreamTimeout("content_idle", self._limit)
