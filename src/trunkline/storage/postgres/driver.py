"""asyncpg: how to connect, and what its errors mean."""

from typing import Final

import asyncpg

from trunkline.errors import StorageUnavailable
from trunkline.storage.availability import is_outage_code
from trunkline.storage.connection import Duplicate, Unfit

CONNECT_SECONDS: Final = 5.0
COMMAND_SECONDS: Final = 10.0
APPLICATION: Final = "trunkline"
"""What a connection of ours calls itself, by which others know that a gateway runs."""
_SESSION: Final = {
    "application_name": APPLICATION,
    "jit": "off",
    "bytea_output": "hex",
    "idle_in_transaction_session_timeout": "30s",
}
"""A worker that vanished without closing its connection gives its row locks back after half a minute."""
_UNFIT_CLASSES: Final = ("22", "23")
_REPORTED: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    ValueError,
    OverflowError,
    TypeError,
)
REPORTED: Final[tuple[type[Exception], ...]] = _REPORTED
"""What asyncpg raises; ValueError and its like for values that it cannot encode."""


async def connect(url: str, schema: str, *, durable: bool = True, patience: float = COMMAND_SECONDS) -> asyncpg.Connection:
    """A connection that sees `schema` alone; each command may take `patience` seconds. Raises StorageUnavailable."""
    session = {**_SESSION, "search_path": schema, "synchronous_commit": "on" if durable else "off"}
    try:
        return await asyncpg.connect(url, timeout=CONNECT_SECONDS, command_timeout=patience, server_settings=session)
    except REPORTED as error:
        reason = str(error) if isinstance(error, asyncpg.PostgresError) else error.__class__.__name__  # others may quote the URL
        raise StorageUnavailable(f"PostgreSQL cannot be reached: {reason}") from error


def translated(error: Exception) -> Exception:
    """`error` as this project's: Duplicate, Unfit or StorageUnavailable. A mistake in our SQL stays what it is."""
    code = getattr(error, "sqlstate", None)
    if isinstance(error, asyncpg.UniqueViolationError):
        return Duplicate(str(error))
    if isinstance(error, asyncpg.CheckViolationError):  # the tables have no checks but the bounds of their partitions
        return StorageUnavailable("PostgreSQL divided the table just now")
    if isinstance(error, ValueError | OverflowError | TypeError) or (code or "")[:2] in _UNFIT_CLASSES:
        return Unfit(str(error))
    if code is None or is_outage_code(code):
        return StorageUnavailable(f"PostgreSQL did not answer: {error.__class__.__name__}")
    return error
