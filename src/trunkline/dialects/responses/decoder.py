"""An upstream's answer in this dialect, streamed or whole, as the hub's events.

A stream says everything several times: in deltas, in the `done` events of parts and items, and in the final response. Each later telling
only fills in what the earlier ones left out, so that servers which skip some of them lose nothing (adapters 2.4, class 5).
"""

from collections.abc import Callable, Mapping, Sequence

from trunkline.dialects import loose
from trunkline.dialects.hub.conversation import Conversation
from trunkline.dialects.hub.events import Event, Failure, Start, UsageSeen
from trunkline.dialects.refusals import refusal_of
from trunkline.dialects.responses.demands import names_of
from trunkline.dialects.responses.slots import Slots
from trunkline.dialects.responses.support import FORMATS
from trunkline.dialects.responses.verdict import TERMINALS, tier_of, usage_of, verdict
from trunkline.errors import MalformedResponse, UpstreamError
from trunkline.protocol.catalogue import Endpoint

Document = dict[str, object]

_DONE = b"[DONE]"


class ResponsesDecoder:
    """Reads one answer. `seed` makes the ids that are minted."""

    def __init__(self, endpoint: Endpoint, conversation: Conversation, *, seed: str) -> None:
        self.done = False
        formats = endpoint.quirks.reasoning_formats or FORMATS
        self._slots = Slots(formats[0], names_of(conversation), seed=seed)
        self._started = False
        self._handlers: Mapping[str, Callable[[Document], list[Event]]] = {
            "response.created": self._begin,
            "response.queued": self._begin,
            "response.in_progress": self._begin,
            **dict.fromkeys(TERMINALS, self._end),
            "error": self._fail,
            **self._slots.handlers,
        }

    def feed(self, payloads: Sequence[bytes]) -> list[Event]:
        """The events of the data of SSE events."""
        events: list[Event] = []
        for payload in payloads:
            if self.done:
                break
            if payload.strip() == _DONE:
                self.done = True
            elif payload.strip():
                events.extend(self._read(payload))
        return events

    def close(self) -> list[Event]:
        """Nothing is ever held back: what was said without an end stays without one."""
        return []

    def whole(self, body: bytes) -> list[Event]:
        """The events of a complete response."""
        document = _object(body)
        if isinstance(document, UpstreamError):
            return self._failed(document)
        refusal = refusal_of(document) if document.get("status") != "failed" else None
        if refusal is not None:
            return self._failed(refusal)
        if not isinstance(document.get("output"), list):
            return self._failed(MalformedResponse("The answer has no output"))
        return self._end({"type": "response.completed", "response": document})

    def _read(self, payload: bytes) -> list[Event]:
        document = _object(payload)
        if isinstance(document, UpstreamError):
            return self._failed(document)
        kind = document.get("type")
        handler = self._handlers.get(kind) if isinstance(kind, str) else None
        if handler is not None:
            return handler(document)
        refusal = refusal_of(document) if not isinstance(kind, str) else None
        return [] if refusal is None else self._failed(refusal)

    def _begin(self, event: Document) -> list[Event]:
        response = event.get("response")
        identifier = response.get("id") if isinstance(response, dict) else None
        if self._started:
            return []
        self._started = True
        return [Start(identifier if isinstance(identifier, str) and identifier else None)]

    def _end(self, event: Document) -> list[Event]:
        response = event.get("response")
        response = response if isinstance(response, dict) else {}
        events = self._begin(event)
        events.extend(self._slots.complete(response.get("output")))
        usage, tier = usage_of(response), tier_of(response)
        if usage is not None or tier is not None:
            events.append(UsageSeen(usage or {}, tier))
        self.done = True
        return [*events, verdict(str(event.get("type")), response, called=self._slots.called)]

    def _fail(self, event: Document) -> list[Event]:
        return self._failed(refusal_of(event) or MalformedResponse("The upstream sent an error without a message"))

    def _failed(self, error: UpstreamError) -> list[Event]:
        self.done = True
        return [Failure(error)]


def _object(data: bytes) -> Document | UpstreamError:
    try:
        document = loose.decode(data)
    except ValueError as error:
        return MalformedResponse(f"The answer is not JSON: {error}")
    return document if isinstance(document, dict) else MalformedResponse("The answer is not a JSON object")
