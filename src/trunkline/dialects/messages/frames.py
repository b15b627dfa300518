"""The server-sent events of a Messages stream, as bytes. The data of an event names its type once more, as Anthropic's does."""

import msgspec
from msgspec import Raw

_encode = msgspec.json.Encoder().encode

_DELTA = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":{"type":"%b","%b":%b}}\n\n'
STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'


def event(name: str, document: object) -> bytes:
    """One event. `document` is the data with its `type`."""
    return b"event: %b\ndata: %b\n\n" % (name.encode(), _encode(document))


def start(index: int, block: object) -> bytes:
    """`content_block_start`."""
    return event("content_block_start", {"type": "content_block_start", "index": index, "content_block": block})


def stop(index: int) -> bytes:
    """`content_block_stop`."""
    return b'event: content_block_stop\ndata: {"type":"content_block_stop","index":%d}\n\n' % index


def text(index: int, piece: str) -> bytes:
    """A `text_delta`."""
    return _DELTA % (index, b"text_delta", b"text", _encode(piece))


def arguments(index: int, piece: str) -> bytes:
    """An `input_json_delta`."""
    return _DELTA % (index, b"input_json_delta", b"partial_json", _encode(piece))


def thinking(index: int, piece: str) -> bytes:
    """A `thinking_delta`."""
    return _DELTA % (index, b"thinking_delta", b"thinking", _encode(piece))


def signature(index: int, piece: str) -> bytes:
    """A `signature_delta`."""
    return _DELTA % (index, b"signature_delta", b"signature", _encode(piece))


def citation(index: int, cited: Raw) -> bytes:
    """A `citations_delta`."""
    return _DELTA % (index, b"citations_delta", b"citation", bytes(cited))


def compaction(index: int, content: object) -> bytes:
    """A `compaction_delta`."""
    return _DELTA % (index, b"compaction_delta", b"content", _encode(content))


def json_text(value: object) -> str:
    """A value as JSON text."""
    return _encode(value).decode()
