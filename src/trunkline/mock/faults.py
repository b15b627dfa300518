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
from trunkline.mock.reply import Manner, Part, PartKind, Refusal, Reply
from trunkline.mock.script import Fault
from trunkline.mock.wire import LAST_CHUNK, End, Send, Step, Wait, chunk, cut

Bend = Callable[[Reply, Fault, Manner], Reply]
Break = Callable[[Iterable[Step], Fault, Manner], Iterable[Step]]

_GARBAGE = bytes(range(0x80, 0x100)) * 2 + b"\r\n\r\n"
_SETTLE_S = 0.02


class FaultKind(Struct, frozen=True, kw_only=True):
    """One row of the table."""

    summary: str
    bend: Bend = lambda reply, _fault, _manner: reply
    damage: Break = lambda steps, _fault, _manner: steps


def _ending(fault: Fault) -> Iterator[Step]:
    """The end of a connection. Before a reset the peer gets a moment to read what it was sent."""
    if fault.reset:
        yield Wait(_SETTLE_S)
    yield End("rst" if fault.reset else "fin")


def _refusal(fault: Fault, message: str) -> Refusal:
    return Refusal(status=fault.status, code=fault.code, message=fault.message or message)


def _status(_reply: Reply, fault: Fault, manner: Manner) -> Reply:
    headers = (("retry-after", str(fault.retry_after)),) if fault.retry_after else ()
    refusal = _refusal(fault, f"The mock refuses with {fault.status}.")
    told = refusals.reply(refusal, fault.shape or manner.shape, headers=(*headers, *fault.headers.items()))
    return structs.replace(told, parts=(Part("body", fault.body.encode()),)) if fault.body else told


def _ok_error(reply: Reply, fault: Fault, manner: Manner) -> Reply:
    return structs.replace(_status(reply, fault, manner), status=200)


def _html(_reply: Reply, fault: Fault, _manner: Manner) -> Reply:
    body = fault.body.encode() or refusals.HTML
    return Reply(parts=(Part("body", body),), status=fault.status, headers=(("content-type", "text/html; charset=utf-8"),))


def _empty(reply: Reply, _fault: Fault, _manner: Manner) -> Reply:
    return structs.replace(reply, parts=())


def _without(*kinds: PartKind) -> Bend:
    def bend(reply: Reply, _fault: Fault, _manner: Manner) -> Reply:
        return structs.replace(reply, parts=tuple(part for part in reply.parts if part.kind not in kinds))

    return bend


def _opening(reply: Reply, fault: Fault) -> tuple[Part, ...]:
    """The parts up to and with the given number of content events."""
    content = [at for at, part in enumerate(reply.parts) if part.kind == "content"]
    border = content[fault.events - 1] + 1 if 0 < fault.events <= len(content) else len(reply.parts) if content and fault.events else 1
    return reply.parts[:border]


def _truncate(reply: Reply, fault: Fault, _manner: Manner) -> Reply:
    return structs.replace(reply, parts=_opening(reply, fault)) if reply.stream else reply


def _insert(reply: Reply, fault: Fault, part: Part, *, go_on: bool) -> Reply:
    opening = _opening(reply, fault)
    return structs.replace(reply, parts=(*opening, part, *(reply.parts[len(opening) :] if go_on else ())))


def _error_event(reply: Reply, fault: Fault, manner: Manner) -> Reply:
    refusal = _refusal(fault, "The mock gave up in mid-stream.")
    if fault.body or fault.shape:
        data = manner.frame(fault.body.encode() or refusals.body(refusal, fault.shape))
    else:
        data = manner.failure(refusal)
    return _insert(reply, fault, Part("error", data), go_on=False)


def _garbage_event(reply: Reply, fault: Fault, manner: Manner) -> Reply:
    return _insert(reply, fault, Part("error", manner.frame(fault.body.encode() or b'{"choices": [{')), go_on=True)


