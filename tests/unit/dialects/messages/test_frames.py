import json

from grammar_messages import events
from msgspec import Raw

from trunkline.dialects.messages import frames


def only(data: bytes) -> dict[str, object]:
    ((_, document),) = events(data)
    return document  # type: ignore[no-any-return]


def test_events_name_their_type_twice() -> None:
    assert frames.event("ping", {"type": "ping"}) == b'event: ping\ndata: {"type":"ping"}\n\n'
    assert only(frames.STOP) == {"type": "message_stop"}


def test_deltas_are_escaped() -> None:
    said = 'a"b\n\u2028\\'
    assert only(frames.text(3, said)) == {"type": "content_block_delta", "index": 3, "delta": {"type": "text_delta", "text": said}}
    assert only(frames.arguments(0, said))["delta"] == {"type": "input_json_delta", "partial_json": said}
    assert only(frames.thinking(0, said))["delta"] == {"type": "thinking_delta", "thinking": said}
    assert only(frames.signature(0, said))["delta"] == {"type": "signature_delta", "signature": said}
    assert only(frames.compaction(0, None))["delta"] == {"type": "compaction_delta", "content": None}
    assert only(frames.citation(0, Raw(b'{"type":"x"}')))["delta"] == {"type": "citations_delta", "citation": {"type": "x"}}


def test_blocks_begin_and_end() -> None:
    assert only(frames.start(2, {"type": "text"})) == {"type": "content_block_start", "index": 2, "content_block": {"type": "text"}}
    assert only(frames.stop(2)) == {"type": "content_block_stop", "index": 2}


def test_a_value_as_text() -> None:
    assert json.loads(frames.json_text({"a": [1]})) == {"a": [1]}
