"""Reasoning in answers: `reasoning_content`, `<think>` tags and chunks of type thinking become `reasoning` and `reasoning_details`
(contract 2.7)."""

from collections.abc import Sequence

OPENING = "<think>"
CLOSING = "</think>"


def details(text: str) -> list[object]:
    """`reasoning_details` for plain text of unknown origin."""
    return [{"type": "reasoning.text", "text": text, "format": "unknown", "index": 0}]


def split_parts(parts: Sequence[object]) -> tuple[str, str]:
    """Content that came as a list of chunks, as (text, reasoning). Chunks of other types carry no text and are left out."""
    texts: list[str] = []
    thoughts: list[str] = []
    for part in parts:
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, dict):
            thinking = part.get("thinking")
            text = part.get("text")
            if isinstance(thinking, list):
                thoughts.append(split_parts(thinking)[0])
            elif isinstance(thinking, str):
                thoughts.append(thinking)
            elif isinstance(text, str):
                texts.append(text)
    return "".join(texts), "".join(thoughts)


class ThinkSplitter:
    """Splits `<think>...</think>` blocks at the beginning of an answer from its text, however the tags are cut into pieces.

    Blocks may follow each other; once text has begun, a tag is text (code may quote it). Blanks around the blocks belong to the tags.
    """

    def __init__(self) -> None:
        self.settled = False
        self._thinking = False
        self._seen = False
        self._held = ""

    @property
    def holds_back(self) -> bool:
        return bool(self._held)

    def feed(self, piece: str) -> tuple[str, str]:
        """Take the next piece; returns what is certain now: (text, reasoning)."""
        if self.settled:
            return piece, ""
        self._held += piece
        thoughts = []
        while True:
            if self._thinking:
                before, closed, after = self._held.partition(CLOSING)
                if not closed:
                    kept = _overlap(before, CLOSING)
                    thoughts.append(before[: len(before) - kept])
                    self._held = before[len(before) - kept :]
                    return "", "".join(thoughts)
                thoughts.append(before)
                self._thinking, self._seen, self._held = False, True, after
            start = self._held.lstrip()
            if not start.startswith(OPENING):
                return self._settle(start), "".join(thoughts)
            self._thinking, self._held = True, start[len(OPENING) :]

    def close(self) -> tuple[str, str]:
        """What was still held back when the answer ended: (text, reasoning)."""
        held, self._held = self._held, ""
        if self._thinking:
            return "", held
        return ("" if self._seen and not held.strip() else held), ""

    def _settle(self, start: str) -> str:
        if OPENING.startswith(start):
            return ""
        text = start if self._seen else self._held
        self.settled, self._held = True, ""
        return text


def _overlap(text: str, tag: str) -> int:
    """The length of the longest end of `text` that begins `tag`."""
    return next((size for size in range(min(len(text), len(tag) - 1), 0, -1) if text.endswith(tag[:size])), 0)
