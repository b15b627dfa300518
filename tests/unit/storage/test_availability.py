import sqlite3

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError

from trunkline.errors import StorageUnavailable
from trunkline.storage.availability import reporting_outages


@pytest.mark.parametrize(
    "error",
    [
        sqlite3.OperationalError("database is locked"),
        OSError("no such device"),
        sqlite3.ProgrammingError("Cannot operate on a closed database."),
        sqlite3.DatabaseError("database disk image is malformed"),
        OperationalError("SELECT", {}, sqlite3.OperationalError("database is locked")),
    ],
)
def test_an_outage_has_one_meaning(error: Exception) -> None:
    with pytest.raises(StorageUnavailable) as reported, reporting_outages():
        raise error
    assert reported.value.__cause__ is error


@pytest.mark.parametrize(
    "error",
    [
        sqlite3.ProgrammingError("Incorrect number of bindings"),
        sqlite3.IntegrityError("UNIQUE"),
        KeyError("x"),
        IntegrityError("INSERT", {}, sqlite3.IntegrityError("UNIQUE")),
    ],
)
def test_our_own_mistakes_pass(error: Exception) -> None:
    with pytest.raises(type(error)), reporting_outages():
        raise error
