"""Everything that can go wrong upstream, as a table: the name of a fault, what it shows, and how it bends the reply or its bytes.

A fault acts in one or both of two places: on the `Reply` (parts, status, headers) before it is laid out, and on the steps after. For
people with curl, a model named `fault/<kind>` asks for a fault, with fields as a query: `fault/status?status=429&retry_after=2`,
`fault/cut?after=300&reset=true`.
"""

import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct, structs

from trunkline.errors import ConfigError
from trunkline.mock import refusals
from trunkline.mock.reply import Part, PartKind, Reply, json_reply
from trunkline.mock.script import Fault
from trunkline.mock.wire import LAST_CHUNK, End, Send, Step, Wait, chunk, cut

Bend = Callable[[Reply, Fault], Reply]
Break = Callable[[Iterable[Step], Fault], Iterable[Step]]

_GARBAGE = bytes(range(0x80, 0x100)) * 2 + b"\r\n\r\n"
_SETTLE_S = 0.02


class FaultKind(Struct, frozen=True, kw_only=True):
    """One row of the table."""

    summary: str
    bend: Bend = lambda reply, _fault: reply
    damage: Break = lambda steps, _fault: steps


def _ending(fault: Fault) -> Iterator[Step]:
    """The end of a connection. Before a reset the peer gets a moment to read what it was sent."""
    if fault.reset:
        yield Wait(_SETTLE_S)
    yield End("rst" if fault.reset else "fin")


def _status(reply: Reply, fault: Fault) -> Reply:
    message = fault.message or f"The mock refuses with {fault.status}."
    body = fault.body.encode() or refusals.body(refusals.Refusal(status=fault.status, code=fault.code, message=message), fault.shape)
    headers = (("retry-after", str(fault.retry_after)),) if fault.retry_after else ()
    return json_reply(body, status=fault.status, headers=headers)


def _ok_error(reply: Reply, fault: Fault) -> Reply:
    return structs.replace(_status(reply, fault), status=200)


def _html(reply: Reply, fault: Fault) -> Reply:
    body = fault.body.encode() or refusals.HTML
    return Reply(parts=(Part("body", body),), status=fault.status, headers=(("content-type", "text/html; charset=utf-8"),))


def _empty(reply: Reply, fault: Fault) -> Reply:
    return structs.replace(reply, parts=())


def _without(*kinds: PartKind) -> Bend:
    def bend(reply: Reply, _fault: Fault) -> Reply:
        return structs.replace(reply, parts=tuple(part for part in reply.parts if part.kind not in kinds))

    return bend


def _opening(reply: Reply, fault: Fault) -> tuple[Part, ...]:
    """The parts up to and with the given number of content events."""
    content = [at for at, part in enumerate(reply.parts) if part.kind == "content"]
    border = content[fault.events - 1] + 1 if 0 < fault.events <= len(content) else len(reply.parts) if content and fault.events else 1
    return reply.parts[:border]


def _truncate(reply: Reply, fault: Fault) -> Reply:
    return structs.replace(reply, parts=_opening(reply, fault)) if reply.stream else reply


def _insert(reply: Reply, fault: Fault, part: Part, *, go_on: bool) -> Reply:
    opening = _opening(reply, fault)
    return structs.replace(reply, parts=(*opening, part, *(reply.parts[len(opening) :] if go_on else ())))


def _error_event(reply: Reply, fault: Fault) -> Reply:
    message = fault.message or "The mock gave up in mid-stream."
    body = fault.body.encode() or refusals.body(refusals.Refusal(status=fault.status, code=fault.code, message=message), fault.shape)
    return _insert(reply, fault, Part("error", b"data: " + body + b"\n\n"), go_on=False)


def _garbage_event(reply: Reply, fault: Fault) -> Reply:
    return _insert(reply, fault, Part("error", b"data: " + (fault.body.encode() or b'{"choices": [{') + b"\n\n"), go_on=True)


