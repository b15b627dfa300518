"""Tool names and call ids within an upstream's alphabet and length, the same in each request, and back again (adapters 2.4, class 19)."""

import hashlib
import re
from collections.abc import Iterable

HASH_LENGTH = 8


class Names:
    """A one-to-one map between the caller's tool names and those an upstream accepts.

    Names that fit stay as they are. `allowed` is a character class without brackets (`A-Za-z0-9_-`), `limit` a length in characters.
    """

    def __init__(self, names: Iterable[str], *, allowed: str, limit: int) -> None:
        self._wire: dict[str, str] = {}
        self._original: dict[str, str] = {}
        wanted = tuple(dict.fromkeys(names))
        for name in wanted:
            fitted = fit(name, allowed=allowed, limit=limit)
            if fitted == name:
                self._note(name, name)
        for name in wanted:
            fitted = fit(name, allowed=allowed, limit=limit)
            if fitted != name:
                self._note(name, fitted if fitted not in self._original else _marked(name, fitted, limit))

    def wire(self, name: str) -> str:
        """The upstream's name of a tool; an unknown one as it is."""
        return self._wire.get(name, name)

    def original(self, name: str) -> str:
        """The caller's name of a tool; one that was never sent, as it is."""
        return self._original.get(name, name)

    def _note(self, name: str, wire: str) -> None:
        self._wire[name] = wire
        self._original[wire] = name


def fit(text: str, *, allowed: str, limit: int) -> str:
    """A name or an id within an alphabet and a length; one that must be changed gets a mark of its whole text, so that two differ still."""
    if 0 < len(text) <= limit and re.fullmatch(f"[{allowed}]+", text):
        return text
    return _marked(text, re.sub(f"[^{allowed}]", "_", text), limit)


def _marked(text: str, fitted: str, limit: int) -> str:
    mark = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:HASH_LENGTH]
    return f"{fitted[: limit - HASH_LENGTH - 1]}_{mark}"
