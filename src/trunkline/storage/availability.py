"""One meaning for every way a database can fail to answer."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from trunkline.errors import StorageUnavailable

_OUTAGE_CODES: Final = ("08", "53", "57", "58", "XX", "40", "55P03", "25006", "25P03", "28")
"""How the SQLSTATEs of PostgreSQL's outages begin: connection, resources, shutdown or cancellation, system, corruption, rollback (such as
of a deadlock), lock not available, read-only (a standby), idle transaction ended, credentials refused."""


def is_outage_code(sqlstate: str) -> bool:
    """Whether this SQLSTATE puts the fault with the database, and not with what we asked of it; asking again is then right."""
    return sqlstate.startswith(_OUTAGE_CODES)


def _is_outage(error: BaseException) -> bool:
    """Whether the database is at fault, and not what we asked of it."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        if error.connection_invalidated:
            return True
        error = error.orig
    sqlstate = getattr(error, "sqlstate", None)
    if sqlstate:
        return is_outage_code(sqlstate)
    if isinstance(error, sqlite3.ProgrammingError):
        return "closed" in str(error)
    return isinstance(error, sqlite3.OperationalError | PoolTimeout | OSError) or type(error) is sqlite3.DatabaseError


@contextmanager
def reporting_outages() -> Iterator[None]:
    """Turns a locked, full, missing, damaged or closed database into StorageUnavailable. Errors of our own making pass unchanged."""
    try:
        yield
    except (sqlite3.Error, DBAPIError, PoolTimeout, OSError) as error:
        if not _is_outage(error):
            raise
        raise StorageUnavailable(f"the database did not answer: {error.__class__.__name__}") from error
