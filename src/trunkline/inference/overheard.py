"""Answers that are read a second time while they pass through, for their text: a pass-through looks into as little as it can, and the form
that a caller asked for can be judged by the text alone (`metering.structured`). Only answers to such requests come here.

What is read is the upstream's own text, by the decoder of its dialect, and what the client gets does not change by it.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Final

from trunkline.dialects.hub.answer import Answer, fold
from trunkline.dialects.hub.events import BlockStart, Delta, Event
from trunkline.dialects.hub.translation import Decoder, Seen, SeenCall, StreamTranslator, WholeTranslator
from trunkline.errors import ApiError, UpstreamError
from trunkline.metering.structured import MAX_CHARACTERS
from trunkline.protocol.usage import Cost, Usage

MAX_BODY_BYTES: Final = 4 * MAX_CHARACTERS


class Told(ABC):
    """An answer whose text is known."""

    @property
    @abstractmethod
    def size(self) -> int:
        """About how many bytes are held for the text."""

    @abstractmethod
    def text(self) -> str | None:
        """The whole text, once the answer has ended; None for a refusal, and where it is too long. May take its time, in any thread."""


def text_of(answer: Answer) -> str | None:
    """The text of an answer; None for a refusal, which has no other form than words."""
    if any(block.kind == "refusal" for block in answer.blocks):
        return None
    return "".join([block.joined("text") for block in answer.blocks if block.kind == "text"])


class Words:
    """The text of an answer, put together from its events as they come."""

    def __init__(self) -> None:
        self.length = 0
        self._blocks: set[int] = set()
        self._parts: list[str] | None = []

    @property
    def wanted(self) -> bool:
        """Whether anything that may come can still matter."""
        return self._parts is not None

    def take(self, events: Sequence[Event]) -> None:
        """Keep the text of further events."""
        for event in events:
            if self._parts is None:
                return
            if type(event) is Delta:
                if event.kind == "text" and event.index in self._blocks:
                    self.length += len(event.text)
                    self._parts.append(event.text)
                    if self.length > MAX_CHARACTERS:
                        self.give_up()
            elif type(event) is BlockStart:
                if event.kind == "text":
                    self._blocks.add(event.index)
                elif event.kind == "refusal":
                    self.give_up()

    def joined(self) -> str | None:
        """All of it."""
        return None if self._parts is None else "".join(self._parts)

    def give_up(self) -> None:
        """The text will not be known."""
        self.length, self._parts = 0, None


class _Passing:
    """The facts of an answer, as its own translator tells them (`dialects.hub.translation.Seen`)."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    @property
    def usage(self) -> dict[str, object] | None:
        return self._seen.usage

    @property
    def upstream_id(self) -> str | None:
        return self._seen.upstream_id

    @property
    def service_tier(self) -> str | None:
        return self._seen.service_tier

    @property
    def error(self) -> UpstreamError | None:
        return self._seen.error

    @property
    def finish_reason(self) -> str | None:
        return self._seen.finish_reason

    @property
    def native_finish_reason(self) -> str | None:
        return self._seen.native_finish_reason

    @property
    def output_chars(self) -> int:
        return self._seen.output_chars

    @property
    def tool_calls(self) -> Sequence[SeenCall]:
        return self._seen.tool_calls


class OverheardStream(_Passing, Told):
    """A streamed answer; its payloads are read as they come, so that only words are kept."""

    def __init__(self, stream: StreamTranslator, decoder: Decoder) -> None:
        super().__init__(stream)
        self._stream = stream
        self._decoder = decoder
        self._words = Words()

    @property
    def size(self) -> int:
        return self._words.length

    @property
    def committed(self) -> bool:
        return self._stream.committed

    @property
    def done(self) -> bool:
        return self._stream.done

    def text(self) -> str | None:
        """The words so far."""
        return self._words.joined()

    def feed(self, payloads: Sequence[bytes]) -> bytes:
        """The client's bytes of further payloads."""
        if self._words.wanted:
            self._words.take(self._decoder.feed(payloads))
        return self._stream.feed(payloads)

    def unstreamed(self, body: bytes) -> bytes:
        """The client's bytes of an answer that came in one body."""
        if len(body) <= MAX_BODY_BYTES:
            self._words.take(self._decoder.whole(body))
        else:
            self._words.give_up()
        return self._stream.unstreamed(body)

    def end(self) -> bytes:
        """The client's bytes of what was held back."""
        self._words.take(self._decoder.close())
        return self._stream.end()

    def finish(self, usage: Usage, cost: Cost, *, metadata: bytes | None = None) -> bytes:
        """The last bytes of an answer that ended well."""
        return self._stream.finish(usage, cost, metadata=metadata)

    def fail(self, error: ApiError) -> bytes:
        """The last bytes of one that did not."""
        return self._stream.fail(error)


class OverheardReply(_Passing, Told):
    """A complete answer; its body is kept, and read again when somebody wants the text."""

    def __init__(self, reply: WholeTranslator, decoder: Decoder) -> None:
        super().__init__(reply)
        self._reply = reply
        self._decoder = decoder
        self._body: bytes | None = None
        self._text: str | None = None

    @property
    def size(self) -> int:
        return 0 if self._body is None else len(self._body)

    @property
    def empty(self) -> bool:
        return self._reply.empty

    def text(self) -> str | None:
        """The text of the body, which is read now."""
        if self._body is not None:
            self._text, self._body = text_of(fold(self._decoder.whole(self._body))), None
        return self._text

    def decode(self, body: bytes) -> None:
        """Read the upstream's body."""
        self._body = body if len(body) <= MAX_BODY_BYTES else None
        self._reply.decode(body)

    def encode(self, usage: Usage, cost: Cost, *, metadata: bytes | None = None) -> bytes:
        """The client's body."""
        return self._reply.encode(usage, cost, metadata=metadata)

    def partial(self, error: ApiError) -> bytes | None:
        """The client's body of a failed one."""
        return self._reply.partial(error)
