"""Answers of a Messages upstream as events, streamed or whole: both pass through the same blocks, so that they cannot differ."""

import hashlib
from collections.abc import Callable, Mapping, Sequence

from trunkline.dialects import loose
from trunkline.dialects.hub.conversation import Conversation
from trunkline.dialects.hub.events import Event, Failure, Start, UsageSeen
from trunkline.dialects.messages.account import Account
from trunkline.dialects.messages.compose import Composer
from trunkline.dialects.messages.opened import Opened, Terms, text
from trunkline.dialects.messages.stops import finish_of
from trunkline.dialects.messages.structure import structure_of
from trunkline.dialects.messages.tools import custom_names, names_of
from trunkline.dialects.refusals import refusal_of
from trunkline.errors import MalformedResponse
from trunkline.protocol.catalogue import Endpoint

Wire = Mapping[str, object]
_NOTHING: Wire = {}
_IMPLIED = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "thinking", "citations_delta": "text"}
"""The block that a delta must belong to, where none was begun."""


class MessagesDecoder:
    """Reads one answer (`hub.translation.Decoder`). `seed` makes ids of calls that came without one."""

    def __init__(self, endpoint: Endpoint, conversation: Conversation, *, seed: str) -> None:
        self.done = False
        self._terms = terms(endpoint, conversation, seed)
        self._open: dict[object, Opened] = {}
        self._account = Account()
        self._count = 0
        self._called = False
        self._emulated = False
        self._finished = False
        self._failed = False

    def feed(self, payloads: Sequence[bytes]) -> list[Event]:
        """The events of the data of SSE events. After a failure nothing more is read."""
        out: list[Event] = []
        for payload in payloads:
            if self._failed or self.done:
                break
            if payload.strip() == b"[DONE]":
                self.done = True
                break
            document = self._read(payload, out) if payload.strip() else None
            if document is not None:
                handler = _HANDLERS.get(text(document.get("type")))
                out.extend(handler(self, document) if handler is not None else ())
        return out

    def close(self) -> list[Event]:
        """The connection has ended; nothing is held back but blocks that never ended."""
        return [] if self._failed else self._end_all()

    def whole(self, body: bytes) -> list[Event]:
        """The events of a complete message."""
        out: list[Event] = []
        document = self._read(body, out)
        if document is None:
            return out
        content = document.get("content")
        if not isinstance(content, list):
            return [self._fail("The answer has no content")]
        out.extend(self._seen(document))
        for position, block in enumerate(content):
            if isinstance(block, dict):
                out.extend(self._begin(position, block))
                out.extend(self._end(position))
        self.done = True
        return [*out, *self._finish(document)]

    def _read(self, data: bytes, out: list[Event]) -> Wire | None:
        try:
            document = loose.decode(data)
        except ValueError as error:
            out.append(self._fail(f"The answer is not JSON: {error}"))
            return None
        if not isinstance(document, dict):
            out.append(self._fail("The answer is not a JSON object"))
            return None
        refused = refusal_of(document)
        if refused is not None:
            self._failed = True
            out.append(Failure(refused))
            return None
        return document

    def _fail(self, message: str) -> Failure:
        self._failed = True
        return Failure(MalformedResponse(message))

    def _on_start(self, document: Wire) -> list[Event]:
        return self._seen(_object(document.get("message")))

    def _on_block(self, document: Wire) -> list[Event]:
        return self._begin(document.get("index"), _object(document.get("content_block")))

    def _on_delta(self, document: Wire) -> list[Event]:
        delta, key = _object(document.get("delta")), _key(document.get("index"))
        block = self._open.get(key)
        begun: list[Event] = []
        if block is None:
            implied = _IMPLIED.get(text(delta.get("type")))
            if implied is None:
                return []
            begun = self._begin(key, {"type": implied})
            block = self._open[key]
        return [*begun, *block.take(delta)]

    def _on_stop(self, document: Wire) -> list[Event]:
        return self._end(document.get("index"))

    def _on_message_delta(self, document: Wire) -> list[Event]:
        delta = _object(document.get("delta"))
        return [*self._used(document.get("usage")), *(self._finish(delta) if delta.get("stop_reason") else ())]

    def _on_end(self, document: Wire) -> list[Event]:
        self.done = True
        return [*self._end_all(), *self._finish(_NOTHING)]

    def _seen(self, message: Wire) -> list[Event]:
        identifier = message.get("id")
        return [Start(identifier if isinstance(identifier, str) and identifier else None), *self._used(message.get("usage"))]

    def _used(self, usage: object) -> list[Event]:
        if not isinstance(usage, dict) or not usage:
            return []
        self._account.take(usage)
        return [UsageSeen(self._account.counted, text(usage.get("service_tier")) or None)]

    def _begin(self, index: object, block: Wire) -> list[Event]:
        key = _key(index)
        ended = self._end(key)
        opened = self._open[key] = Opened(self._count, block, self._terms, self._mint)
        self._count += 1
        events = opened.begin()
        self._called = self._called or opened.called
        self._emulated = self._emulated or opened.emulated
        return [*ended, *events]

    def _end(self, index: object) -> list[Event]:
        opened = self._open.pop(_key(index), None)
        return [] if opened is None else opened.end()

    def _end_all(self) -> list[Event]:
        return [event for key in list(self._open) for event in self._end(key)]

    def _finish(self, document: Wire) -> list[Event]:
        if self._finished:
            return []
        self._finished = True
        native, sequence = text(document.get("stop_reason")) or None, document.get("stop_sequence")
        return [
            finish_of(
                native,
                stop_sequence=sequence if isinstance(sequence, str) else None,
                called=self._called,
                emulated=self._emulated,
            )
        ]

    def _mint(self) -> str:
        return "toolu_" + hashlib.sha256(f"{self._terms.seed}:{self._count}".encode()).hexdigest()[:24]


def terms(endpoint: Endpoint, conversation: Conversation, seed: str) -> Terms:
    """What the composer made of names and of the form of the answer."""
    answer_tool = ""
    if conversation.format is not None and conversation.format.kind == "json_schema":
        thinking = Composer(endpoint).thinking(conversation, forced=False)
        structure = structure_of(endpoint.quirks, conversation, thinks=thinking.unforced)
        answer_tool = "" if structure is None else structure.name
    return Terms(names_of(conversation), custom_names(conversation), answer_tool, seed)


def _object(value: object) -> Wire:
    return value if isinstance(value, dict) else _NOTHING


def _key(index: object) -> object:
    return index if isinstance(index, int | str) else None


_HANDLERS: Mapping[str, Callable[[MessagesDecoder, Wire], list[Event]]] = {
    "message_start": MessagesDecoder._on_start,
    "content_block_start": MessagesDecoder._on_block,
    "content_block_delta": MessagesDecoder._on_delta,
    "content_block_stop": MessagesDecoder._on_stop,
    "message_delta": MessagesDecoder._on_message_delta,
    "message_stop": MessagesDecoder._on_end,
}
"""`ping` and whatever comes to exist say nothing."""
