"""Answers of Cohere's Chat API as the nine events. A stream ends with `message-end`, which brings the finish reason and usage."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from trunkline.dialects import loose
from trunkline.dialects.cohere import PLAN, evidence
from trunkline.dialects.cohere.finish import failure_of, reason_of
from trunkline.dialects.cohere.history import FREE_TEXT
from trunkline.dialects.cohere.reply import ANSWER, DOCUMENT, EVENT, Call, Change, Message, Part, Wire, read
from trunkline.dialects.cohere.reply import Event as WireEvent
from trunkline.dialects.hub.conversation import Conversation
from trunkline.dialects.hub.events import BlockKind, BlockStart, BlockStop, Delta, Event, Failure, Finish, Start, UsageSeen
from trunkline.dialects.refusals import refusal_of
from trunkline.errors import MalformedResponse, UpstreamError
from trunkline.protocol.catalogue import Endpoint

T = TypeVar("T")
_NOTHING: Final = Message()


class CohereDecoder:
    """Reads one answer. `seed` mints the ids of calls that have none, the same for the same answer."""

    def __init__(self, endpoint: Endpoint, conversation: Conversation, *, seed: str) -> None:
        self.done = False
        self._custom = frozenset(tool.name for tool in conversation.tools if tool.kind == "custom")
        self._format = next(iter(endpoint.quirks.reasoning_formats), "unknown")
        self._seed = seed
        self._open: dict[str, tuple[int, str]] = {}
        self._free: dict[int, list[str]] = {}
        self._silent: set[int] = set()
        self._next = 0
        self._text: int | None = None
        self._called = False
        self._finished = False

    def feed(self, payloads: Sequence[bytes]) -> list[Event]:
        """The events of further payloads."""
        out: list[Event] = []
        for payload in payloads:
            if self.done:
                break
            if payload.strip() and payload != b"[DONE]":
                try:
                    self._event(read(payload, EVENT), payload, out)
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
            out.append(Start(answer.id))
            self._message(answer.message, out)
            likely = evidence.logprobs(list(answer.logprobs or ()))
            if likely is not None:
                out.append(Delta(self._textual(out), "logprobs", likely))
            self._end_all(out)
            self._finish(Change(finish_reason=answer.finish_reason, usage=answer.usage), out)
        except UpstreamError as error:
            self._fail(_told(body) or error, out)
        return out + self.close()

    def _event(self, event: WireEvent, payload: bytes, out: list[Event]) -> None:
        handler = _HANDLERS.get(event.type or "")
        if handler is not None:
            handler(self, event, out)
        elif event.type is None:
            error = _told(payload)
            if error is not None:
                raise error

    def _on_start(self, event: WireEvent, out: list[Event]) -> None:
        out.append(Start(event.id))

    def _on_content(self, event: WireEvent, out: list[Event]) -> None:
        for part in _listed(_message(event).content):
            self._part(f"content-{event.index}", part, out)
        likely = evidence.logprobs([event.logprobs]) if event.logprobs is not None else None
        if likely is not None:
            out.append(Delta(self._textual(out), "logprobs", likely))

    def _on_content_end(self, event: WireEvent, out: list[Event]) -> None:
        self._end(f"content-{event.index}", out)

    def _on_plan(self, event: WireEvent, out: list[Event]) -> None:
        self._plan(_message(event).tool_plan, out)

    def _on_call(self, event: WireEvent, out: list[Event]) -> None:
        for call in _listed(_message(event).tool_calls):
            self._begin(f"call-{event.index}", call, out)

    def _on_arguments(self, event: WireEvent, out: list[Event]) -> None:
        key = f"call-{event.index}"
        for call in _listed(_message(event).tool_calls):
            if key not in self._open:
                self._begin(key, call, out)
            else:
                self._arguments(self._open[key][0], call, out)

    def _on_call_end(self, event: WireEvent, out: list[Event]) -> None:
        self._end(f"call-{event.index}", out)

    def _on_citation(self, event: WireEvent, out: list[Event]) -> None:
        for citation in _listed(_message(event).citations):
            self._cite(citation, out)

    def _on_end(self, event: WireEvent, out: list[Event]) -> None:
        self._end_all(out)
        self._finish(event.delta or Change(), out)
        self.done = True

    def _message(self, message: Message, out: list[Event]) -> None:
        """The message of a whole answer, in the order of a stream: thoughts, the plan they lead to, text, calls.

        A message has no place for the plan among its contents, and no recording of both is known; the order is ours.
        """
        parts = [(f"content-{index}", part) for index, part in enumerate(_listed(message.content))]
        for key, part in parts:
            if part.thinking:
                self._part(key, part, out)
        self._plan(message.tool_plan, out)
        for key, part in parts:
            if not part.thinking:
                self._part(key, part, out)
        for citation in _listed(message.citations):
            self._cite(citation, out)
        for index, call in enumerate(_listed(message.tool_calls)):
            self._begin(f"call-{index}", call, out)

    def _part(self, key: str, part: Part, out: list[Event]) -> None:
        if part.thinking:
            out.append(Delta(self._block(key, "reasoning", out), "text", part.thinking))
        if part.text:
            self._text = self._block(key, "text", out)
            out.append(Delta(self._text, "text", part.text))

    def _plan(self, text: str | None, out: list[Event]) -> None:
        if text:
            out.append(Delta(self._block(PLAN, "reasoning", out, identifier=PLAN), "text", text))

    def _begin(self, key: str, call: Call, out: list[Event]) -> None:
        self._end(PLAN, out)
        self._end(key, out)
        index = self._new()
        name = (call.function.name if call.function is not None else None) or ""
        custom = name in self._custom
        self._called = True
        self._open[key] = (index, "tool_call")
        self._silent.add(index)
        if custom:
            self._free[index] = []
        out.append(BlockStart(index, "tool_call", id=call.id or self._minted(), name=name, custom=custom))
        self._arguments(index, call, out)

    def _arguments(self, index: int, call: Call, out: list[Event]) -> None:
        text = call.function.arguments if call.function is not None else None
        if not text:
            return
        self._silent.discard(index)
        if index in self._free:
            self._free[index].append(text)
        else:
            out.append(Delta(index, "arguments", text))

    def _cite(self, citation: Wire, out: list[Event]) -> None:
        for one in evidence.annotations(citation):
            out.append(Delta(self._textual(out), "annotation", one))

    def _textual(self, out: list[Event]) -> int:
        """The block of text that citations and probabilities belong to, also after it has ended."""
        if self._text is None:
            self._text = self._block("content-0", "text", out)
        return self._text

    def _block(self, key: str, kind: BlockKind, out: list[Event], *, identifier: str | None = None) -> int:
        known = self._open.get(key)
        if known is not None and known[1] == kind:
            return known[0]
        self._end(key, out)
        index = self._new()
        self._open[key] = (index, kind)
        out.append(BlockStart(index, kind, id=identifier, format=self._format if kind == "reasoning" else "unknown"))
        return index

    def _end(self, key: str, out: list[Event]) -> None:
        known = self._open.get(key)
        if known is None or known[0] == self._text:
            return
        del self._open[key]
        self._stop(known[0], out)

    def _end_all(self, out: list[Event]) -> None:
        for index, _ in self._open.values():
            self._stop(index, out)
        self._open.clear()

    def _stop(self, index: int, out: list[Event]) -> None:
        if index in self._free:
            out.append(Delta(index, "arguments", _free_text("".join(self._free.pop(index)))))
        elif index in self._silent:
            out.append(Delta(index, "arguments", "{}"))
        self._silent.discard(index)
        out.append(BlockStop(index))

    def _finish(self, change: Change, out: list[Event]) -> None:
        if change.usage:
            out.append(UsageSeen(change.usage))
        native = change.finish_reason
        failure = failure_of(native or "", change.error)
        if failure is not None:
            raise failure
        if change.error and native is None:
            raise refusal_of({"error": {"message": change.error}}) or MalformedResponse(change.error, status=200)
        if native is not None and not self._finished:
            self._finished = True
            out.append(Finish(reason_of(native, called=self._called), native))

    def _fail(self, error: UpstreamError, out: list[Event]) -> None:
        if not self._finished:
            out.append(Failure(error))
        self.done = True

    def _new(self) -> int:
        self._next += 1
        return self._next - 1

    def _minted(self) -> str:
        return "call_" + hashlib.sha256(f"{self._seed}:{self._next}".encode()).hexdigest()[:24]


def _message(event: WireEvent) -> Message:
    return event.delta.message or _NOTHING if event.delta is not None else _NOTHING


def _listed(value: Sequence[T] | T | None) -> Sequence[T]:
    """What is a list in a whole answer and a single thing in an event."""
    if value is None:
        return ()
    return value if isinstance(value, list) else (value,)  # type: ignore[return-value]  # msgspec makes lists of sequences


def _told(payload: bytes) -> UpstreamError | None:
    """The error in a document that is no answer; None when it carries none. Cohere's own is a bare `message`."""
    try:
        document = read(payload, DOCUMENT)
    except MalformedResponse:
        return None
    said = document.get("message")
    if isinstance(said, str):
        return refusal_of({"error": {"message": said}})
    return refusal_of(document)


def _free_text(arguments: str) -> str:
    """The text that a stand-in function for a tool of free text was given."""
    try:
        value = loose.decode(arguments.encode("utf-8", "replace"))
    except ValueError:
        return arguments
    text = value.get(FREE_TEXT) if isinstance(value, dict) else None
    return text if isinstance(text, str) else arguments


_HANDLERS: Final[dict[str, Callable[[CohereDecoder, WireEvent, list[Event]], None]]] = {
    "message-start": CohereDecoder._on_start,
    "content-start": CohereDecoder._on_content,
    "content-delta": CohereDecoder._on_content,
    "content-end": CohereDecoder._on_content_end,
    "tool-plan-delta": CohereDecoder._on_plan,
    "tool-call-start": CohereDecoder._on_call,
    "tool-call-delta": CohereDecoder._on_arguments,
    "tool-call-end": CohereDecoder._on_call_end,
    "citation-start": CohereDecoder._on_citation,
    "message-end": CohereDecoder._on_end,
}
"""Other events say nothing: `citation-end`, `debug`, and what may come."""
