"""Where kept answers lie."""

from typing import Final, Protocol

from msgspec import Struct

from trunkline.plugins.shelf import Shelf
from trunkline.protocol.generation import GenerationRecord

MEMORY_BYTES: Final = 64 * 1024 * 1024
LARGEST_ANSWER: Final = 4 * 1024 * 1024
_OVERHEAD: Final = 2048
"""Bytes of an entry beside its body, roughly."""


class Kept(Struct, frozen=True):
    """One answer: its body as the client got it, without keep-alive comments, and the record of the generation that made it. `since` is
    Unix seconds, `seconds` how long it may be used."""

    body: bytes
    record: GenerationRecord
    since: float
    seconds: int

    def age(self, now: float) -> int:
        """Whole seconds since it was kept."""
        return max(int(now - self.since), 0)


class Answers(Protocol):
    """A store of answers by their key."""

    async def get(self, key: bytes) -> Kept | None:
        """What is kept; it may be too old."""

    async def put(self, key: bytes, kept: Kept) -> None:
        """Keep an answer, if there is room."""

    async def drop(self, key: bytes) -> None:
        """Forget an answer."""


class AnswersInMemory:
    """The answers of one worker, in bounded memory."""

    def __init__(self, *, bytes_limit: int = MEMORY_BYTES, largest: int = LARGEST_ANSWER) -> None:
        self._shelf: Shelf[Kept] = Shelf(bytes_limit=bytes_limit, largest=largest)

    async def get(self, key: bytes) -> Kept | None:
        """What is kept."""
        return self._shelf.get(key)

    async def put(self, key: bytes, kept: Kept) -> None:
        """Keep an answer."""
        self._shelf.put(key, kept, len(kept.body) + _OVERHEAD)

    async def drop(self, key: bytes) -> None:
        """Forget an answer."""
        self._shelf.drop(key)
