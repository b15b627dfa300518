"""A streamed answer that passes through (contract 5.2): its events keep their bytes, but for the first, which names the answer, and the
last, which gets usage with its cost.

Nothing goes out before the first content: until `committed` another endpoint may answer instead.
"""

from collections.abc import Sequence as Many

import msgspec
from msgspec import Struct

from trunkline.dialects import loose
from trunkline.dialects.hub.translation import Identity
from trunkline.dialects.messages import envelope, frames
from trunkline.dialects.messages.facts import Facts, Wire
from trunkline.dialects.messages.request import MessagesRequest
from trunkline.dialects.messages.sequence import Sequence
from trunkline.dialects.messages.usage import UsageView, usage_view
from trunkline.dialects.refusals import refusal_of
from trunkline.errors import ApiError, MalformedResponse
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.usage import Cost, Usage

_HELD_LIMIT = 16
_PLACEHOLDERS = msgspec.to_builtins(UsageView())


class _Piece(Struct, gc=False):
    type: str = ""
    text: str = ""
    thinking: str = ""
    partial_json: str = ""


class _Delta(Struct, tag_field="type", tag="content_block_delta", gc=False):
    """The event that comes by the hundred; any other is decoded in full."""

    index: int
    delta: _Piece


_FAST = msgspec.json.Decoder(_Delta)


class MessagesStream(Facts):
    """One streamed answer (`hub.translation.StreamTranslator`)."""

    def __init__(self, identity: Identity, endpoint: Endpoint, request: MessagesRequest) -> None:
        super().__init__()
        self.committed = False
        self.done = False
        self._identity = identity
        self._held: list[bytes] = []
        self._last: dict[str, object] = {}
        self._rest: dict[str, object] = {}

    def feed(self, payloads: Many[bytes]) -> bytes:
        """Take the payloads of one read; returns the client's bytes, b"" while nothing may go out, and after `error`."""
        out: list[bytes] = []
        for payload in payloads:
            if self.done or self.error is not None:
                break
            self._read(payload, out)
        if self.error is not None:
            self._held.extend(out)
            return b""
        return b"".join(out)

    def unstreamed(self, body: bytes) -> bytes:
        """Take a whole message that came in place of a stream."""
        message = read(body, self)
        if message is None:
            return b""
        sequence = Sequence()
        content = message.get("content")
        for block in content if isinstance(content, list) else ():
            if isinstance(block, dict):
                sequence.insert(block)
        start = self._start({"message": {**message, "content": [], "stop_reason": None, "stop_sequence": None}})
        self._last = {key: message.get(key) for key in ("stop_reason", "stop_sequence", "stop_details", "container")}
        self.done = True
        self.committed = self.bears_content or self.finish_reason is not None
        return b"".join((start, *sequence.out)) if self.committed else b""

    def end(self) -> bytes:
        """The connection has ended; nothing is held back."""
        return b""

    def finish(self, usage: Usage, cost: Cost, *, metadata: bytes | None = None) -> bytes:
        """The last events: `message_delta` with the upstream's usage and the cost, `message_stop` with `openrouter_metadata`."""
        delta = {"stop_details": None, "container": None, "stop_sequence": None, **self._last}
        told = usage_json(self, usage, cost)
        last = frames.STOP
        if metadata is not None:
            last = frames.event("message_stop", {"type": "message_stop", "openrouter_metadata": msgspec.Raw(metadata)})
        ending = frames.event("message_delta", {"type": "message_delta", "delta": delta, **self._rest, "usage": told})
        return b"".join((*self._release(), ending, last))

    def fail(self, error: ApiError) -> bytes:
        """The end of a stream that went wrong: an `error` event."""
        event = frames.event("error", envelope.document(error, request_id=self._identity.id))
        return b"".join((*self._release(), event))

    def _release(self) -> list[bytes]:
        held, self._held = self._held, []
        return held

    def _read(self, payload: bytes, out: list[bytes]) -> None:
        try:
            event = _FAST.decode(payload)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            self._read_fully(payload, out)
            return
        piece = event.delta
        if piece.partial_json:
            self.note_arguments(event.index, piece.partial_json)
        elif piece.text or piece.thinking:
            self.note_said(piece.text or piece.thinking)
        elif piece.type in ("signature_delta", "compaction_delta"):
            self.bears_content = True
        self._emit(_framed(b"content_block_delta", payload), out)

    def _read_fully(self, payload: bytes, out: list[bytes]) -> None:
        if payload.strip() in (b"[DONE]", b""):
            self.done = self.done or bool(payload.strip())
            return
        try:
            document = loose.decode(payload)
        except ValueError as error:
            self.error = MalformedResponse(f"An event of the stream is not JSON: {error}")
            return
        if not isinstance(document, dict):
            return
        self.error = refusal_of(document)
        if self.error is None:
            self._take(document, payload, out)

    def _take(self, document: dict[str, object], payload: bytes, out: list[bytes]) -> None:
        kind = document.get("type")
        if kind == "message_start":
            message = _object(document.get("message"))
            self.note_message(message)
            self._emit(self._start(document), out)
        elif kind == "message_delta":
            self._end(document)
        elif kind == "message_stop":
            self.done = True
        elif isinstance(kind, str) and (kind != "ping" or self.committed):
            if kind == "content_block_start":
                self.note_block(document.get("index"), _object(document.get("content_block")))
            self._emit(_framed(kind.encode(), payload), out)

    def _end(self, document: dict[str, object]) -> None:
        """Kept for `finish`, which knows the cost."""
        delta = _object(document.get("delta"))
        self.note_usage(document.get("usage"))
        self.note_end(delta)
        self._last.update(delta)
        self._rest.update({key: value for key, value in document.items() if key not in ("type", "delta", "usage")})

    def _start(self, document: Wire) -> bytes:
        identity = self._identity
        message: dict[str, object] = {
            **_object(document.get("message")),
            "id": identity.id,
            "model": identity.model,
            "provider": identity.provider,
        }
        message["usage"] = {**_PLACEHOLDERS, **_object(message.get("usage"))}
        rest = {"container": None, "stop_details": None}
        return frames.event("message_start", {**document, "type": "message_start", "message": {**rest, **message}})

    def _emit(self, event: bytes, out: list[bytes]) -> None:
        if self.bears_content and not self.committed:
            self.committed = True
            out.extend(self._release())
        if self.committed:
            out.append(event)
        elif len(self._held) < _HELD_LIMIT:
            self._held.append(event)


