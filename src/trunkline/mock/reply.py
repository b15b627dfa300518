"""What travels from `answers` through `faults` to `wire`: a reply made of parts, before it is laid out as bytes on a socket."""

from typing import Literal

from msgspec import Struct

PartKind = Literal["body", "role", "content", "finish", "usage", "done", "error", "comment"]


class Part(Struct, frozen=True):
    """A piece of a body: a whole JSON reply, or one SSE event with its blank line. `wait` = seconds before it leaves."""

    kind: PartKind
    data: bytes
    wait: float = 0.0


class Reply(Struct, frozen=True, kw_only=True):
    """A reply. With `stream` the body is chunked, one HTTP chunk for each part or burst; else it has a Content-Length."""

    parts: tuple[Part, ...]
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    stream: bool = False


def json_reply(body: bytes, *, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    """A JSON reply in one piece."""
    return Reply(parts=(Part("body", body),), status=status, headers=(("content-type", "application/json"), *headers))
