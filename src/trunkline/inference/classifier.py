"""Asks what kind of task a prompt is, within a budget: the local embedding model where it answers in time, else rules.

The embedding is asked for in the background, so that one that comes late is not wasted: the next turn of the conversation finds it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable, Sequence
from importlib.resources import files
from typing import Final

from trunkline import routing
from trunkline.errors import TrunklineError
from trunkline.inference.remembered import Remembered
from trunkline.routing.routers.tasks import Centroids, Rules, read_centroids, read_tasks
from trunkline.transport.tasks import spawn

BUDGET_SECONDS: Final = 0.005
REMEMBERED_SECONDS: Final = 600.0
MOST_CONVERSATIONS: Final = 10_000
MOST_CHARACTERS: Final = 400
"""Of a prompt: the embedding of more takes longer than the budget."""
_MOST_AT_ONCE: Final = 2
"""Embeddings under way; the model works on one after the other, so that a third would come too late."""

Embed = Callable[[str], Awaitable[Sequence[float]]]


class Classifier:
    """One for each worker. `embed` gives the vector of a text and raises TrunklineError when it cannot; None = there is no such model."""

    def __init__(self, embed: Embed | None, *, budget: float = BUDGET_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._embed = embed
        self._budget = budget
        self._rules, self._centroids = load()
        self._tasks: Remembered[str] = Remembered(MOST_CONVERSATIONS, REMEMBERED_SECONDS, clock)
        self._under_way = 0

    async def task(self, conversation: Hashable, text: str) -> str:
        """The kind of task; a conversation keeps the one that it was given first, unless by rules."""
        known = self._tasks.get(conversation)
        if known:
            return known
        text = text[:MOST_CHARACTERS]
        if self._embed is not None and self._under_way < _MOST_AT_ONCE:
            self._under_way += 1
            asked = spawn(self._ask(self._embed, conversation, text), name="task-embedding")
            await asyncio.wait((asked,), timeout=self._budget)
        found = self._tasks.get(conversation)
        return found if found else await asyncio.to_thread(self._rules.task, text)

    def ruled(self, text: str) -> str:
        """The kind of task by rules alone: for who does not hurry, and wants nothing of the local model."""
        return self._rules.task(text[:MOST_CHARACTERS])

    async def _ask(self, embed: Embed, conversation: Hashable, text: str) -> None:
        try:
            self._tasks.put(conversation, self._centroids.task(await embed(text)))
        except TrunklineError:
            return  # the rules have answered
        finally:
            self._under_way -= 1


def load() -> tuple[Rules, Centroids]:
    """What the package knows of kinds of tasks."""
    data = files(routing).joinpath("routers", "data")
    tasks = read_tasks(data.joinpath("tasks.toml").read_bytes())
    return Rules(tasks), read_centroids(data.joinpath("centroids.toml").read_bytes())
