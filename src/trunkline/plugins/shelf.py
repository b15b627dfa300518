"""A bounded memory of things by key: what was not asked for longest goes first."""

from collections import OrderedDict
from typing import Generic, TypeVar

V = TypeVar("V")


class Shelf(Generic[V]):
    """Holds at most `bytes_limit` bytes, as its users count them, in at most `entries` things; one larger than `largest` is not kept."""

    def __init__(self, *, bytes_limit: int, largest: int, entries: int = 10_000) -> None:
        self._limit = bytes_limit
        self._largest = largest
        self._entries = entries
        self._held: OrderedDict[bytes, tuple[V, int]] = OrderedDict()
        self.size = 0

    def get(self, key: bytes) -> V | None:
        """What lies there, which is used now."""
        found = self._held.get(key)
        if found is None:
            return None
        self._held.move_to_end(key)
        return found[0]

    def put(self, key: bytes, value: V, size: int) -> bool:
        """Lay down something of `size` bytes in place of what was there. False when it is too large; then nothing is there."""
        self.drop(key)
        if size > self._largest:
            return False
        self._held[key] = (value, size)
        self.size += size
        while self.size > self._limit or len(self._held) > self._entries:
            _, (_, freed) = self._held.popitem(last=False)
            self.size -= freed
        return True

    def drop(self, key: bytes) -> None:
        """Take away what lies there, if anything."""
        found = self._held.pop(key, None)
        if found is not None:
            self.size -= found[1]
