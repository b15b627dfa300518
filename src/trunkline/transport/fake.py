"""A client without a network, of the same shape: for tests of the rooms above."""

import asyncio
import ssl
from collections.abc import Mapping, Sequence

from msgspec import Struct

from trunkline.errors import ConnectionLost, UpstreamError
from trunkline.protocol.catalogue import Timeouts
from trunkline.transport.client import Client, Holder
from trunkline.transport.egress import EgressGuard
from trunkline.transport.response import Flow, Response
from trunkline.transport.target import Target

Step = bytes | float | UpstreamError
"""What a body does next: bytes that arrive in one read, a pause in seconds, or the error that ends it."""


class FakeReply(Struct, frozen=True):
    """A scripted response. A `pause` (seconds) comes before the head."""

    status: int = 200
    headers: Mapping[str, str] = {}
    body: Sequence[Step] = ()
    pause: float = 0.0


class Sent(Struct, frozen=True):
    """A request that was sent, with the response it got (None when that was an error)."""

    target: Target
    body: bytes
    extra_headers: bytes
    timeouts: Timeouts
    response: "FakeResponse | None"


class FakeResponse(Response):
    """Plays the body of a reply, one step for each read. `closed` tells whether the caller closed it before its end."""

    __slots__ = ("_steps", "closed")

    def __init__(self, reply: FakeReply, timeouts: Timeouts, *, sent_at: float) -> None:
        super().__init__(timeouts, sent_at=sent_at)
        self.closed = False
        self._steps = list(reply.body)
        self.begin(reply.status, [(name.lower().encode(), value.encode()) for name, value in reply.headers.items()])

    async def read(self) -> bytes:
        while self._steps and self.error is None:
            step = self._steps.pop(0)
            if isinstance(step, float | int):
                await self._pause(step)
            elif isinstance(step, bytes):
                self.put(step)
                break
            else:
                self.fail(step)
        self.complete = not self._steps
        return await super().read()

    async def pour(self, flow: Flow) -> bool:
        while data := await self.read():
            if not flow(data):
                return True
        return False

    async def _pause(self, seconds: float) -> None:
        """Sleep, until a deadline of the reader at the latest."""
        self._waits_since = now = asyncio.get_running_loop().time()
        self._waiter = asyncio.get_running_loop().create_future()
        left = self.deadline() - now
        await asyncio.sleep(min(seconds, max(left, 0.0)))
        if left <= seconds:
            self.fail(self.overdue())
        self._waiter = None

    def close(self) -> None:
        if not self.complete and self.error is None:
            self.closed = True
            self._steps.clear()
            self.fail(ConnectionLost("the response was closed before its end", status=self.status))


class FakeClient(Client):
    """Answers with `replies` in order; a reply that is an error is raised instead. `sent` lists the requests."""

    def __init__(self, *replies: FakeReply | UpstreamError) -> None:
        super().__init__(EgressGuard(), ssl_context=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        self.replies = list(replies)
        self.sent: list[Sent] = []

    async def send(
        self,
        target: Target,
        body: bytes,
        timeouts: Timeouts,
        *,
        extra_headers: bytes = b"",
        head_timeout: float | None = None,
        holder: Holder | None = None,
    ) -> Response:
        """The next reply of the script. Raises AssertionError when there is none."""
        if not self.replies:
            raise AssertionError("a request that the script does not expect")
        reply = self.replies.pop(0)
        if isinstance(reply, UpstreamError):
            self.sent.append(Sent(target, body, extra_headers, timeouts, None))
            raise reply
        await asyncio.sleep(reply.pause)
        response = FakeResponse(reply, timeouts, sent_at=asyncio.get_running_loop().time())
        self.sent.append(Sent(target, body, extra_headers, timeouts, response))
        if holder is not None:
            holder.response = response
        return response
