"""What the gateway and the child that reads PDFs tell each other.

A job is one line of JSON and then the file's bytes. The answer comes in frames, each a length of four bytes (big endian) and msgpack: the
text of all pages or the reason why there is none, and then, if the job asks for pictures, those.
"""

from typing import Final, Literal

import msgspec
from msgspec import Struct

Reason = Literal["damaged", "encrypted", "pages", "text", "bytes", "memory", "crashed", "time", "busy"]

MAX_BYTES: Final = 32 * 1024 * 1024
"""Bytes of one file."""
MAX_PAGES: Final = 1000
MAX_CHARACTERS: Final = 4_000_000
"""Characters of the text of one file: about a million tokens, more than any model takes."""
MAX_PICTURES: Final = 8
"""Pictures of one file and of one request (contract 2.10)."""
MAX_FRAME: Final = 64 * 1024 * 1024

REASONS: Final[dict[Reason, str]] = {
    "damaged": "it is damaged, or no PDF",
    "encrypted": "it is protected by a password",
    "pages": f"it has more than {MAX_PAGES} pages",
    "text": f"it has more than {MAX_CHARACTERS:,} characters",
    "bytes": f"it is larger than {MAX_BYTES >> 20} MiB",
    "memory": "reading it takes too much memory",
    "crashed": "the parser broke on it",
    "time": "reading it takes too long",
    "busy": "too many files wait to be read",
}
"""Why a file was not read, in words that follow its name."""


class Job(Struct, frozen=True):
    """One file to read: its `size` in bytes, and how many `pictures` of pages without text are wanted at most."""

    size: int
    pictures: int = 0


class Pages(Struct, frozen=True, tag="pages"):
    """The text of each page. `bare` are the numbers, from 1, of pages that show something but have no text."""

    texts: tuple[str, ...]
    bare: tuple[int, ...] = ()


class Picture(Struct, frozen=True):
    """What a page looks like: its number from 1, and a PNG."""

    page: int
    png: bytes


class Pictures(Struct, frozen=True, tag="pictures"):
    """The pictures that were asked for."""

    pictures: tuple[Picture, ...] = ()


class Refused(Struct, frozen=True, tag="refused"):
    """The file cannot be read."""

    reason: Reason


Answer = Pages | Pictures | Refused

_encode: Final = msgspec.msgpack.Encoder().encode
_ANSWERS: Final[msgspec.msgpack.Decoder[Answer]] = msgspec.msgpack.Decoder(Answer)


class Unreadable(Exception):
    """A file was not read; `reason` is a key of REASONS."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(REASONS[reason])
        self.reason: Reason = reason


def frame(answer: Answer) -> bytes:
    """An answer as the child writes it."""
    data = _encode(answer)
    return len(data).to_bytes(4, "big") + data


def read_frame(data: bytes) -> Answer:
    """The answer in a frame without its length. Raises msgspec.MsgspecError for anything else."""
    return _ANSWERS.decode(data)
