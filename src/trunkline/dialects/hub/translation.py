"""What each dialect gives to `inference`: how the two sides of a translation look, whatever is between them."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from trunkline.dialects.hub.answer import Answer
from trunkline.dialects.hub.events import Event
from trunkline.errors import ApiError, UpstreamError
from trunkline.protocol.usage import Cost, Usage


class Identity(Struct, frozen=True, gc=False):
    """Under which name an answer goes out: our generation id (`gen-...`), the model and provider that made it, and Unix seconds."""

    id: str
    model: str
    provider: str
    created: int


class Decoder(Protocol):
    """Reads one upstream answer, streamed (`feed`, `close`) or whole (`whole`), into the same events. One object serves one answer.

    Never raises for what an upstream sent: garbage becomes a `Failure` event with the right UpstreamError.
    """

    done: bool
    """The upstream's own end marker was seen; nothing more needs to be read."""

    def feed(self, payloads: Sequence[bytes]) -> list[Event]:
        """The events of complete payloads: the data of SSE events, or frames of a binary stream as `{"<event type>": payload}`."""

    def close(self) -> list[Event]:
        """The connection has ended: what was held back. Never a `Finish` that the upstream did not give."""

    def whole(self, body: bytes) -> list[Event]:
        """The events of a complete answer that came in one body."""


class Encoder(Protocol):
    """Writes one answer in the client's dialect. One object serves one answer."""

    def feed(self, events: Sequence[Event]) -> bytes:
        """The client's bytes for further events; b"" when they say nothing. The lifecycle frames that must come first are written with the
        first event that bears content."""

    def finish(self, answer: Answer, usage: Usage, cost: Cost, *, metadata: bytes | None = None) -> bytes:
        """The end of a stream: stop what is open, finish reason, usage, end marker. `metadata` is `openrouter_metadata` as JSON."""

    def fail(self, error: ApiError) -> bytes:
        """The end of a stream that went wrong after content had gone out: an honest error, never a normal stop."""

    def whole(self, answer: Answer, usage: Usage, cost: Cost, *, metadata: bytes | None = None) -> bytes:
        """A complete JSON body."""

    def partial(self, answer: Answer, error: ApiError) -> bytes | None:
        """The body of a complete answer that failed after it had said something: the words, and the error inside. No calls, which may be
        cut. None where the dialect has no such answer."""


class SeenCall(Protocol):
    """A tool call of an answer."""

    @property
    def name(self) -> str: ...

    @property
    def arguments(self) -> str: ...


class Seen(Protocol):
    """What is known of an answer while and after it is read. `usage` is the raw object of the upstream."""

    @property
    def usage(self) -> dict[str, object] | None: ...

    @property
    def upstream_id(self) -> str | None: ...

    @property
    def service_tier(self) -> str | None: ...

    @property
    def error(self) -> UpstreamError | None: ...

    @property
    def finish_reason(self) -> str | None: ...

    @property
    def native_finish_reason(self) -> str | None: ...

    @property
    def output_chars(self) -> int: ...

    @property
    def tool_calls(self) -> Sequence[SeenCall]: ...


class StreamTranslator(Seen, Protocol):
    """One streamed answer from upstream payloads to client bytes: a pass-through of one dialect, or a decoder with an encoder.

    `committed`: content has gone out, so that no other endpoint can step in. `done`: the upstream's end marker was seen. `unstreamed`
    takes a complete body in place of a stream. `end` is called when the connection has ended, and gives what was held back.
    """

    @property
    def committed(self) -> bool: ...

    @property
    def done(self) -> bool: ...

    def feed(self, payloads: Sequence[bytes]) -> bytes: ...

    def unstreamed(self, body: bytes) -> bytes: ...

    def end(self) -> bytes: ...

    def finish(self, usage: Usage, cost: Cost, *, metadata: bytes | None = None) -> bytes: ...

    def fail(self, error: ApiError) -> bytes: ...


class WholeTranslator(Seen, Protocol):
    """One complete answer. `empty`: it has no content at all. `partial` gives the client's body of one whose `error` came after words
    (contract 2.5, "Non-stream equivalent"), None where there are none, or the dialect has no such answer."""

    @property
    def empty(self) -> bool: ...

    def decode(self, body: bytes) -> None: ...

    def encode(self, usage: Usage, cost: Cost, *, metadata: bytes | None = None) -> bytes: ...

    def partial(self, error: ApiError) -> bytes | None: ...
