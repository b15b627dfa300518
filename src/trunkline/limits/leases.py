"""The thread that takes leases: one connection, one thread, one question after the other.

Leases are written without a sync to disk: no worker outlives a power cut, and neither needs its lease.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from trunkline.accounts.leases_store import Ask, Grant, changed_hashes, newest_revision, renew_lease
from trunkline.storage.availability import reporting_outages
from trunkline.storage.connection import Connection
from trunkline.storage.engines import Storage

T = TypeVar("T")


class LeaseDesk:
    """Leases of one worker, asked for from the event loop and answered by a thread. The futures raise StorageUnavailable."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="leases")
        self._connection: Connection | None = None

    def renew(self, key_hash: str, ask: Ask, now_ms: int) -> asyncio.Future[Grant]:
        """Takes, keeps or gives back a slice (see `leases_store.renew_lease`)."""
        return self._submit(lambda connection: renew_lease(connection, key_hash, self._storage.worker_id, ask, now_ms))

    def newest_revision(self) -> asyncio.Future[int]:
        """The newest revision of any key."""
        return self._submit(newest_revision)

    def changes(self, after: int) -> asyncio.Future[tuple[int, tuple[str, ...]]]:
        """The newest revision, and the keys changed after `after`."""
        return self._submit(lambda connection: changed_hashes(connection, after))

    async def close(self) -> None:
        """Waits for what was asked and closes the connection."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._disconnect)
        self._thread.shutdown()

    def _submit(self, ask: Callable[[Connection], T]) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._thread, self._answer, ask)

    def _answer(self, ask: Callable[[Connection], T]) -> T:
        with reporting_outages():
            if self._connection is None:
                self._connection = self._storage.connect_control(durable=False)
            return ask(self._connection)

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
