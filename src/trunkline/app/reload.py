"""Work that is done again when somebody asks for it, beside the requests: in a thread, one at a time."""

import asyncio
import logging
import sys
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from trunkline.errors import ConfigError
from trunkline.transport.tasks import spawn

SHARE_SECONDS: Final = 0.0005
"""How long the thread may compute before the loop gets a turn. Python's own 5 ms would be felt at each of a request's steps."""

T = TypeVar("T")

logger = logging.getLogger(__name__)


class Reload(Generic[T]):
    """`read` makes something new in a thread, and `take` puts it in force on the loop. Where `read` raises ConfigError, what was stays in
    force and the log says why."""

    def __init__(self, read: Callable[[], T], take: Callable[[T], None]) -> None:
        self._read = read
        self._take = take
        self._asked = False
        self._task: asyncio.Task[None] | None = None

    def ask(self) -> None:
        """Begin, or begin once more after the one that is under way. Called on the loop; returns at once."""
        self._asked = True
        if self._task is None:
            self._task = spawn(self._run(), name="reload")

    async def done(self) -> None:
        """Wait until nothing that was asked for is under way."""
        if self._task is not None:
            await asyncio.shield(self._task)

    async def _run(self) -> None:
        try:
            while self._asked:
                self._asked = False
                await self._once()
        finally:
            self._task = None

    async def _once(self) -> None:
        try:
            made = await asyncio.to_thread(_sharing, self._read)
        except ConfigError as error:
            logger.warning("the configuration is not reloaded: %s", error)
            return
        self._take(made)
        logger.info("the configuration is reloaded")


def _sharing(work: Callable[[], T]) -> T:
    """Do work that computes for long, and leave the loop a turn whenever it has something to do."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(SHARE_SECONDS)
    try:
        return work()
    finally:
        sys.setswitchinterval(usual)
