import msgspec

from trunkline.mock.script import Answer, Pace
from trunkline.mock.writing.stream import Event, data_event, frame_data, headers_of, named_event, streamed


def test_events() -> None:
    assert data_event({"a": 1}) == frame_data(b'{"a":1}') == b'data: {"a":1}\n\n'
    assert named_event({"type": "ping"}) == b'event: ping\ndata: {"type":"ping"}\n\n'


def test_only_content_and_what_ends_it_waits() -> None:
    kinds = ("role", "open", "content", "content", "close", "comment", "finish", "usage", "done")
    events: list[Event] = [(kind, kind.encode()) for kind in kinds]
    reply = streamed(events, Pace(first_ms=50, event_ms=10), headers=(("x", "y"),))
    assert [part.wait for part in reply.parts] == [0, 0, 0.05, 0.01, 0, 0, 0.01, 0.01, 0]
    assert dict(reply.headers) == {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache", "x": "y"}
    assert msgspec.structs.asdict(reply)["stream"] is True


def test_headers() -> None:
    assert headers_of(Answer(headers={"a": "b"}), 7, "request-id") == (("request-id", "req_mock00000007"), ("a", "b"))
