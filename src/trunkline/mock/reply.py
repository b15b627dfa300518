"""What travels from `writing` through `faults` to `wire`: a reply made of parts, before it is laid out as bytes on a socket.

A part's kind says what it is to a fault. `role`: what opens an answer; `open` and `close`: borders of a block, without content; `content`:
something said; `finish`: why it ended; `usage`; `done`: the end marker of the dialect; `comment`: nothing, as pings.
"""

from collections.abc import Callable
from typing import Literal

from msgspec import Struct

PartKind = Literal["body", "role", "open", "content", "close", "finish", "usage", "done", "error", "comment"]


class Part(Struct, frozen=True):
    """A piece of a body: a whole JSON reply, or one event with its blank line. `wait` = seconds before it leaves."""

    kind: PartKind
    data: bytes
    wait: float = 0.0


class Refusal(Struct, frozen=True, kw_only=True):
    """What an error says, before it has a shape. `param`: the field that it is about."""

    status: int
    code: str = ""
    message: str = ""
    param: str = ""


class Manner(Struct, frozen=True, kw_only=True):
    """How a dialect looks to a fault: the `shape` of its refusals (a name of `refusals.SHAPES`); `frame` makes an event of a payload,
    `failure` the events of a failure in mid-stream, `filler` the payload of an event that says a text. `heartbeat`: an event without
    content."""

    shape: str
    frame: Callable[[bytes], bytes]
    failure: Callable[[Refusal], bytes]
    filler: Callable[[str], object]
    heartbeat: bytes = b": mock is thinking\n\n"


class Reply(Struct, frozen=True, kw_only=True):
    """A reply. With `stream` the body is chunked, one HTTP chunk for each part or burst; else it has a Content-Length."""

    parts: tuple[Part, ...]
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    stream: bool = False


def json_reply(body: bytes, *, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    """A JSON reply in one piece."""
    return Reply(parts=(Part("body", body),), status=status, headers=(("content-type", "application/json"), *headers))
