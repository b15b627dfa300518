"""A kept answer as the answer to another request: what was said stays as it was, byte for byte; id and time are new, counts and costs 0,
and there is nothing of the router (contract 4.5)."""

from typing import Any, Final

import msgspec
from msgspec import Raw

_TIMES: Final = ("created", "created_at", "completed_at")
_INNER: Final = ("response", "message")
"""Where Responses and Messages keep the whole in the events of a stream."""
_ROUTER: Final = "openrouter_metadata"
_MARKS: Final = (b'"usage"', b'"created', b'"completed_at"', b'"openrouter_metadata"')
_DATA: Final = b"data: "
_OBJECT: Final = msgspec.json.Decoder(dict[str, Raw])
_encode: Final = msgspec.json.Encoder().encode


def whole(body: bytes, *, source: str, id: str, created: int) -> bytes:
    """A complete answer, once generation `source`, as generation `id` of the Unix second `created`."""
    return _renewed(body.replace(source.encode(), id.encode()), created)


def streamed(body: bytes, *, source: str, id: str, created: int) -> bytes:
    """The events of a stream, likewise."""
    events = body.replace(source.encode(), id.encode()).split(b"\n\n")
    return b"\n\n".join([_event(event, created) for event in events])


def without_comments(stream: bytes) -> bytes:
    """A stream without the comments that kept its connection alive."""
    return b"\n\n".join([event for event in stream.split(b"\n\n") if not event.startswith(b":")])


def _event(event: bytes, created: int) -> bytes:
    lines = event.split(b"\n")
    return b"\n".join([_DATA + _renewed(line[len(_DATA) :], created) if line.startswith(b"data: {") else line for line in lines])


def _renewed(payload: bytes, created: int) -> bytes:
    if not any(mark in payload for mark in _MARKS):
        return payload
    fields = _OBJECT.decode(payload)
    _renew(fields, created)
    for name in _INNER:
        inner = fields.get(name)
        if inner is not None and bytes(inner)[:1] == b"{":
            parts = _OBJECT.decode(inner)
            _renew(parts, created)
            fields[name] = Raw(_encode(parts))
    return _encode(fields)


def _renew(fields: dict[str, Raw], created: int) -> None:
    fields.pop(_ROUTER, None)
    for name in _TIMES:
        if name in fields and bytes(fields[name]) != b"null":
            fields[name] = Raw(b"%d" % created)
    if "usage" in fields:
        fields["usage"] = Raw(_encode(_zeroed(msgspec.json.decode(fields["usage"]))))


def _zeroed(value: Any) -> Any:
    """The same with 0 for every number."""
    if isinstance(value, dict):
        return {name: _zeroed(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_zeroed(inner) for inner in value]
    return 0 if isinstance(value, int | float) and not isinstance(value, bool) else value
