import asyncio
from collections.abc import Sequence
from importlib.resources import files

import pytest

from trunkline import routing
from trunkline.errors import ConnectFailed
from trunkline.inference.classifier import Classifier, load
from trunkline.routing.routers.tasks import read_tasks

MATH = "Solve the equation 3x + 7 = 22 and show the steps."
VECTOR = [0.05] * 384
NEAREST = load()[1].task(VECTOR)


class Model:
    """Stands for the embedding model: gives a vector when it may, or fails."""

    def __init__(self, *, error: ConnectFailed | None = None) -> None:
        self.may = asyncio.Event()
        self.asked: list[str] = []
        self._error = error

    async def __call__(self, text: str) -> Sequence[float]:
        self.asked.append(text)
        await self.may.wait()
        if self._error is not None:
            raise self._error
        return VECTOR


def test_rules_answer_where_there_is_no_model() -> None:
    assert asyncio.run(Classifier(None).task("talk", MATH)) == "general:math"


def test_the_model_answers_in_time() -> None:
    async def run() -> None:
        model = Model()
        model.may.set()
        classifier = Classifier(model, budget=60)
        assert await classifier.task("talk", "x" * 1000) == NEAREST
        assert await classifier.task("talk", MATH) == NEAREST
        assert model.asked == ["x" * 400]

    asyncio.run(run())


def test_rules_answer_when_the_model_is_late_and_the_next_turn_has_its_answer() -> None:
    async def run() -> None:
        model = Model()
        classifier = Classifier(model, budget=0.001)
        assert await classifier.task("talk", MATH) == "general:math"
        model.may.set()
        async with asyncio.timeout(60):
            while await classifier.task("talk", MATH) != NEAREST:
                await asyncio.sleep(0.001)

    asyncio.run(run())


def test_a_busy_model_is_not_asked() -> None:
    async def run() -> None:
        model = Model()
        classifier = Classifier(model, budget=0.001)
        for turn in range(5):
            assert await classifier.task(turn, MATH) == "general:math"
        assert len(model.asked) == 2
        model.may.set()

    asyncio.run(run())


def test_a_model_that_fails_is_no_harm() -> None:
    async def run() -> None:
        model = Model(error=ConnectFailed("no"))
        model.may.set()
        classifier = Classifier(model, budget=60)
        for turn in range(5):
            assert await classifier.task(turn, MATH) == "general:math"

    asyncio.run(run())


@pytest.mark.parametrize("place", range(3))
def test_every_kind_of_task_is_known_from_its_own_examples(place: int) -> None:
    rules, _ = load()
    tasks = read_tasks(files(routing).joinpath("routers", "data", "tasks.toml").read_bytes())
    assert sum(rules.task(task.examples[place]) == task.name for task in tasks) >= len(tasks) - 2


def test_rules_alone_are_there_for_who_wants_them() -> None:
    model = Model()
    assert Classifier(model).ruled(MATH + " padding" * 1000) == "general:math"
    assert model.asked == []
