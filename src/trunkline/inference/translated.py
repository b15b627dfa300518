"""An answer between two dialects: a decoder of the endpoint's, an encoder of the client's, and the fold of the events between them."""

from collections.abc import Sequence

from trunkline.dialects.hub.answer import Answer, take
from trunkline.dialects.hub.events import BlockStart, Delta, Event, Failure, Finish, Media, OpaqueEvent
from trunkline.dialects.hub.folded import Folded
from trunkline.dialects.hub.translation import Decoder, Encoder
from trunkline.errors import ApiError
from trunkline.inference.overheard import Told, text_of
from trunkline.protocol.usage import Cost, Usage


class _Translated(Folded, Told):
    """What a streamed and a whole answer have in common: the facts of the fold."""

    def __init__(self, decoder: Decoder, encoder: Encoder) -> None:
        super().__init__()
        self._decoder = decoder
        self._encoder = encoder
        self._given = self._answer

    @property
    def size(self) -> int:
        return self._given.output_chars

    def text(self) -> str | None:
        """What the upstream said, whatever became of it."""
        return text_of(self._given)


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

    def partial(self, error: ApiError) -> bytes | None:
        """The client's body of an answer that failed after it had said something."""
        return self._encoder.partial(self._answer, error)


def _bears_content(event: Event) -> bool:
    """Whether a client could see it, so that no other endpoint can step in afterwards (adapters 4.3)."""
    if isinstance(event, Delta):
        return bool(event.text)
    if isinstance(event, BlockStart):
        return event.kind == "tool_call"
    return isinstance(event, Media | OpaqueEvent | Finish)
