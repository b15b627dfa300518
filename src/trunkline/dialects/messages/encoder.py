"""Answers of any dialect as a Messages client reads them (contract 5.2): a legal Anthropic stream, or a whole message."""

from collections.abc import Sequence as Many

import msgspec

from trunkline.dialects.hub.answer import Answer
from trunkline.dialects.hub.events import BlockStart, BlockStop, Delta, Event, Media, OpaqueEvent
from trunkline.dialects.hub.translation import Identity
from trunkline.dialects.messages import content, envelope, frames
from trunkline.dialects.messages.request import MessagesRequest
from trunkline.dialects.messages.sequence import Sequence
from trunkline.dialects.messages.stops import stop_reason
from trunkline.dialects.messages.usage import UsageView, usage_view
from trunkline.errors import ApiError
from trunkline.protocol.usage import Cost, Usage

_NO_USAGE = UsageView()


class MessagesEncoder:
    """Writes one answer (`hub.translation.Encoder`). `message_start` goes out with the first content."""

    def __init__(self, identity: Identity, request: MessagesRequest) -> None:
        self._identity = identity
        self._hides = request.reasoning_excluded or request.display == "omitted"
        self._sequence = Sequence(hides_thinking=self._hides)
        self._begun = False

    def feed(self, events: Many[Event]) -> bytes:
        """The client's bytes for further events; b"" while nothing is said."""
        sequence = self._sequence
        for event in events:
            if isinstance(event, Delta):
                sequence.add(event)
            elif isinstance(event, BlockStart):
                sequence.begin(event)
            elif isinstance(event, BlockStop):
                sequence.end(event.index)
            elif isinstance(event, Media):
                sequence.insert(content.media(event))
            elif isinstance(event, OpaqueEvent):
                for block in content.opaque(event):
                    sequence.insert(block)
        return self._flush()

    def finish(self, answer: Answer, usage: Usage, cost: Cost, *, metadata: bytes | None = None) -> bytes:
        """The end of a stream: open blocks, the stop reason with usage, `message_stop` with `openrouter_metadata`."""
        self._sequence.close()
        said = self._flush() if self._begun or self._sequence.out else self._start()
        delta = {
            "type": "message_delta",
            "delta": {
                "stop_reason": _stop_reason(answer),
                "stop_sequence": _stop_sequence(answer),
                "stop_details": None,
                "container": None,
            },
            "usage": usage_view(usage, cost, service_tier=answer.service_tier),
        }
        last = frames.STOP
        if metadata is not None:
            last = frames.event("message_stop", {"type": "message_stop", "openrouter_metadata": msgspec.Raw(metadata)})
        return b"".join((said, frames.event("message_delta", delta), last))

    def fail(self, error: ApiError) -> bytes:
        """The end of a stream that went wrong: an `error` event."""
        return self._flush() + frames.event("error", envelope.document(error, request_id=self._identity.id))

    def whole(self, answer: Answer, usage: Usage, cost: Cost, *, metadata: bytes | None = None) -> bytes:
        """A complete message."""
        message = {
            **self._message(),
            "content": content.blocks(answer, hides_thinking=self._hides),
            "stop_reason": _stop_reason(answer),
            "stop_sequence": _stop_sequence(answer),
            "usage": usage_view(usage, cost, service_tier=answer.service_tier),
        }
        if metadata is not None:
            message["openrouter_metadata"] = msgspec.Raw(metadata)
        return msgspec.json.encode(message)

    def partial(self, answer: Answer, error: ApiError) -> bytes | None:
        """None: no stop reason says that an answer failed (contract 5.2), and a made-up one would look like a normal end."""
        return None

    def _flush(self) -> bytes:
        out, self._sequence.out = self._sequence.out, []
        if not out:
            return b""
        said = b"".join(out)
        return said if self._begun else self._start() + said

    def _start(self) -> bytes:
        self._begun = True
        return frames.event("message_start", {"type": "message_start", "message": self._message()})

    def _message(self) -> dict[str, object]:
        identity = self._identity
        return {
            "id": identity.id,
            "type": "message",
            "role": "assistant",
            "model": identity.model,
            "provider": identity.provider,
            "content": [],
            "container": None,
            "stop_reason": None,
            "stop_details": None,
            "stop_sequence": None,
            "usage": _NO_USAGE,
        }


def _stop_reason(answer: Answer) -> str:
    return stop_reason(answer.finish, refused=any(block.kind == "refusal" for block in answer.blocks))


def _stop_sequence(answer: Answer) -> str | None:
    return None if answer.finish is None else answer.finish.stop_sequence