def _huge_event(reply: Reply, fault: Fault) -> Reply:
    delta = {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": "x" * fault.size}, "finish_reason": None}]}
    return _insert(reply, fault, Part("content", b"data: " + msgspec.json.encode(delta) + b"\n\n"), go_on=True)


def _huge_head(reply: Reply, fault: Fault) -> Reply:
    return structs.replace(reply, headers=(*reply.headers, ("x-mock-padding", "x" * fault.size)))


def _slow_first(reply: Reply, fault: Fault) -> Reply:
    first = next((at for at, part in enumerate(reply.parts) if part.kind in ("content", "body")), 0)
    late = tuple(structs.replace(part, wait=fault.seconds) if at == first else part for at, part in enumerate(reply.parts))
    return structs.replace(reply, parts=late)


def _encoded(reply: Reply, fault: Fault) -> Reply:
    packer = zlib.compressobj(wbits=31 if fault.encoding == "gzip" else 15)
    parts = [structs.replace(part, data=packer.compress(part.data) + packer.flush(zlib.Z_SYNC_FLUSH)) for part in reply.parts]
    parts.append(Part("comment", packer.flush()))
    return structs.replace(reply, parts=tuple(parts), headers=(*reply.headers, ("content-encoding", fault.encoding)))


def _crlf(reply: Reply, _fault: Fault) -> Reply:
    return structs.replace(reply, parts=tuple(structs.replace(part, data=part.data.replace(b"\n", b"\r\n")) for part in reply.parts))


def _no_blank_line(reply: Reply, _fault: Fault) -> Reply:
    *start, last = reply.parts
    return structs.replace(reply, parts=(*start, structs.replace(last, data=last.data.rstrip(b"\n"))))


def _framed(*, stream: bool) -> Bend:
    return lambda reply, _fault: structs.replace(reply, stream=stream)


def _hang(_steps: Iterable[Step], _fault: Fault) -> Iterator[Step]:
    yield End("hang")


def _stop(how: Callable[[Fault], Iterable[Step]]) -> Break:
    """Sends what there is, without the chunk that would end the body, then ends in the given way."""

    def damage(steps: Iterable[Step], fault: Fault) -> Iterator[Step]:
        for step in steps:
            if isinstance(step, Send):
                yield Send(step.data.removesuffix(LAST_CHUNK))
            elif isinstance(step, Wait):
                yield step
        yield from how(fault)

    return damage


def _slow_head(steps: Iterable[Step], fault: Fault) -> Iterator[Step]:
    yield Wait(fault.seconds)
    yield from steps


def _slow_bytes(steps: Iterable[Step], fault: Fault) -> Iterator[Step]:
    for step in steps:
        if not isinstance(step, Send):
            yield step
            continue
        for piece in cut(step.data, (fault.size,)):
            yield Send(piece)
            yield Wait(fault.interval_ms / 1000)


def _cut(steps: Iterable[Step], fault: Fault) -> Iterator[Step]:
    left = fault.after
    for step in steps:
        if isinstance(step, Send):
            if left <= len(step.data):
                yield Send(step.data[:left])
                break
            left -= len(step.data)
            yield step
        elif isinstance(step, Wait):
            yield step
    yield from _ending(fault)


def _garbage(_steps: Iterable[Step], fault: Fault) -> Iterator[Step]:
    yield Send(fault.body.encode() or _GARBAGE)
    yield from _ending(fault)


def _heartbeats(steps: Iterable[Step], fault: Fault) -> Iterator[Step]:
    """The head, then comments for `seconds`, then the end of the body; never an event."""
    top = next(step.data for step in steps if isinstance(step, Send))
    yield Send(top[: top.index(b"\r\n\r\n") + 4])
    for number in count():
        if number * fault.interval_ms / 1000 >= fault.seconds:
            break
        yield Send(chunk(b": mock is thinking\n\n"))
        yield Wait(fault.interval_ms / 1000)
    yield Send(LAST_CHUNK)
    yield End("fin")


def _refuse(_steps: Iterable[Step], fault: Fault) -> Iterator[Step]:
    yield End("rst", refuse_s=fault.seconds)


def _reset(_steps: Iterable[Step], _fault: Fault) -> Iterator[Step]:
    yield End("rst")


def _in_head(pattern: bytes, replacement: Callable[[Fault], Callable[[re.Match[bytes]], bytes]]) -> Break:
    """Rewrites one header in the first bytes sent, and closes the connection at the end."""

    def damage(steps: Iterable[Step], fault: Fault) -> Iterator[Step]:
        done = False
        for step in steps:
            if isinstance(step, Send) and not done:
                yield Send(re.sub(pattern, replacement(fault), step.data, count=1))
                done = True
            elif not isinstance(step, End):
                yield step
        yield from _ending(fault)

    return damage


def _hung(_fault: Fault) -> Iterator[Step]:
    yield End("hang")


def _broken_chunk(fault: Fault) -> Iterator[Step]:
    yield Send(b"zz\r\nmock\r\n")
    yield from _ending(fault)


FAULTS: Mapping[str, FaultKind] = {
    "status": FaultKind(summary="An error `status` in the body `shape` of a vendor, with `retry_after`.", bend=_status),
    "ok_error": FaultKind(summary="Status 200 with an error body.", bend=_ok_error),
    "html": FaultKind(summary="An HTML page of a proxy with `status`.", bend=_html),
    "empty": FaultKind(summary="A proper head and an empty body.", bend=_empty),
    "error_event": FaultKind(summary="After `events` content events an error event, then the end of the body.", bend=_error_event),
    "garbage_event": FaultKind(summary="After `events` content events one whose JSON is broken; the stream goes on.", bend=_garbage_event),
    "huge_event": FaultKind(summary="A content event of `size` bytes.", bend=_huge_event),
    "huge_head": FaultKind(summary="A response header of `size` bytes.", bend=_huge_head),
    "no_done": FaultKind(summary="No `[DONE]` after a real finish.", bend=_without("done")),
    "no_finish": FaultKind(
        summary="The body ends properly without finish reason, usage or `[DONE]`.", bend=_without("finish", "usage", "done")
    ),
    "no_blank_line": FaultKind(summary="The last event lacks its blank line.", bend=_no_blank_line),
    "crlf": FaultKind(summary="Events are separated by CRLF CRLF.", bend=_crlf),
    "encoded": FaultKind(summary="The body is compressed with `encoding`, asked for or not.", bend=_encoded),
    "slow_head": FaultKind(summary="Nothing for `seconds`, then the whole answer.", damage=_slow_head),
    "slow_first": FaultKind(summary="Head and role chunk at once, the first content after `seconds`.", bend=_slow_first),
    "slow_bytes": FaultKind(summary="`size` bytes every `interval_ms`.", damage=_slow_bytes),
    "hang": FaultKind(summary="Takes the request and never answers.", damage=_hang),
    "heartbeats": FaultKind(
        summary="Comments every `interval_ms` for `seconds` and never an event.", bend=_framed(stream=True), damage=_heartbeats
    ),
    "role_only": FaultKind(
        summary="The role chunk, then silence.",
        bend=lambda reply, fault: _truncate(reply, structs.replace(fault, events=0)),
        damage=_stop(_hung),
    ),
    "stall": FaultKind(summary="`events` content events, then silence.", bend=_truncate, damage=_stop(_hung)),
    "drop": FaultKind(
        summary="`events` content events, then the connection ends (RST with `reset`).", bend=_truncate, damage=_stop(_ending)
    ),
    "cut": FaultKind(summary="The connection ends `after` that many bytes of the response (RST with `reset`).", damage=_cut),
    "garbage": FaultKind(summary="Bytes that are not HTTP.", damage=_garbage),
    "bad_chunk": FaultKind(
        summary="A chunk whose size is no number at the end of the body.", bend=_framed(stream=True), damage=_stop(_broken_chunk)
    ),
    "wrong_length": FaultKind(
        summary="Content-Length promises `size` bytes more than come (less if negative), then the end.",
        bend=_framed(stream=False),
        damage=_in_head(rb"(?<=content-length: )(\d+)", lambda fault: lambda found: b"%d" % max(0, int(found[1]) + fault.size)),
    ),
    "until_close": FaultKind(
        summary="Neither length nor chunks: the body ends with the connection.",
        bend=_framed(stream=False),
        damage=_in_head(rb"content-length: \d+\r\nconnection: [a-z-]+\r\n", lambda _fault: lambda _found: b"connection: close\r\n"),
    ),
    "reset": FaultKind(summary="RST in place of an answer.", damage=_reset),
    "refuse": FaultKind(summary="RST, and no connection is accepted for `seconds`.", damage=_refuse),
}
"""Every fault by its name."""


def find(kind: str) -> FaultKind:
    """The row of a fault. Raises ConfigError listing the names there are."""
    try:
        return FAULTS[kind]
    except KeyError:
        raise ConfigError("fault", f"{kind!r} is no fault", "one of " + ", ".join(FAULTS)) from None


def of_model(model: str) -> Fault | None:
    """The fault that a model's name asks for (`fault/<kind>?field=value`), None for any other name. Raises ConfigError."""
    _, found, name = f"/{model}".partition("/fault/")
    if not found:
        return None
    kind, _, query = name.partition("?")
    find(kind)
    try:
        return msgspec.convert({"kind": kind, **dict(parse_qsl(query))}, Fault, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(f"model {model}", str(error), "fields of a fault, as in fault/status?status=429") from None
