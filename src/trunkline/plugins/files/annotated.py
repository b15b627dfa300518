"""An answer with the annotations of the files that were read for it, before or with its first words.

Only the chat dialect has a place for them: Responses knows citations of stored files, Messages citations of documents.
"""

from collections.abc import Sequence

from trunkline.dialects.hub.answer import Answer, AnswerBlock
from trunkline.dialects.hub.events import BlockStart, BlockStop, Delta, Event
from trunkline.dialects.hub.translation import Encoder
from trunkline.errors import ApiError
from trunkline.protocol.usage import Cost, Usage


class Annotated:
    """A client's encoder (`dialects.hub.translation.Encoder`) that also says these annotations, each JSON in the chat wire's shape."""

    def __init__(self, encoder: Encoder, annotations: Sequence[str]) -> None:
        self._encoder = encoder
        self._annotations = annotations
        self._told = False
        self._next = 0

    def feed(self, events: Sequence[Event]) -> bytes:
        """Further events; the annotations follow the start of the first text."""
        return self._encoder.feed(events if self._told else self._with_annotations(events))

    def finish(self, answer: Answer, usage: Usage, cost: Cost, *, metadata: bytes | None = None) -> bytes:
        """The end of a stream; an answer without text gets an empty one for the annotations."""
        late = b""
        if not self._told:
            late = self._encoder.feed([BlockStart(self._next), *self._deltas(self._next), BlockStop(self._next)])
        return late + self._encoder.finish(answer, usage, cost, metadata=metadata)

    def fail(self, error: ApiError) -> bytes:
        """The end of a stream that went wrong."""
        return self._encoder.fail(error)

    def whole(self, answer: Answer, usage: Usage, cost: Cost, *, metadata: bytes | None = None) -> bytes:
        """A complete body."""
        self._annotate(answer)
        return self._encoder.whole(answer, usage, cost, metadata=metadata)

    def partial(self, answer: Answer, error: ApiError) -> bytes | None:
        """The body of an answer that failed after it had said something."""
        self._annotate(answer)
        return self._encoder.partial(answer, error)

    def _annotate(self, answer: Answer) -> None:
        block = next((one for one in answer.blocks if one.kind == "text"), None)
        if block is None:
            block = AnswerBlock(kind="text")
            answer.blocks.append(block)
        block.parts["annotation"] = [*self._annotations, *block.parts.get("annotation", ())]

    def _with_annotations(self, events: Sequence[Event]) -> list[Event]:
        out: list[Event] = []
        for event in events:
            out.append(event)
            if isinstance(event, BlockStart):
                self._next = event.index + 1
                if event.kind == "text" and not self._told:
                    out.extend(self._deltas(event.index))
        return out

    def _deltas(self, index: int) -> list[Event]:
        self._told = True
        return [Delta(index, "annotation", one) for one in self._annotations]
