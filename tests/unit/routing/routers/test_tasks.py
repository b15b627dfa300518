from collections.abc import Iterator
from importlib.resources import files
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline import routing
from trunkline.catalogue.vocabulary import Task as TaskName
from trunkline.routing.routers.tasks import Centroids, Rules, Task, pack_centroid, read_centroids, read_tasks

DATA = files(routing).joinpath("routers", "data")
TASKS = read_tasks(DATA.joinpath("tasks.toml").read_bytes())


def test_there_are_enough_kinds_and_examples() -> None:
    assert len(TASKS) >= 12
    assert tuple(task.name for task in TASKS) == get_args(TaskName)
    examples = [example for task in TASKS for example in task.examples]
    assert min(len(task.examples) for task in TASKS) >= 30
    assert len(set(examples)) == len(examples)


def test_rules_recognise_what_they_did_not_learn() -> None:
    """Each third is recognised by what was learned of the others (docs/routers.md has the figures)."""
    right = total = 0
    for rest in range(3):
        learned = [Task(one.name, one.signs, tuple(text for place, text in enumerate(one.examples) if place % 3 != rest)) for one in TASKS]
        rules = Rules(learned)
        held = [(one.name, text) for one in TASKS for place, text in enumerate(one.examples) if place % 3 == rest]
        right += sum(rules.task(text) == name for name, text in held)
        total += len(held)
    assert right / total > 0.6


@given(st.text(max_size=300))
def test_any_text_is_of_some_kind(text: str) -> None:
    assert RULES.task(text) in get_args(TaskName)


RULES = Rules(TASKS)


def test_the_nearest_centroid_is_found_by_its_angle() -> None:
    centroids = Centroids({"x": [100.0, 1.0], "y": [0.1, 0.9]})
    assert centroids.task([0.9, 0.2]) == "x"
    assert centroids.task([0.2, 0.9]) == "y"


def test_a_centroid_is_read_a_few_times_and_not_once_for_each_number() -> None:
    """The file has 14 centroids of 384 numbers, which are read at every start."""
    vector = Counted([1.0] * 384)
    assert Centroids({"x": vector}).task([1.0] * 384) == "x"
    assert vector.readings <= 3


class Counted(list[float]):
    readings = 0

    def __iter__(self) -> Iterator[float]:
        self.readings += 1
        return super().__iter__()


def test_centroids_are_kept_in_eight_bits() -> None:
    packed = {"x": pack_centroid([[1.0, 0.0], [0.8, 0.6]]), "y": pack_centroid([[0.0, -1.0]])}
    read = read_centroids("\n".join(["[centroids]", *(f'"{name}" = "{text}"' for name, text in packed.items())]).encode())
    assert read.task([1.0, 0.3]) == "x"
    assert read.task([0.1, -1.0]) == "y"


def test_the_file_has_a_centroid_of_each_kind() -> None:
    centroids = read_centroids(DATA.joinpath("centroids.toml").read_bytes())
    assert centroids.task([0.05] * 384) in get_args(TaskName)


@pytest.mark.parametrize("text", [b"tasks = 1", b"[[tasks]]\nexamples = []", b'[[tasks]]\nname = "x"\ncolour = 1', b"\xff"])
def test_a_wrong_file(text: bytes) -> None:
    with pytest.raises(ValueError):
        read_tasks(text)
