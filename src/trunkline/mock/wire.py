"""A reply laid out as steps for a socket: bytes to send, time to wait, and how it ends. HTTP/1.1 framing (RFC 9112)."""

from collections.abc import Iterable, Iterator
from itertools import cycle
from typing import Literal

from msgspec import Struct

from trunkline.mock.refusals import phrase
from trunkline.mock.reply import Reply
from trunkline.mock.script import Pace

Ending = Literal["keep", "fin", "rst", "hang"]


class Send(Struct, frozen=True):
    """Write these bytes with one call."""

    data: bytes


class Wait(Struct, frozen=True):
    """Let this many seconds pass, counted from when the step before was due (delays do not add up)."""

    seconds: float


class End(Struct, frozen=True):
    """The last step: keep the connection for the next request, close it (FIN), reset it (RST), or leave it open and silent.

    `refuse_s`: seconds for which no new connection is accepted at all afterwards.
    """

    how: Ending
    refuse_s: float = 0.0


Step = Send | Wait | End
LAST_CHUNK = b"0\r\n\r\n"


def head(reply: Reply, *, keep_alive: bool) -> bytes:
    """Status line and headers with the blank line."""
    lines = [f"HTTP/1.1 {reply.status} {phrase(reply.status)}", *(f"{name}: {value}" for name, value in reply.headers)]
    size = sum(len(part.data) for part in reply.parts)
    lines.append("transfer-encoding: chunked" if reply.stream else f"content-length: {size}")
    lines.append(f"connection: {'keep-alive' if keep_alive else 'close'}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def chunk(data: bytes) -> bytes:
    """One HTTP chunk; nothing for no data, since an empty chunk would end the body."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


def cut(data: bytes, sizes: Iterable[int]) -> Iterator[bytes]:
    """The bytes in pieces of the given sizes, taken in turn and from the start again."""
    at = 0
    for size in cycle(max(1, size) for size in sizes):
        if at >= len(data):
            return
        yield data[at : at + size]
        at += size


def _resized(body: bytes, pace: Pace) -> Iterator[Step]:
    for piece in cut(body, pace.sizes):
        yield Send(chunk(piece))


def _events(reply: Reply, pace: Pace) -> Iterator[Step]:
    """One HTTP chunk for each run of parts without a wait between them (`burst`), or for each part."""
    gathered = b""
    for part in reply.parts:
        if gathered and (part.wait or not pace.burst):
            yield Send(chunk(gathered))
            gathered = b""
        if part.wait:
            yield Wait(part.wait)
        gathered += part.data
    if gathered:
        yield Send(chunk(gathered))


def _joined(steps: Iterable[Step]) -> Iterator[Step]:
    """The same steps with neighbouring sends as one write."""
    held = b""
    for step in steps:
        if isinstance(step, Send):
            held += step.data
            continue
        if held:
            yield Send(held)
            held = b""
        yield step
    if held:
        yield Send(held)


def layout(reply: Reply, pace: Pace, *, keep_alive: bool = True) -> tuple[Step, ...]:
    """The steps of a whole response. With `pace.burst` what can leave at once leaves in one write, the head with it."""
    start: list[Step] = [Wait(pace.head_ms / 1000)] if pace.head_ms else []
    top = Send(head(reply, keep_alive=keep_alive))
    end = End("keep" if keep_alive else "fin")
    if not reply.stream:
        return (*start, Send(top.data + b"".join(part.data for part in reply.parts)), end)
    events = _resized(b"".join(part.data for part in reply.parts), pace) if pace.sizes else _events(reply, pace)
    steps: list[Step] = [*start, top, *events, Send(LAST_CHUNK)]
    return (*(_joined(steps) if pace.burst and not pace.sizes else steps), end)
