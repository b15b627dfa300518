"""One response while it arrives: the head, then decoded body bytes as the caller asks for them, under deadlines."""

import asyncio
from collections.abc import Callable, KeysView
from typing import TYPE_CHECKING, cast

from trunkline.errors import ConnectionLost, ResponseTooLarge, UpstreamError, UpstreamTimeout
from trunkline.protocol.catalogue import Timeouts
from trunkline.transport.decoding import Decoder, open_decoder

if TYPE_CHECKING:
    from trunkline.transport.connection import Connection

Headers = list[tuple[bytes, bytes]]
Flow = Callable[[bytes], bool]
"""Takes bytes as they arrive; False = it wants no more."""
_NEVER = float("inf")


class Response:
    """What an upstream answers. `Connection` fills it; the caller reads it. Header names are lower-case.

    The deadlines are those of `Timeouts`: `total` runs from `sent_at` (event loop time), `idle` from the moment a read finds nothing.
    """

    __slots__ = (
        "_connection",
        "_decoder",
        "_expect_at",
        "_expected",
        "_fields",
        "_flow",
        "_gone",
        "_idle",
        "_max_decoded",
        "_pieces",
        "_total",
        "_total_at",
        "_waiter",
        "_waits_since",
        "bodiless",
        "buffered",
        "complete",
        "error",
        "head_timeout",
        "headers",
        "sent_at",
        "status",
    )

    def __init__(
        self, timeouts: Timeouts, *, sent_at: float, head_timeout: float | None = None, bodiless: bool = False, max_decoded: int = 2**26
    ) -> None:
        self.status = 0
        self.headers: Headers = []
        self.sent_at = sent_at
        self.head_timeout = timeouts.first_content if head_timeout is None else head_timeout
        self.bodiless = bodiless
        self.buffered = 0
        self.complete = False
        self.error: UpstreamError | None = None
        self._fields: dict[bytes, bytes] = {}
        self._idle = timeouts.idle
        self._total = timeouts.total
        self._total_at = sent_at + timeouts.total
        self._expect_at = _NEVER
        self._expected = ("", 0.0)
        self._pieces: list[bytes] = []
        self._waits_since = sent_at
        self._waiter: asyncio.Future[bool] | None = None
        self._flow: Flow | None = None
        self._gone = False
        self._connection: Connection | None = None
        self._decoder: Decoder | None = None
        self._max_decoded = max_decoded

    def header(self, name: bytes) -> bytes | None:
        """The value of the header `name` (lower-case), the last one if it came several times."""
        return self._fields.get(name)

    @property
    def names(self) -> KeysView[bytes]:
        """The names of all headers."""
        return self._fields.keys()

    @property
    def sent(self) -> bool:
        """Whether the whole request has left this machine; of a response that was closed, whether it had by then."""
        if self.status:
            return True
        return self._gone if self._connection is None else self._connection.flushed

    def expect(self, phase: str, seconds: float, *, since: float | None = None) -> None:
        """Set one more deadline: a read that still waits `seconds` after `since` (loop time; default now) raises UpstreamTimeout(phase).

        It replaces the one before; `expect("", math.inf)` takes it away. For deadlines on content, which only the reader recognises.
        """
        self._expected = (phase, seconds)
        self._expect_at = (asyncio.get_running_loop().time() if since is None else since) + seconds

    async def read(self) -> bytes:
        """All decoded bytes that have arrived, at least one; b"" at the end of the body. A cancelled read loses nothing.

        Raises ConnectionLost, UpstreamTimeout, MalformedResponse (bad coding) or ResponseTooLarge, after the bytes that came before.
        """
        while True:
            if self._pieces:
                data = self._take() if self._decoder is None else await self._unpack(self._decoder)
                if data:
                    return data
            elif self.error is not None:
                raise self.error
            elif self.complete:
                if self._decoder is not None:
                    self._decoder.finish()
                return b""
            else:
                await self._wait_body()

    async def pour(self, flow: Flow) -> bool:
        """Hand what arrives to `flow` at once, without a turn of the event loop in between, until it returns False. Returns whether it did;
        else the body has ended. Raises as `read` does, and what `flow` raises. A cancelled call loses nothing."""
        while True:
            if not self._pieces and self._decoder is None and self.error is None and not self.complete:
                self._flow = flow
                try:
                    if await self._wait_body():
                        return True
                finally:
                    self._flow = None
            elif not (data := await self.read()):
                return False
            elif not flow(data):
                return True

    async def read_all(self, limit: int) -> bytes:
        """The whole decoded body. Raises ResponseTooLarge, and closes, when it is longer than `limit` bytes; otherwise as `read`."""
        if self._decoder is not None:
            self._decoder.limit = min(self._decoder.limit, limit)
        elif self.complete and self.error is None and self.buffered <= limit:
            return self._take()
        pieces = []
        size = 0
        while piece := await self.read():
            size += len(piece)
            if size > limit:
                self.close()
                raise ResponseTooLarge(f"the response body is larger than {limit} bytes", status=self.status)
            pieces.append(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def close(self) -> None:
        """End it. Before the end of the body this closes the socket at once; after it there is nothing to do. Idempotent."""
        connection = self._connection
        if connection is None:
            return
        self._connection = None
        self._gone = connection.flushed
        connection.abort()
        self._pieces.clear()
        if self.error is None:
            self.fail(ConnectionLost("the response was closed before its end", status=self.status))

    # What follows is called by Connection and Client only.

    async def wait_head(self) -> None:
        """Wait until the head is there. Raises what `fail` was given; a cancelled wait closes the connection."""
        connection = self._connection
        if connection is None or self.status:
            return
        self._waiter = connection.loop.create_future()
        connection.ring_by(self.deadline())
        try:
            await self._waiter
        except asyncio.CancelledError:
            self.close()
            raise

    def attach(self, connection: "Connection") -> None:
        self._connection = connection

    def detach(self) -> None:
        """The connection has given all it has and goes its own way."""
        self._connection = None

    def begin(self, status: int, headers: Headers) -> None:
        """The head is complete. Raises MalformedResponse for a content coding that nothing here decodes."""
        self.status = status
        self.headers = headers
        self._fields = fields = dict(headers)
        coding = fields.get(b"content-encoding")
        if coding is not None:
            self._decoder = open_decoder(coding, limit=self._max_decoded)

    def put(self, piece: bytes) -> None:
        """A piece of the body."""
        self._pieces.append(piece)
        self.buffered += len(piece)

    def fail(self, error: UpstreamError) -> None:
        """The response ends with `error`."""
        self.error = error
        self._connection = None
        self.wake()

    def wake(self) -> None:
        """Let the waiting reader look again."""
        waiter = self._waiter
        if waiter is None or (self._flow is not None and self._pieces and self._flows_on(self._flow, waiter)):
            return
        self._waiter = None
        if not waiter.done():
            waiter.set_result(False)

    def deadline(self) -> float:
        """When to give up, as things are now (loop time). While nobody waits for bytes only `total` counts."""
        if not self.status:
            return min(self.sent_at + self.head_timeout, self._total_at)
        if self._waiter is None:
            return self._total_at
        return min(self._waits_since + self._idle, self._expect_at, self._total_at)

    def overdue(self) -> UpstreamTimeout:
        """The deadline that `deadline` gives, named."""
        passed = self.deadline()
        if passed == self._total_at:
            return UpstreamTimeout("total", self._total)
        if not self.status:
            return UpstreamTimeout("head", self.head_timeout)
        return UpstreamTimeout(*self._expected) if passed == self._expect_at else UpstreamTimeout("idle", self._idle)

    def _take(self) -> bytes:
        pieces = self._pieces
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self._pieces = []
        self.buffered = 0
        if self._connection is not None:
            self._connection.drained()
        return data

    async def _unpack(self, decoder: Decoder) -> bytes:
        """A portion of what the buffered bytes unpack to. A bomb is unpacked slowly: others have their turn between the portions."""
        if decoder.paused:
            await asyncio.sleep(0)
        pieces, self._pieces = self._pieces, []
        try:
            output, rest = decoder.decode(b"".join(pieces))
        except UpstreamError as error:
            self.close()
            self.error = error
            raise
        self.buffered = len(rest)
        if decoder.paused:
            self._pieces.append(rest)
        elif self._connection is not None:
            self._connection.drained()
        return output

    def _flows_on(self, flow: Flow, waiter: "asyncio.Future[bool]") -> bool:
        """Pour out what has arrived; False when the reader has to look, since the body has ended."""
        if waiter.done():
            return False
        try:
            if not flow(self._take()):
                waiter.set_result(True)
        except Exception as error:  # noqa: BLE001 - it is raised where the flow was given
            waiter.set_exception(error)
        if waiter.done() or self.complete or self.error is not None:
            return False
        self._waits_since = waiter.get_loop().time()
        return True

    async def _wait_body(self) -> bool:
        """Wait until there is something to look at; True when a flow has taken its last."""
        connection = cast("Connection", self._connection)
        self._waiter = connection.loop.create_future()
        self._waits_since = connection.loop.time()
        connection.ring_by(self.deadline())
        try:
            return await self._waiter
        finally:
            self._waiter = None
