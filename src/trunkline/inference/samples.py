"""What kinds of task callers ask of the models that they name: a sample, from which `openrouter/auto` learns what people would choose.

Of each worker's requests one in so many seconds is looked at, by rules, in a thread, while its answer is on the way. Only the kind of task
is kept, with the generation; nothing of the prompt is.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from trunkline.errors import ApiError
from trunkline.inference.call import Exchange
from trunkline.inference.prompt import read
from trunkline.transport.tasks import spawn

LARGEST_PROMPT: Final = 100_000
"""Bytes of text; to read a longer one would hold up other requests for milliseconds."""
_ASLEEP_SECONDS: Final = 60.0
"""How long a sampler that is switched off waits before it looks at its setting again."""


class Samples:
    """The sampler of one worker. `seconds` gives the pause between two looks, 0 = never look; `task` tells the kind of task of a text.

    `due` is when it looks again, in monotonic seconds: until then callers need not call `take`.
    """

    def __init__(self, seconds: Callable[[], float], task: Callable[[str], str]) -> None:
        self.due = 0.0
        self._seconds = seconds
        self._task = task

    def take(self, exchange: Exchange) -> None:
        """Look at an exchange that has just been admitted, unless a router has done so or it is too long."""
        pause = self._seconds()
        self.due = exchange.call.started + (pause or _ASLEEP_SECONDS)
        if pause and exchange.request.chosen is None and exchange.request.prompt_bytes <= LARGEST_PROMPT:
            spawn(self._look(exchange), name="task-sample")

    async def _look(self, exchange: Exchange) -> None:
        exchange.task = await asyncio.to_thread(self._task_of, exchange)

    def _task_of(self, exchange: Exchange) -> str | None:
        try:
            text = read(exchange.call.skin.conversation(exchange.request)).last
        except ApiError:  # the upstream will say what is wrong with it
            return None
        return self._task(text) if text else None
