"""The hub's events as the stream, or the whole response, that a caller of this dialect gets (contract 5.1).

`response.created` and `response.in_progress` go out with the first content. Each block is one output item; an item is closed when the
next one begins or the answer ends, so that the last one can be told `incomplete`.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Raw

from trunkline.dialects.hub.answer import Answer, AnswerBlock
from trunkline.dialects.hub.events import BlockStart, BlockStop, Delta, Event, Media, OpaqueEvent
from trunkline.dialects.hub.translation import Identity
from trunkline.dialects.responses import envelope
from trunkline.dialects.responses.document import CUTS, NO_USAGE, Document, document, ended, failed_document
from trunkline.dialects.responses.request import ResponsesRequest
from trunkline.dialects.responses.usage import usage_view
from trunkline.dialects.responses.writing import UNNAMED, Call, Fields, Message, Said, Thought, Writing
from trunkline.errors import ApiError
from trunkline.protocol.usage import Cost, Usage

DONE = b"data: [DONE]\n\n"
_encode = msgspec.json.Encoder().encode


class ResponsesEncoder:
    """Writes one answer."""

    def __init__(self, identity: Identity, request: ResponsesRequest) -> None:
        self._identity = identity
        self._excluded = request.reasoning_excluded
        self._document = document(identity, request)
        self._number = 0
        self._started = False
        self._output: list[Writing | Fields | Raw] = []
        self._waiting: dict[int, BlockStart] = {}
        self._writing: dict[int, Writing] = {}
        self._ended: list[Writing] = []
        self._closed: list[Writing] = []
        self._takers: Mapping[type, Callable[[Any], Said]] = {
            BlockStart: self._start,
            Delta: self._add,
            BlockStop: self._stop,
            Media: self._show,
            OpaqueEvent: self._pass_on,
        }

    def feed(self, events: Sequence[Event]) -> bytes:
        """The frames of further events; b"" when they bear no content."""
        said: Said = []
        for event in events:
            taker = self._takers.get(type(event))
            if taker is not None:
                said.extend(taker(event))
        return b"".join(self._frames(said)) if said else b""

    def finish(self, answer: Answer, usage: Usage, cost: Cost, *, metadata: bytes | None = None) -> bytes:
        """The end of a stream: what is open, the terminal event with the whole response, [DONE]."""
        reason = None if answer.finish is None else answer.finish.reason
        said = self._close_all(reason)
        last = self._ended_document(answer, usage, cost, metadata)
        return b"".join((*self._frames([*said, (f"response.{last['status']}", {"response": last})]), DONE))

    def fail(self, error: ApiError) -> bytes:
        """The end of a stream that went wrong: the failed response with what it holds; without one, an `error` event. What is too long ends
        as a response in any case."""
        if not self._started and error.error_type not in envelope.LENGTHS:
            fields = {"code": envelope.code_of(error), "message": envelope.message_of(error), "param": None}
            return b"".join((self._frame("error", {**fields, **envelope.told_inside(error)}), DONE))
        self._close_all("length")
        failed = failed_document(self._document, self._items(), error)
        return b"".join((*self._frames([(f"response.{failed['status']}", {"response": failed})]), DONE))

    def whole(self, answer: Answer, usage: Usage, cost: Cost, *, metadata: bytes | None = None) -> bytes:
        """A complete response, made of the same items."""
        self._take(answer.blocks)
        self._close_all(None if answer.finish is None else answer.finish.reason)
        return _encode(self._ended_document(answer, usage, cost, metadata))

    def partial(self, answer: Answer, error: ApiError) -> bytes | None:
        """The failed response with what was said before the error (contract 5.1, "Result")."""
        if not answer.has_words:
            return None
        self._take([block for block in answer.blocks if block.kind != "tool_call"])
        self._close_all("length")
        return _encode({**failed_document(self._document, self._items(), error), "usage": NO_USAGE})

    def _take(self, blocks: Sequence[AnswerBlock]) -> None:
        """The blocks of a complete answer."""
        for index, block in enumerate(blocks):
            if block.media is not None:
                self._show(block.media)
            elif block.opaque is not None:
                self._pass_on(block.opaque)
            elif block.kind != "media" and block.kind != "opaque":
                self._start(BlockStart(index, block.kind, block.id, block.name, block.format, block.custom))
                for kind, texts in block.parts.items():
                    for text in texts:
                        self._add(Delta(index, kind, text))
                self._stop(BlockStop(index))

    def _start(self, event: BlockStart) -> Said:
        if event.kind == "reasoning" and self._excluded:
            return []
        last = self._output[-1] if self._output else None
        if event.kind == "reasoning" and isinstance(last, Thought) and last.identifier == event.id and last not in self._closed:
            self._writing[event.index] = last
            self._ended = [one for one in self._ended if one is not last]
            return []
        self._waiting[event.index] = event
        return self._begin(event.index) if event.kind == "tool_call" else []

    def _add(self, event: Delta) -> Said:
        said: Said = []
        if event.index not in self._writing:
            if event.index not in self._waiting or not event.text or event.kind == "logprobs":
                return []
            said = self._begin(event.index)
        writing = self._writing[event.index]
        return [*said, *writing.add(event.kind, event.text)]

    def _stop(self, event: BlockStop) -> Said:
        self._waiting.pop(event.index, None)
        writing = self._writing.get(event.index)
        if writing is not None and writing not in self._ended:
            self._ended.append(writing)
        return []

    def _show(self, event: Media) -> Said:
        if event.kind != "image":
            return self._transcribe(event)
        said = self._close_ended()
        place = len(self._output)
        identifier = event.id or self._identifier("ig_")
        item: Fields = {"id": identifier, "type": "image_generation_call", "status": "completed", "result": event.data or event.url}
        self._output.append(item)
        where: Fields = {"item_id": identifier, "output_index": place}
        return [
            *said,
            ("response.output_item.added", {"output_index": place, "item": {**item, "status": "in_progress", "result": None}}),
            ("response.image_generation_call.in_progress", where),
            ("response.image_generation_call.completed", where),
            ("response.output_item.done", {"output_index": place, "item": item}),
        ]

    def _transcribe(self, event: Media) -> Said:
        """Sound has no item in this dialect; what was said in it has."""
        if not event.transcript:
            return []
        writing = Message(self._identifier("msg_"), len(self._output), refusal=False)
        said = [*self._close_ended(), *writing.open(), *writing.add("text", event.transcript)]
        self._output.append(writing)
        self._ended.append(writing)
        return said

    def _pass_on(self, event: OpaqueEvent) -> Said:
        if event.dialect != "responses":
            return []
        said = self._close_ended()
        fields: Fields = {"output_index": len(self._output), "item": event.raw}
        self._output.append(event.raw)
        return [*said, ("response.output_item.added", fields), ("response.output_item.done", fields)]

    def _begin(self, index: int) -> Said:
        said = self._close_ended()
        writing = self._make(self._waiting.pop(index))
        self._output.append(writing)
        self._writing[index] = writing
        return [*said, *writing.open()]

    def _make(self, start: BlockStart) -> Writing:
        place = len(self._output)
        if start.kind == "tool_call":
            identifier = self._identifier("ctc_" if start.custom else "fc_")
            return Call(identifier, place, call_id=start.id or identifier, name=start.name, custom=start.custom)
        if start.kind != "reasoning":
            return Message(self._identifier("msg_"), place, refusal=start.kind == "refusal")
        used = any(isinstance(one, Thought) and one.identifier == start.id for one in self._output)
        return Thought(start.id if start.id and not used else self._identifier(UNNAMED), place, family=start.format)

    def _identifier(self, prefix: str) -> str:
        seed = f"{self._identity.id}:{len(self._output)}"
        return f"{prefix}{hashlib.sha256(seed.encode()).hexdigest()[:32]}"

    def _close_ended(self, status: str = "completed") -> Said:
        said = [event for writing in self._ended for event in writing.close(status)]
        self._closed.extend(self._ended)
        self._ended = []
        return said

    def _close_all(self, reason: str | None) -> Said:
        """Close what is open; of an answer that was cut, the last item is incomplete."""
        rest = [one for one in self._output if isinstance(one, Message | Thought | Call) and one not in self._closed]
        said: Said = []
        for writing in rest:
            cut = reason in CUTS and writing is self._output[-1]
            said.extend(writing.close("incomplete" if cut else "completed"))
        self._closed.extend(rest)
        self._ended = []
        return said

    def _ended_document(self, answer: Answer, usage: Usage, cost: Cost, metadata: bytes | None) -> Document:
        reason = None if answer.finish is None else answer.finish.reason
        view = usage_view(usage, cost)
        return ended(self._document, self._items(), finish=reason, service_tier=answer.service_tier, usage=view, metadata=metadata)

    def _items(self) -> list[object]:
        return [one.item if isinstance(one, Message | Thought | Call) else one for one in self._output]

    def _frames(self, said: Said) -> list[bytes]:
        begun: Said = []
        if not self._started:
            self._started = True
            begun = [("response.created", {"response": self._document}), ("response.in_progress", {"response": self._document})]
        return [self._frame(kind, fields) for kind, fields in (*begun, *said)]

    def _frame(self, kind: str, fields: Fields) -> bytes:
        number = self._number
        self._number += 1
        return b"event: %b\ndata: %b\n\n" % (kind.encode(), _encode({"type": kind, **fields, "sequence_number": number}))
