"""Answers of Converse and ConverseStream as the nine events. Usage comes after the stop reason; a stream is done with it."""

import hashlib
from collections.abc import Sequence

import msgspec
from msgspec import Raw

from trunkline.dialects import loose
from trunkline.dialects.converse import DIALECT
from trunkline.dialects.converse.citations import annotation
from trunkline.dialects.converse.compose import decide, reasoning_formats
from trunkline.dialects.converse.history import revealed
from trunkline.dialects.converse.opened import SERVED, Open, ending, is_said
from trunkline.dialects.converse.reply import (
    ANSWER,
    DOCUMENT,
    FRAME,
    Block,
    BlockEvent,
    Call,
    Frame,
    Picture,
    Reasoning,
    Tier,
    Wire,
    read,
)
from trunkline.dialects.converse.stops import EXCEPTIONS, failure_of, reason_of
from trunkline.dialects.converse.tools import custom_names, names_of
from trunkline.dialects.hub.conversation import Conversation
from trunkline.dialects.hub.events import (
    BlockKind,
    BlockStart,
    BlockStop,
    Delta,
    Event,
    Failure,
    Finish,
    Media,
    OpaqueEvent,
    Start,
    UsageSeen,
)
from trunkline.dialects.names import Names
from trunkline.dialects.refusals import classify, refusal_of
from trunkline.errors import MalformedResponse, UpstreamError
from trunkline.protocol.catalogue import Endpoint


