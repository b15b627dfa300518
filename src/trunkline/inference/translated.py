"""An answer between two dialects: a decoder of the endpoint's, an encoder of the client's, and the fold of the events between them."""

from collections.abc import Sequence

from trunkline.dialects.hub.answer import Answer, AnswerBlock, take
from trunkline.dialects.hub.events import BlockStart, Delta, Event, Failure, Finish, Media, OpaqueEvent
from trunkline.dialects.hub.translation import Decoder, Encoder
from trunkline.errors import ApiError, UpstreamError
from trunkline.protocol.usage import Cost, Usage


class CallSeen:
    """A tool call for the validity check. A function that is called without arguments is called with `{}`, which is what clients get."""

    __slots__ = ("_block",)

    def __init__(self, block: AnswerBlock) -> None:
        self._block = block

    @property
    def name(self) -> str:
        return self._block.name

    @property
    def arguments(self) -> str:
        return self._block.joined("arguments") or "{}"


class _Translated:
    """What a streamed and a whole answer have in common: the facts of the fold."""

    def __init__(self, decoder: Decoder, encoder: Encoder) -> None:
        self._decoder = decoder
        self._encoder = encoder
        self._answer = Answer()

    @property
    def usage(self) -> dict[str, object] | None:
        return self._answer.usage

    @property
    def upstream_id(self) -> str | None:
        return self._answer.id

    @property
    def service_tier(self) -> str | None:
        return self._answer.service_tier

    @property
    def error(self) -> UpstreamError | None:
        return self._answer.error

    @property
    def finish_reason(self) -> str | None:
        return None if self._answer.finish is None else self._answer.finish.reason

    @property
    def native_finish_reason(self) -> str | None:
        return None if self._answer.finish is None else self._answer.finish.native

    @property
    def output_chars(self) -> int:
        return self._answer.output_chars

    @property
    def tool_calls(self) -> Sequence[CallSeen]:
        return [CallSeen(block) for block in self._answer.tool_calls if not block.custom]


class TranslatedStream(_Translated):
    """A streamed answer (`dialects.hub.translation.StreamTranslator`)."""

    def __init__(self, decoder: Decoder, encoder: Encoder) -> None:
        super().__init__(decoder, encoder)
        self.committed = False
        self._held: list[Event] = []

    @property
    def done(self) -> bool:
        return self._decoder.done

    def feed(self, payloads: Sequence[bytes]) -> bytes:
        """Client bytes for the payloads of one read; b"" before the first content, and after a failure."""
        return self._take(self._decoder.feed(payloads))

    def unstreamed(self, body: bytes) -> bytes:
        """Client bytes for a complete answer that came in place of a stream."""
        return self._take(self._decoder.whole(body))

    def end(self) -> bytes:
        """The connection has ended: client bytes for what was held back."""
        return self._take(self._decoder.close())

    def finish(self, usage: Usage, cost: Cost, *, metadata: bytes | None = None) -> bytes:
        """The last events of a stream that ended well."""
        return self._release() + self._encoder.finish(self._answer, usage, cost, metadata=metadata)

    def fail(self, error: ApiError) -> bytes:
        """The last events of a stream that went wrong."""
        return self._release() + self._encoder.fail(error)

    def _take(self, events: Sequence[Event]) -> bytes:
        for event in events:
            take(self._answer, event)
            self.committed = self.committed or _bears_content(event)
        if not self.committed or self._answer.error is not None:
            self._held.extend([event for event in events if not isinstance(event, Failure)])
            return b""
        return self._release() + self._encoder.feed(events)

    def _release(self) -> bytes:
        held, self._held = self._held, []
        return self._encoder.feed(held) if held else b""


class TranslatedReply(_Translated):
    """A complete answer (`dialects.hub.translation.WholeTranslator`)."""

    @property
    def empty(self) -> bool:
        return not self._answer.has_content and (self._answer.finish is None or self._answer.finish.native in (None, ""))

    def decode(self, body: bytes) -> None:
        """Read the upstream's body; what is wrong with it is in `error`, or `empty`."""
        for event in self._decoder.whole(body):
            take(self._answer, event)
        if self._answer.error is None and self._answer.finish is None and not self.empty:
            take(self._answer, Finish("tool_calls" if self._answer.tool_calls else "stop"))

    @property
    def answer(self) -> Answer:
        """What was read."""
        return self._answer

    def revise(self, answer: Answer) -> None:
        """The client gets this answer instead; usage and finish are those of what was read."""
        self._answer = answer

    def encode(self, usage: Usage, cost: Cost, *, metadata: bytes | None = None) -> bytes:
        """The client's body."""
        return self._encoder.whole(self._answer, usage, cost, metadata=metadata)


def _bears_content(event: Event) -> bool:
    """Whether a client could see it, so that no other endpoint can step in afterwards (adapters 4.3)."""
    if isinstance(event, Delta):
        return bool(event.text)
    if isinstance(event, BlockStart):
        return event.kind == "tool_call"
    return isinstance(event, Media | OpaqueEvent | Finish)