def _huge_event(reply: Reply, fault: Fault, manner: Manner) -> Reply:
    payload = msgspec.json.encode(manner.filler("x" * fault.size))
    return _insert(reply, fault, Part("content", manner.frame(payload)), go_on=True)


def _repeated_event(reply: Reply, fault: Fault, _manner: Manner) -> Reply:
    return _insert(reply, fault, _opening(reply, fault)[-1], go_on=True) if reply.stream else reply


def _corrupt_event(reply: Reply, fault: Fault, _manner: Manner) -> Reply:
    """Flips the last bit that counts: of a checksum in a binary frame, of the payload's closing brace elsewhere."""
    at = len(_opening(reply, fault)) - 1
    data = reply.parts[at].data
    last = len(data.rstrip(b"\r\n")) - 1 if data.startswith((b"data:", b"event:", b"{", b"[")) else len(data) - 1
    broken = structs.replace(reply.parts[at], data=data[:last] + bytes((data[last] ^ 1,)) + data[last + 1 :])
    return structs.replace(reply, parts=(*reply.parts[:at], broken, *reply.parts[at + 1 :]))


def _huge_head(reply: Reply, fault: Fault, _manner: Manner) -> Reply:
    return structs.replace(reply, headers=(*reply.headers, ("x-mock-padding", "x" * fault.size)))


def _slow_first(reply: Reply, fault: Fault, _manner: Manner) -> Reply:
    first = next((at for at, part in enumerate(reply.parts) if part.kind in ("content", "body")), 0)
    late = tuple(structs.replace(part, wait=fault.seconds) if at == first else part for at, part in enumerate(reply.parts))
    return structs.replace(reply, parts=late)


def _encoded(reply: Reply, fault: Fault, _manner: Manner) -> Reply:
    packer = zlib.compressobj(wbits=31 if fault.encoding == "gzip" else 15)
    parts = [structs.replace(part, data=packer.compress(part.data) + packer.flush(zlib.Z_SYNC_FLUSH)) for part in reply.parts]
    parts.append(Part("comment", packer.flush()))
    return structs.replace(reply, parts=tuple(parts), headers=(*reply.headers, ("content-encoding", fault.encoding)))


def _crlf(reply: Reply, _fault: Fault, _manner: Manner) -> Reply:
    """Every line end of a text as CRLF; of a vendor who sends those anyway, as LF."""

    def swapped(data: bytes) -> bytes:
        return data.replace(b"\r\n", b"\n") if b"\r\n" in data else data.replace(b"\n", b"\r\n")

    if dict(reply.headers).get("content-type", "").startswith("application/vnd"):
        return reply
    return structs.replace(reply, parts=tuple(structs.replace(part, data=swapped(part.data)) for part in reply.parts))


def _no_blank_line(reply: Reply, _fault: Fault, _manner: Manner) -> Reply:
    *start, last = reply.parts
    return structs.replace(reply, parts=(*start, structs.replace(last, data=last.data.rstrip(b"\r\n"))))


def _framed(*, stream: bool) -> Bend:
    return lambda reply, _fault, _manner: structs.replace(reply, stream=stream)


def _hang(_steps: Iterable[Step], _fault: Fault, _manner: Manner) -> Iterator[Step]:
    yield End("hang")


def _stop(how: Callable[[Fault], Iterable[Step]]) -> Break:
    """Sends what there is, without the chunk that would end the body, then ends in the given way."""

    def damage(steps: Iterable[Step], fault: Fault, _manner: Manner) -> Iterator[Step]:
        for step in steps:
            if isinstance(step, Send):
                yield Send(step.data.removesuffix(LAST_CHUNK))
            elif isinstance(step, Wait):
                yield step
        yield from how(fault)

    return damage


def _slow_head(steps: Iterable[Step], fault: Fault, _manner: Manner) -> Iterator[Step]:
    yield Wait(fault.seconds)
    yield from steps


