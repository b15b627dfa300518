"""What kind of task a prompt is (contract 3.7): by the nearest centroid of example sentences, or by rules where there is no embedding.

Both come out of one file of sentences of our own, `data/tasks.toml`: for each kind of task its `signs`, which are words and phrases that
only it has, and its `examples`. The rules count signs, and weigh the words of a text by how often they stand in the examples of a kind
(naive Bayes). `data/centroids.toml` holds the centroids of the examples as 8-bit vectors, made by `scripts/task_centroids.py`.
"""

import base64
import math
import re
import tomllib
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from msgspec import Struct

SIGN_WEIGHT: Final = 5.0
"""What a sign counts beside the logarithms of the words, and so the next: the best of those tried on held-out examples."""
_WORD: Final = re.compile(r"[a-zà-ÿ]{2,}|[$€%+=<>{}`]")
_STEADY: Final = 1.0
"""Added to the count of every word, so that one that is new to a kind does not rule it out."""


class Task(Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of task."""

    name: str
    signs: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    tasks: tuple[Task, ...]


class Rules:
    """Classifies by words alone."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._names = [task.name for task in tasks]
        self._signs = [re.compile(rf"(?<!\w)(?:{'|'.join(task.signs) or '(?!)'})(?!\w)", re.IGNORECASE) for task in tasks]
        counts = [Counter(word for example in task.examples for word in words(example)) for task in tasks]
        vocabulary = set().union(*counts)
        totals = [sum(count.values()) + _STEADY * len(vocabulary) for count in counts]
        self._weights = {
            word: [math.log((count[word] + _STEADY) / total) for count, total in zip(counts, totals, strict=True)] for word in vocabulary
        }

    def task(self, text: str) -> str:
        """The kind of task that the text most likely is."""
        scores = [SIGN_WEIGHT * len({found[0].lower() for found in signs.finditer(text)}) for signs in self._signs]
        for word in words(text):
            weights = self._weights.get(word)
            if weights is not None:
                scores = [score + weight for score, weight in zip(scores, weights, strict=True)]
        return self._names[scores.index(max(scores))]


class Centroids:
    """Classifies by the vector of a text."""

    def __init__(self, centroids: Mapping[str, Sequence[float]]) -> None:
        self._centroids = {name: _unit(vector) for name, vector in centroids.items()}

    def task(self, vector: Sequence[float]) -> str:
        """The kind of task whose examples are nearest, by the angle between."""
        return max(self._centroids, key=lambda name: sum(map(_product, self._centroids[name], vector)))


def words(text: str) -> set[str]:
    """The words of a text, and the signs of code and money in it."""
    return set(_WORD.findall(text.lower()))


def read_tasks(text: bytes) -> tuple[Task, ...]:
    """The kinds of task of a file. Raises ValueError for a wrong one."""
    return msgspec.convert(tomllib.loads(text.decode()), _File).tasks


def read_centroids(text: bytes) -> Centroids:
    """The centroids of a file. Raises ValueError for a wrong one."""
    packed = msgspec.convert(tomllib.loads(text.decode()), dict[str, dict[str, str]])["centroids"]
    return Centroids({name: array("b", base64.b64decode(vector)) for name, vector in packed.items()})


def pack_centroid(vectors: Sequence[Sequence[float]]) -> str:
    """The mean of vectors of unit length, as it is written in the file: 8 bits a number."""
    mean = [sum(column) / len(vectors) for column in zip(*vectors, strict=True)]
    most = max(map(abs, mean))
    return base64.b64encode(array("b", [round(127 * one / most) for one in mean])).decode()


def _unit(vector: Sequence[float]) -> list[float]:
    """The vector of length 1 that points the same way."""
    length = math.hypot(*vector) or 1.0
    return [one / length for one in vector]


def _product(one: float, other: float) -> float:
    return one * other