def read(body: bytes, facts: Facts) -> dict[str, object] | None:
    """A whole message, its facts noted; None when it is none, with the reason in `facts.error`."""
    try:
        message = loose.decode(body)
    except ValueError as error:
        facts.error = MalformedResponse(f"The answer is not JSON: {error}")
        return None
    if not isinstance(message, dict):
        facts.error = MalformedResponse("The answer is not a JSON object")
        return None
    facts.error = refusal_of(message)
    if facts.error is not None:
        return None
    content = message.get("content")
    if not isinstance(content, list):
        facts.error = MalformedResponse("The answer has no content")
        return None
    facts.note_message(message)
    for index, block in enumerate(content):
        if isinstance(block, dict):
            facts.note_block(index, block)
    facts.note_end(message)
    return message


def usage_json(facts: Facts, usage: Usage, cost: Cost) -> dict[str, object]:
    """The upstream's own usage with the cost; what it did not say is filled in."""
    view = msgspec.to_builtins(usage_view(usage, cost, service_tier=facts.service_tier))
    return {**view, **facts.account.told, **{key: view[key] for key in ("cost", "is_byok", "cost_details")}}


def _framed(kind: bytes, payload: bytes) -> bytes:
    if b"\n" in payload or b"\r" in payload:
        payload = msgspec.json.format(payload, indent=-1)
    return b"event: %b\ndata: %b\n\n" % (kind, payload)


def _object(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}
