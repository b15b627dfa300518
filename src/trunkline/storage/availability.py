"""One meaning for every way a database can fail to answer."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DatabaseError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from trunkline.errors import StorageUnavailable


def _is_outage(error: Exception) -> bool:
    """Whether the database is at fault, and not what we asked of it."""
    if isinstance(error, DatabaseError) and error.orig is not None:
        error = error.orig if isinstance(error.orig, Exception) else error
    if isinstance(error, sqlite3.ProgrammingError):
        return "closed" in str(error)
    return isinstance(error, sqlite3.OperationalError | PoolTimeout | OSError) or type(error) is sqlite3.DatabaseError


@contextmanager
def reporting_outages() -> Iterator[None]:
    """Turns a locked, full, missing, damaged or closed database into StorageUnavailable. Errors of our own making pass unchanged."""
    try:
        yield
    except (sqlite3.Error, DatabaseError, PoolTimeout, OSError) as error:
        if not _is_outage(error):
            raise
        raise StorageUnavailable(f"the database did not answer: {error.__class__.__name__}") from error