def _slow_bytes(steps: Iterable[Step], fault: Fault, _manner: Manner) -> Iterator[Step]:
    for step in steps:
        if not isinstance(step, Send):
            yield step
            continue
        for piece in cut(step.data, (fault.size,)):
            yield Send(piece)
            yield Wait(fault.interval_ms / 1000)


def _cut(steps: Iterable[Step], fault: Fault, _manner: Manner) -> Iterator[Step]:
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


def _garbage(_steps: Iterable[Step], fault: Fault, _manner: Manner) -> Iterator[Step]:
    yield Send(fault.body.encode() or _GARBAGE)
    yield from _ending(fault)


def _heartbeats(steps: Iterable[Step], fault: Fault, manner: Manner) -> Iterator[Step]:
    """The head, then comments or pings for `seconds`, then the end of the body; never an event."""
    top = next(step.data for step in steps if isinstance(step, Send))
    yield Send(top[: top.index(b"\r\n\r\n") + 4])
    for number in count():
        if number * fault.interval_ms / 1000 >= fault.seconds:
            break
        yield Send(chunk(manner.heartbeat))
        yield Wait(fault.interval_ms / 1000)
    yield Send(LAST_CHUNK)
    yield End("fin")


def _refuse(_steps: Iterable[Step], fault: Fault, _manner: Manner) -> Iterator[Step]:
    yield End("rst", refuse_s=fault.seconds)


def _reset(_steps: Iterable[Step], _fault: Fault, _manner: Manner) -> Iterator[Step]:
    yield End("rst")


def _in_head(pattern: bytes, replacement: Callable[[Fault], Callable[[re.Match[bytes]], bytes]]) -> Break:
    """Rewrites one header in the first bytes sent, and closes the connection at the end."""

    def damage(steps: Iterable[Step], fault: Fault, _manner: Manner) -> Iterator[Step]:
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
    "repeated_event": FaultKind(summary="The last of `events` content events comes twice.", bend=_repeated_event),
    "corrupt_event": FaultKind(
        summary="A wrong bit in the last of `events` content events: its CRC where it has one, else its JSON.", bend=_corrupt_event
    ),
    "no_start": FaultKind(summary="Content without the event that opens the answer.", bend=_without("role")),
    "no_borders": FaultKind(summary="Content blocks that are neither opened nor closed.", bend=_without("open", "close")),
    "no_usage": FaultKind(summary="No event with the usage.", bend=_without("usage")),
    "huge_head": FaultKind(summary="A response header of `size` bytes.", bend=_huge_head),
    "no_done": FaultKind(
        summary="No end marker (`[DONE]`, `message_stop`, `response.completed`) after a real finish.", bend=_without("done")
    ),
    "no_finish": FaultKind(
        summary="The body ends properly without finish reason, usage or end marker.", bend=_without("finish", "usage", "done")
    ),
    "no_blank_line": FaultKind(summary="The last event lacks its blank line.", bend=_no_blank_line),
    "crlf": FaultKind(summary="Events are separated by CRLF CRLF.", bend=_crlf),
    "encoded": FaultKind(summary="The body is compressed with `encoding`, asked for or not.", bend=_encoded),
    "slow_head": FaultKind(summary="Nothing for `seconds`, then the whole answer.", damage=_slow_head),
    "slow_first": FaultKind(summary="Head and role chunk at once, the first content after `seconds`.", bend=_slow_first),
    "slow_bytes": FaultKind(summary="`size` bytes every `interval_ms`.", damage=_slow_bytes),
    "hang": FaultKind(summary="Takes the request and never answers.", damage=_hang),
    "heartbeats": FaultKind(
        summary="Comments or pings every `interval_ms` for `seconds` and never content.", bend=_framed(stream=True), damage=_heartbeats
    ),
    "role_only": FaultKind(
        summary="The role chunk, then silence.",
        bend=lambda reply, fault, manner: _truncate(reply, structs.replace(fault, events=0), manner),
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
