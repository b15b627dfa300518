"""A bounded memory of conversations, in which what is not used for a while is forgotten."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Remembered(Generic[T]):
    """Values by key. Each use keeps one for `seconds` more; of more than `most` the longest unused goes. `clock` gives seconds."""

    def __init__(self, most: int, seconds: float, clock: Callable[[], float]) -> None:
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._values: OrderedDict[Hashable, tuple[float, T]] = OrderedDict()

    def get(self, key: Hashable) -> T | None:
        """The value, None when it is not known or forgotten."""
        found = self._values.pop(key, None)
        if found is None or found[0] <= self._clock():
            return None
        self.put(key, found[1])
        return found[1]

    def put(self, key: Hashable, value: T) -> None:
        """Remember a value."""
        self._values[key] = (self._clock() + self._seconds, value)
        self._values.move_to_end(key)
        if len(self._values) > self._most:
            self._values.popitem(last=False)
