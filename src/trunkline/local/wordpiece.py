"""BERT's tokens of English text (Devlin et al., 2018; the normaliser, pre-tokeniser and model of a `tokenizer.json` of that family): lower
case without accents, words and punctuation apart, each word cut greedily into the longest known pieces.
"""

import unicodedata
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

START, END, UNKNOWN = "[CLS]", "[SEP]", "[UNK]"
LONGEST_WORD: Final = 100
"""Characters of a word; a longer one is unknown as a whole."""
_CONTROLS: Final = ("Cc", "Cf", "Co")
_IDEOGRAPHS: Final = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B920, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)
"""Each of these stands alone."""


class _Model(Struct):
    vocab: dict[str, int]


class _File(Struct):
    model: _Model


class WordPiece:
    """A tokenizer. `limit` is the most tokens of a text, those of its start and end included; what is beyond is cut off."""

    def __init__(self, vocabulary: dict[str, int], *, limit: int) -> None:
        self._vocabulary = vocabulary
        self._start, self._end, self._unknown = vocabulary[START], vocabulary[END], vocabulary[UNKNOWN]
        self._limit = limit

    @classmethod
    def load(cls, file: Path, *, limit: int) -> "WordPiece":
        """The tokenizer of a `tokenizer.json`."""
        return cls(msgspec.json.decode(file.read_bytes(), type=_File).model.vocab, limit=limit)

    def ids(self, text: str) -> list[int]:
        """The token ids of a text."""
        ids = [self._start]
        for word in _words(_normal(text)):
            ids += self._pieces(word)
            if len(ids) >= self._limit:
                break
        return [*ids[: self._limit - 1], self._end]

    def _pieces(self, word: str) -> list[int]:
        if len(word) > LONGEST_WORD:
            return [self._unknown]
        pieces: list[int] = []
        start = 0
        while start < len(word):
            prefix = "##" if start else ""
            ends = range(len(word), start, -1)
            found = next(((end, prefix + word[start:end]) for end in ends if prefix + word[start:end] in self._vocabulary), None)
            if found is None:
                return [self._unknown]
            start = found[0]
            pieces.append(self._vocabulary[found[1]])
        return pieces


def _normal(text: str) -> str:
    """Without control characters and accents, in lower case, ideographs between blanks."""
    cleaned = "".join([_cleaned(char) for char in text])
    bare = "".join([char for char in unicodedata.normalize("NFD", cleaned) if unicodedata.category(char) != "Mn"])
    return bare.lower()


def _cleaned(char: str) -> str:
    if char in "\t\n\r" or char.isspace():
        return " "
    if char == "\ufffd" or unicodedata.category(char) in _CONTROLS:
        return ""
    code = ord(char)
    return f" {char} " if code >= 0x3400 and any(low <= code <= high for low, high in _IDEOGRAPHS) else char


def _words(text: str) -> list[str]:
    """Runs between blanks, with each punctuation mark a word of its own."""
    return "".join([f" {char} " if _is_punctuation(char) else char for char in text]).split()


def _is_punctuation(char: str) -> bool:
    return ("!" <= char <= "~" and not char.isalnum()) or unicodedata.category(char)[0] == "P"