class ConverseDecoder:
    """Reads one answer. `seed` mints the ids of calls that have none, the same for the same answer."""

    def __init__(self, endpoint: Endpoint, conversation: Conversation, *, seed: str) -> None:
        self.done = False
        self._endpoint = endpoint
        self._conversation = conversation
        self._seed = seed
        self._format = next(iter(reasoning_formats(endpoint.quirks)), "unknown")
        self._names: Names | None = None
        self._custom: frozenset[str] = frozenset()
        self._answer_tool = ""
        self._open: dict[int, Open] = {}
        self._next = 0
        self._called = False
        self._emulated = False
        self._finished = False

    def feed(self, payloads: Sequence[bytes]) -> list[Event]:
        """The events of further frames."""
        out: list[Event] = []
        for payload in payloads:
            if self.done:
                break
            try:
                self._frame(read(payload, FRAME), payload, out)
            except UpstreamError as error:
                self._fail(error, out)
        return out

    def close(self) -> list[Event]:
        """Stops what is open."""
        out: list[Event] = []
        if not self.done:
            self._end_all(out)
        self.done = True
        return out

    def whole(self, body: bytes) -> list[Event]:
        """The events of a complete answer."""
        out: list[Event] = []
        try:
            answer = read(body, ANSWER)
            out.append(Start(None))
            message = answer.output.message
            for index, block in enumerate((message.content if message is not None else None) or ()):
                self._whole_block(index, block, out)
            self._end_all(out)
            self._finish(answer.stopReason, answer.additionalModelResponseFields, out)
            self._account(answer.usage, answer.serviceTier, out)
        except UpstreamError as error:
            self._fail(_told(body) or error, out)
        return out + self.close()

    def _frame(self, frame: Frame, payload: bytes, out: list[Event]) -> None:
        if frame.contentBlockDelta is not None:
            self._delta(frame.contentBlockDelta, out)
        elif frame.contentBlockStart is not None:
            self._start(frame.contentBlockStart, out)
        elif frame.contentBlockStop is not None:
            self._end(frame.contentBlockStop.contentBlockIndex, out)
        elif frame.messageStart is not None:
            out.append(Start(None))
        elif frame.messageStop is not None:
            self._end_all(out)
            self._finish(frame.messageStop.stopReason, frame.messageStop.additionalModelResponseFields, out)
        elif frame.metadata is not None:
            self._account(frame.metadata.usage, frame.metadata.serviceTier, out)
            self._end_all(out)
            self.done = True
        else:
            error = _told(payload)
            if error is not None:
                raise error

    def _start(self, event: BlockEvent, out: list[Event]) -> None:
        if event.start is not None and event.start.toolUse is not None:
            self._end(event.contentBlockIndex, out)
            self._open[event.contentBlockIndex] = self._call(event.start.toolUse, out)
        elif event.start is not None and is_said(event.start.toolResult):
            self._end(event.contentBlockIndex, out)
            opened = self._open[event.contentBlockIndex] = Open(-1, "result")
            opened.pieces.append(bytes(event.start.toolResult).decode("utf-8", "replace"))
        elif event.start is not None:
            self._piece(event.contentBlockIndex, event.start, out)

    def _delta(self, event: BlockEvent, out: list[Event]) -> None:
        if event.delta is None:
            return
        call, opened = event.delta.toolUse, self._open.get(event.contentBlockIndex)
        if opened is not None and opened.kind == "result" and is_said(event.delta.toolResult):
            opened.pieces.append(bytes(event.delta.toolResult).decode("utf-8", "replace"))
            return
        if call is None:
            self._piece(event.contentBlockIndex, event.delta, out)
            return
        if opened is None or opened.call is None:
            self._end(event.contentBlockIndex, out)
            opened = self._open[event.contentBlockIndex] = self._call(call, out)
        self._arguments(opened, _piece_of(call.input), out)

    def _whole_block(self, index: int, block: Block, out: list[Event]) -> None:
        if block.toolUse is not None:
            opened = self._open[index] = self._call(block.toolUse, out)
            self._arguments(opened, _object_text(block.toolUse.input), out)
            self._end(index, out)
        else:
            self._piece(index, block, out)
            self._end(index, out)

    def _piece(self, index: int, block: Block, out: list[Event]) -> None:
        """What a block says besides calls."""
        if block.text:
            out.append(Delta(self._block(index, "text", out), "text", block.text))
        if block.reasoningContent is not None:
            self._thought(index, block.reasoningContent, out)
        if block.citation is not None:
            self._cite(index, block.citation, out)
        if block.citationsContent is not None:
            text = "".join(words.text or "" for words in block.citationsContent.content or ())
            if text:
                out.append(Delta(self._block(index, "text", out), "text", text))
            for citation in block.citationsContent.citations or ():
                self._cite(index, citation, out)
        if block.image is not None:
            self._picture(block.image, out)
        if is_said(block.toolResult):
            out.append(OpaqueEvent(DIALECT, Raw(b'{"toolResult":%b}' % bytes(block.toolResult))))

    def _thought(self, index: int, thought: Reasoning, out: list[Event]) -> None:
        whole = thought.reasoningText
        text, signature = (whole.text, whole.signature) if whole is not None else (thought.text, thought.signature)
        if text:
            out.append(Delta(self._block(index, "reasoning", out), "text", text))
        if signature:
            out.append(Delta(self._block(index, "reasoning", out), "signature", signature))
        if thought.redactedContent:
            out.append(Delta(self._block(index, "reasoning", out), "data", revealed(thought.redactedContent)))

    def _cite(self, index: int, citation: Wire, out: list[Event]) -> None:
        made = annotation(citation)
        if made is not None:
            out.append(Delta(self._block(index, "text", out), "annotation", made))

    def _picture(self, image: Picture, out: list[Event]) -> None:
        if image.source is not None and image.source.bytes:
            out.append(Media("image", media_type=f"image/{image.format or 'png'}", data=image.source.bytes))

    def _call(self, call: Call, out: list[Event]) -> Open:
        self._learn()
        if call.type == SERVED:
            return Open(-1, "served", call)
        names = self._names
        name = call.name or "" if names is None else names.original(call.name or "")
        if self._answer_tool and call.name == self._answer_tool:
            self._emulated = True
            index = self._new()
            out.append(BlockStart(index, "text"))
            return Open(index, "answer", call)
        self._called = True
        index = self._new()
        custom = name in self._custom
        out.append(BlockStart(index, "tool_call", id=call.toolUseId or self._minted(), name=name, custom=custom))
        return Open(index, "custom" if custom else "tool_call", call)

    def _arguments(self, opened: Open, text: str, out: list[Event]) -> None:
        if not text:
            return
        opened.pieces.append(text)
        if opened.kind == "tool_call":
            out.append(Delta(opened.index, "arguments", text))
        elif opened.kind == "answer":
            out.append(Delta(opened.index, "text", text))

    def _block(self, key: int, kind: BlockKind, out: list[Event]) -> int:
        """The open block of this index and kind, opened now where there is none."""
        opened = self._open.get(key)
        if opened is None or opened.kind != kind:
            self._end(key, out)
            opened = self._open[key] = Open(self._new(), kind)
            out.append(BlockStart(opened.index, kind, format=self._format if kind == "reasoning" else "unknown"))
        return opened.index

    def _end(self, key: int, out: list[Event]) -> None:
        opened = self._open.pop(key, None)
        if opened is None:
            return
        out.extend(ending(opened))
        if opened.index >= 0:
            out.append(BlockStop(opened.index))

    def _end_all(self, out: list[Event]) -> None:
        for key in list(self._open):
            self._end(key, out)

    def _account(self, usage: Wire | None, tier: Tier | None, out: list[Event]) -> None:
        if usage:
            out.append(UsageSeen(usage, tier.type if tier is not None else None))

    def _finish(self, native: str | None, fields: object, out: list[Event]) -> None:
        if self._finished or native is None:
            return
        failure = failure_of(native)
        if failure is not None:
            raise failure
        self._finished = True
        sequence = fields.get("stop_sequence") if isinstance(fields, dict) else None
        reason = reason_of(native, called=self._called, emulated=self._emulated)
        out.append(Finish(reason, native, sequence if isinstance(sequence, str) else None))

    def _fail(self, error: UpstreamError, out: list[Event]) -> None:
        if not self._finished:
            out.append(Failure(error))
        self.done = True

    def _learn(self) -> None:
        """What the composer made of names and of the form of the answer: needed only when tools are called."""
        if self._names is not None:
            return
        self._names = names_of(self._conversation)
        self._custom = custom_names(self._conversation)
        structure = decide(self._endpoint, self._conversation)[1] if self._conversation.format is not None else None
        self._answer_tool = structure.name if structure is not None and structure.way == "tool" else ""

    def _new(self) -> int:
        self._next += 1
        return self._next - 1

    def _minted(self) -> str:
        return "tooluse_" + hashlib.sha256(f"{self._seed}:{self._next}".encode()).hexdigest()[:22]


def _told(payload: bytes) -> UpstreamError | None:
    """The error that a document carries: an exception of a stream, an `error`, or a bare message; None when it carries none."""
    try:
        document = read(payload, DOCUMENT)
    except MalformedResponse:
        return None
    for name, value in document.items():
        if name in EXCEPTIONS or name.endswith("Exception"):
            return classify(EXCEPTIONS.get(name, 500), {"x-amzn-errortype": name}, msgspec.json.encode(value))
    if document.get("error"):
        return refusal_of(document)
    said = document.get("message") or document.get("Message")
    return MalformedResponse(f"an error in place of an answer: {said[:500]}", status=200) if isinstance(said, str) else None


def _piece_of(piece: Raw) -> str:
    """A piece of a call's arguments: a string in a stream; whatever else came, as it is."""
    data = bytes(piece)
    if not data.startswith(b'"'):
        return "" if data in (b"", b"null") else data.decode("utf-8", "replace")
    value = loose.decode(data)
    return value if isinstance(value, str) else ""


def _object_text(arguments: Raw) -> str:
    text = bytes(arguments).decode("utf-8", "replace")
    return "" if text == "null" else text
