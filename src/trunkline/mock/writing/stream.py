"""What the streams of all dialects share: server-sent events, and the waits between them."""

from collections.abc import Iterable

from trunkline.mock.content import encode
from trunkline.mock.reply import Part, PartKind, Reply
from trunkline.mock.script import Answer, Pace

Event = tuple[PartKind, bytes]
Headers = tuple[tuple[str, str], ...]

_UNPACED = ("role", "open", "close", "done", "comment")


def data_event(value: object) -> bytes:
    """One server-sent event with a JSON payload and no name."""
    return b"data: " + encode(value) + b"\n\n"


def named_event(value: dict[str, object]) -> bytes:
    """One server-sent event with a JSON payload whose `type` is the event's name too."""
    return f"event: {value['type']}\ndata: ".encode() + encode(value) + b"\n\n"


def frame_data(payload: bytes) -> bytes:
    """An event without a name around these bytes."""
    return b"data: " + payload + b"\n\n"


def streamed(events: Iterable[Event], pace: Pace, *, headers: Headers, media: str = "text/event-stream; charset=utf-8") -> Reply:
    """The reply of a stream, with the waits of `pace`: `first_ms` before the first content, `event_ms` before what follows it. Events
    without content do not wait."""
    parts: list[Part] = []
    paced = False
    for kind, data in events:
        first = kind == "content" and not paced
        wait = (pace.first_ms or pace.event_ms) if first else pace.event_ms
        paced = paced or first
        parts.append(Part(kind, data, wait / 1000 if kind not in _UNPACED else 0.0))
    return Reply(parts=tuple(parts), headers=(("content-type", media), ("cache-control", "no-cache"), *headers), stream=True)


def headers_of(answer: Answer, serial: int, name: str = "x-request-id") -> Headers:
    """The header with the vendor's id of the request, and the scripted ones."""
    return (name, f"req_mock{serial:08d}"), *answer.headers.items()
