"""Patterns of model ids, `*` standing for any text (`anthropic/*`, `openai/gpt-5*`, `*/claude-*`). Case does not matter."""

from collections.abc import Iterable


class Patterns:
    """Compiled patterns. Matching takes time in proportion to the lengths, whatever the pattern."""

    def __init__(self, patterns: Iterable[str]) -> None:
        lowered = [pattern.lower() for pattern in patterns]
        self._exact = frozenset(pattern for pattern in lowered if "*" not in pattern)
        self._starts = tuple(pattern[:-1] for pattern in lowered if pattern.endswith("*") and "*" not in pattern[:-1])
        self._pieces = [pattern.split("*") for pattern in dict.fromkeys(lowered) if "*" in pattern[:-1]]

    def match(self, model_id: str) -> bool:
        """Whether one of the patterns names the model."""
        name = model_id.lower()
        return name in self._exact or name.startswith(self._starts) or any(_fits(pieces, name) for pieces in self._pieces)


def _fits(pieces: list[str], name: str) -> bool:
    """Whether the pieces between the stars follow each other in the name, the first at its start and the last at its end."""
    first, *middle, last = pieces
    if not name.startswith(first) or len(name) < len(first) + len(last) or not name.endswith(last):
        return False
    place, end = len(first), len(name) - len(last)
    for piece in middle:
        found = name.find(piece, place, end)
        if found < 0:
            return False
        place = found + len(piece)
    return True
