"""A streamed answer of the same dialect on its way to the client: events pass with their bytes, response objects are patched, the facts are
read beside. Nothing goes out before the first content (adapters 4.3)."""

from collections.abc import Callable, Mapping, Sequence

import msgspec
from msgspec import Raw, Struct

from trunkline.dialects import loose
from trunkline.dialects.hub.answer import Answer, fold
from trunkline.dialects.hub.conversation import Conversation
from trunkline.dialects.hub.events import Failure, Finish
from trunkline.dialects.hub.translation import Identity
from trunkline.dialects.refusals import refusal_of
from trunkline.dialects.responses.decoder import ResponsesDecoder
from trunkline.dialects.responses.document import failed_document
from trunkline.dialects.responses.encoder import DONE, ResponsesEncoder
from trunkline.dialects.responses.passage import Patch, last_changes
from trunkline.dialects.responses.reply import SeenCall
from trunkline.dialects.responses.request import ResponsesRequest
from trunkline.dialects.responses.verdict import CALLS, TERMINALS, tier_of, usage_of, verdict
from trunkline.errors import ApiError, MalformedResponse, UpstreamError
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.usage import Cost, Usage

_CHARGED = frozenset(
    (
        *("response.output_text.delta", "response.refusal.delta", "response.reasoning_text.delta", "response.reasoning_summary_text.delta"),
        *("response.function_call_arguments.delta", "response.custom_tool_call_input.delta"),
    )
)
"""Events whose delta the model generated token by token."""

_BEGINNINGS = frozenset(("response.created", "response.queued", "response.in_progress"))
_SCAFFOLD = frozenset(("response.content_part.added", "response.reasoning_summary_part.added"))
_SAID_LATER = frozenset(("message", "reasoning"))
"""Items whose beginning is no content yet."""


class _Head(Struct, gc=False):
    type: str
    delta: str = ""
    sequence_number: int = 0


_HEAD = msgspec.json.Decoder(_Head)
_KEYS = msgspec.json.Decoder(dict[str, Raw])
_encode = msgspec.json.Encoder().encode
_END = b"[DONE]"
Document = dict[str, object]


