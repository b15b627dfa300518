"""All keys in memory, by the SHA-256 of the key, kept in step with the database.

Other processes change keys too (other workers, the command line): twice a second one index read finds what changed since the last time.
While the database does not answer, the last known state stands.
"""

import asyncio
import logging
from collections.abc import Callable

from msgspec import Struct

from trunkline.accounts.keys_store import KeyRecord, changed_keys, find_key
from trunkline.errors import StorageUnavailable
from trunkline.protocol.principal import Principal
from trunkline.storage.engines import Storage
from trunkline.transport.tasks import spawn

POLL_SECONDS = 0.5
_LOOKUPS_AT_ONCE = 2
_log = logging.getLogger(__name__)


class KnownKey(Struct, frozen=True):
    """A key that exists or existed. `refusal` tells why it cannot be used; an expiry is in the Principal."""

    principal: Principal
    refusal: str | None = None


def known_key(record: KeyRecord) -> KnownKey:
    """The key as requests need it."""
    principal = Principal(
        key_hash=record.hash,
        kind=record.kind,
        name=record.name,
        label=record.label,
        workspace_id=record.workspace_id,
        creator_user_id=record.creator_user_id,
        limited=record.spend_limit is not None,
        expires_at=None if record.expires_ms is None else record.expires_ms / 1000,
        counts_byok=record.include_byok_in_limit,
    )
    if record.deleted_ms is not None:
        return KnownKey(principal, "This API key was deleted")
    return KnownKey(principal, "This API key is disabled" if record.disabled else None)


class KeyDirectory:
    """Every key, in memory."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._keys: dict[bytes, KnownKey] = {}
        self._revision = 0
        self._refreshing = asyncio.Lock()
        self._lookups = asyncio.Semaphore(_LOOKUPS_AT_ONCE)
        self._listeners: list[Callable[[], None]] = []
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def on_change(self, listener: Callable[[], None]) -> None:
        """Calls `listener` after keys have changed."""
        self._listeners.append(listener)

    async def start(self) -> None:
        """Reads all keys and begins to follow changes. Raises StorageUnavailable."""
        await self.refresh()
        self._task = spawn(self._following(), name="key directory")

    async def close(self) -> None:
        """Stops following changes; what is known stays known."""
        self._stopping.set()
        if self._task is not None:
            await asyncio.wait([self._task])

    def get(self, digest: bytes) -> KnownKey | None:
        """The key with this SHA-256, from memory."""
        return self._keys.get(digest)

    async def refresh(self) -> None:
        """Reads what changed since the last time; one reading at a time, so that an older one never overwrites a newer. Raises
        StorageUnavailable."""
        async with self._refreshing:
            async with self._storage.reading(self._storage.control) as connection:
                records = await changed_keys(connection, self._revision)
            for record in records:
                self._keys[bytes.fromhex(record.hash)] = known_key(record)
                self._revision = record.revision
        if records:
            for listener in self._listeners:
                listener()

    async def look_up(self, digest: bytes) -> KnownKey | None:
        """Asks the database for one key, which makes a key usable that was created a moment ago. Raises StorageUnavailable."""
        async with self._lookups, self._storage.reading(self._storage.control) as connection:
            record = await find_key(connection, digest.hex())
        if record is None:
            return None
        return self._keys.setdefault(digest, known_key(record))

    async def _following(self) -> None:
        silent = False
        while not await self._is_stopping_within(POLL_SECONDS):
            try:
                await self.refresh()
                silent = False
            except StorageUnavailable as error:
                if not silent:
                    _log.warning("keys: %s; the last known keys stay in force", error)
                silent = True

    async def _is_stopping_within(self, seconds: float) -> bool:
        """Waits for the end; no reading is cancelled half-way, which would leave its connection open."""
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return False
        return True
