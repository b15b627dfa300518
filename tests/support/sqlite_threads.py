"""aiosqlite runs each connection in a thread. That of one that could not be opened reports its end when nobody waits for it."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def ended_threads() -> AsyncIterator[None]:
    """After the `with` block, waits for the threads that began in it: a loop that closed before them would make their report an error."""
    before = set(threading.enumerate())
    yield
    async with asyncio.timeout(30):
        while [one for one in set(threading.enumerate()) - before if "_connection_worker_thread" in one.name]:
            await asyncio.sleep(0.005)