class ResponsesStream:
    """One streamed answer; the facts are those of `dialects.hub.translation.StreamTranslator`."""

    def __init__(self, identity: Identity, endpoint: Endpoint, request: ResponsesRequest) -> None:
        self.committed = False
        self.done = False
        self.usage: Document | None = None
        self.upstream_id: str | None = None
        self.service_tier: str | None = None
        self.error: UpstreamError | None = None
        self.finish_reason: str | None = None
        self.native_finish_reason: str | None = None
        self.output_chars = 0
        self.tool_calls: list[SeenCall] = []
        self._patch = Patch(identity, request)
        self._identity = identity
        self._endpoint = endpoint
        self._request = request
        self._told: tuple[ResponsesEncoder, Answer] | None = None
        self._called = False
        self._held: list[bytes] = []
        self._items: list[object] = []
        self._last: tuple[str, dict[str, Raw]] | None = None
        self._number = 0
        self._handlers: Mapping[str, Callable[[str, bytes, list[bytes]], None]] = {
            **dict.fromkeys(_BEGINNINGS, self._begin),
            **dict.fromkeys(TERMINALS, self._end),
            "response.output_item.added": self._item_added,
            "response.output_item.done": self._item_done,
            "error": self._refuse,
        }

    def feed(self, payloads: Sequence[bytes]) -> bytes:
        """Take the payloads of the events of one read; returns the client's bytes, b"" while nothing may go out.

        After `error` is set nothing more is read, and what the same call had read before goes out with `fail`.
        """
        out: list[bytes] = []
        for payload in payloads:
            if self.done or self.error is not None:
                break
            if payload.strip() == _END:
                self.done = True
            elif payload.strip():
                self._read(payload, out)
        if self.error is not None:
            self._held.extend(out)
            return b""
        return b"".join(out)

    def unstreamed(self, body: bytes) -> bytes:
        """Take a complete answer that came in place of a stream; it is told as the stream that it would have been."""
        events = ResponsesDecoder(self._endpoint, Conversation(turns=()), seed=self._identity.id).whole(body)
        answer = fold(events)
        encoder = ResponsesEncoder(self._identity, self._request)
        self._told = (encoder, answer)
        self.usage, self.upstream_id, self.service_tier, self.error = answer.usage, answer.id, answer.service_tier, answer.error
        self.output_chars = answer.output_chars
        self.tool_calls = [SeenCall(block.name, block.joined("arguments")) for block in answer.tool_calls if not block.custom]
        if answer.error is not None:
            return b""
        self._finish(answer.finish)
        self.done = True
        self.committed = answer.has_content
        return encoder.feed(events)

    def end(self) -> bytes:
        """The connection has ended. Nothing is held back that a later event would not have brought."""
        return b""

    def finish(self, usage: Usage, cost: Cost, *, metadata: bytes | None = None) -> bytes:
        """The terminal event with usage and cost, then [DONE]. `metadata` is `openrouter_metadata` as JSON."""
        if self._told is not None:
            encoder, answer = self._told
            return encoder.finish(answer, usage, cost, metadata=metadata)
        kind, event = self._last or ("response.completed", {})
        changes = last_changes(usage, cost, metadata)
        if self._last is None:
            changes |= {"status": "completed", "output": self._items}
        event = {**event, "response": self._patch.apply(event.get("response", _NOTHING), changes)}
        if self._last is None:
            event = {"type": Raw(_encode(kind)), **event, "sequence_number": Raw(b"%d" % (self._number + 1))}
        return b"".join((*self._release(), _frame(kind, _encode(event)), DONE))

    def fail(self, error: ApiError) -> bytes:
        """The end of a stream that went wrong: the failed response with what it holds, then [DONE]; an `error` event if none began."""
        if self._told is not None or not self.committed:
            encoder = self._told[0] if self._told is not None else ResponsesEncoder(self._identity, self._request)
            return encoder.fail(error)
        failed = failed_document(self._patch.begun, self._items, error)
        kind = f"response.{failed['status']}"
        event = {"type": kind, "response": failed, "sequence_number": self._number + 1}
        return b"".join((*self._release(), _frame(kind, _encode(event)), DONE))

    def _read(self, payload: bytes, out: list[bytes]) -> None:
        try:
            self._handle(_HEAD.decode(payload), payload, out)
        except loose.FAILURES:
            reread = self._reread(payload)
            if reread is not None:
                self._handle(*reread, out)

    def _handle(self, head: _Head, payload: bytes, out: list[bytes]) -> None:
        if head.type != "error":  # which does not go out as it came
            self._number = max(self._number, head.sequence_number)
        handler = self._handlers.get(head.type)
        if handler is not None:
            handler(head.type, payload, out)
            return
        if head.type in _CHARGED:
            self.output_chars += len(head.delta)
        bears = bool(head.delta) if head.type.endswith(".delta") else head.type not in _SCAFFOLD
        self._emit(_frame(head.type, payload), bears, out)

    def _reread(self, payload: bytes) -> tuple[_Head, bytes] | None:
        """An event that the strict reader refuses; None when it is none, which may be told in `error`."""
        try:
            document = loose.decode(payload)
        except ValueError as error:
            self.error = MalformedResponse(f"An event is not JSON: {error}")
            return None
        if not isinstance(document, dict):
            self.error = MalformedResponse("An event is not a JSON object")
            return None
        kind, delta, number = document.get("type"), document.get("delta"), document.get("sequence_number")
        if not isinstance(kind, str):
            self.error = refusal_of(document)
            return None
        head = _Head(kind, delta if isinstance(delta, str) else "", number if isinstance(number, int) else 0)
        return head, _encode(document)

    def _emit(self, frame: bytes, bears_content: bool, out: list[bytes]) -> None:
        if bears_content and not self.committed:
            self.committed = True
            out.extend(self._release())
        (out if self.committed else self._held).append(frame)

    def _release(self) -> list[bytes]:
        held, self._held = self._held, []
        return held

    def _begin(self, kind: str, payload: bytes, out: list[bytes]) -> None:
        event = _KEYS.decode(payload)
        response = _document(event.get("response"))
        identifier = response.get("id")
        if self.upstream_id is None and isinstance(identifier, str) and identifier:
            self.upstream_id = identifier
        event["response"] = self._patch.apply(_encode(response))
        self._emit(_frame(kind, _encode(event)), False, out)

    def _item_added(self, kind: str, payload: bytes, out: list[bytes]) -> None:
        item = _document(_KEYS.decode(payload).get("item"))
        self._emit(_frame(kind, payload), _type_of(item) not in _SAID_LATER, out)

    def _item_done(self, kind: str, payload: bytes, out: list[bytes]) -> None:
        self._note(_document(_KEYS.decode(payload).get("item")))
        self._emit(_frame(kind, payload), True, out)

    def _note(self, item: Document) -> None:
        self._items.append(item)
        self._called = self._called or _type_of(item) in CALLS
        name, arguments = item.get("name"), item.get("arguments")
        if item.get("type") == "function_call" and isinstance(name, str) and isinstance(arguments, str):
            self.tool_calls.append(SeenCall(name, arguments))

    def _end(self, kind: str, payload: bytes, out: list[bytes]) -> None:
        event = _KEYS.decode(payload)
        response = _document(event.get("response"))
        output = response.get("output")
        if not self._items:
            for item in output if isinstance(output, list) else ():
                self._note(item if isinstance(item, dict) else {})
        identifier = response.get("id")
        self.upstream_id = self.upstream_id or (identifier if isinstance(identifier, str) else None)
        self.usage, self.service_tier = usage_of(response), tier_of(response)
        self.done = True
        self._last = (kind, {**event, "response": Raw(_encode(response)) if output is None else event["response"]})
        ended = verdict(kind, response, called=self._called)
        if isinstance(ended, Failure):
            self.error = ended.error
        else:
            self._finish(ended)

    def _finish(self, finish: Finish | None) -> None:
        if finish is not None:
            self.finish_reason, self.native_finish_reason = finish.reason, finish.native

    def _refuse(self, kind: str, payload: bytes, out: list[bytes]) -> None:
        document = msgspec.json.decode(payload)
        self.error = refusal_of(document) or MalformedResponse("The upstream sent an error without a message")


_NOTHING = Raw(b"{}")


def _document(raw: Raw | None) -> Document:
    value = None if raw is None else msgspec.json.decode(raw)
    return value if isinstance(value, dict) else {}


def _type_of(item: Document) -> str:
    kind = item.get("type")
    return kind if isinstance(kind, str) else ""


def _frame(kind: str, payload: bytes) -> bytes:
    """One event. A payload over several lines is written on one, since a line ends a field."""
    if b"\n" in payload or b"\r" in payload:
        payload = _encode(msgspec.json.decode(payload))
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), payload)
