"""A table divided by UTC day of its id: places for the days to come, and old days dropped as a whole.

Each day has a partition `<table>_20261123`. `<table>_default` takes the rows of days that have none, and gives them up to the partition
that is made for their day. `<table>_earlier`, where there is one, is the whole table of the time before it was divided.

Nothing here keeps the writers waiting for long: a new partition is attached, which locks only the default one, and both that and a drop,
which locks the whole table, give up after LOCK_WAIT when somebody else, such as pg_dump, holds what they need. A statement that waited for
that may fail once, as StorageUnavailable or Duplicate, and is right when it is tried again, as the writers do.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct
from sqlalchemy import Table

from trunkline.storage.connection import Connection
from trunkline.storage.days import date_of, first_id

LOCK_WAIT: Final = "2s"
_FOUND: Final = """
SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = to_regclass(?)
"""
_BOUNDS: Final = re.compile(r"FOR VALUES FROM \((?:MINVALUE|'\\x([0-9a-f]+)')\) TO \('\\x([0-9a-f]+)'\)")


class Partition(Struct, frozen=True):
    """A partition for the ids from `start` up to, and without, `end`."""

    name: str
    start: bytes
    end: bytes


def partitions(connection: Connection, table: Table) -> list[Partition]:
    """The partitions of `table` by time, without the default one."""
    found = [(name, _BOUNDS.fullmatch(bounds)) for name, bounds in connection.execute(_FOUND, (table.name,))]
    ranges = [Partition(name, bytes.fromhex(bounds[1] or ""), bytes.fromhex(bounds[2])) for name, bounds in found if bounds]
    return sorted(ranges, key=lambda partition: partition.start)


def prepare_days(connection: Connection, table: Table, days: Iterable[int]) -> None:
    """Makes the partitions that `table` lacks for these days. Raises StorageUnavailable when a lock cannot be had."""
    there = partitions(connection, table)
    for day in days:
        if not _covered(day, there):
            _add(connection, table, day)


def drop_days(connection: Connection, table: Table, before: int) -> int:
    """Drops the partitions that hold only days before the day `before`, and returns how many. Raises StorageUnavailable as above."""
    old = [partition for partition in partitions(connection, table) if partition.end <= first_id(before)]
    for partition in old:
        with connection.transaction():
            _be_patient(connection)
            connection.execute(f"DROP TABLE {partition.name}")
    return len(old)


def _covered(day: int, there: Sequence[Partition]) -> bool:
    return any(partition.start <= first_id(day) and first_id(day + 1) <= partition.end for partition in there)


def _add(connection: Connection, table: Table, day: int) -> None:
    """Makes the partition of one day out of the rows that the default one holds of it, all in one transaction."""
    new, rest = f"{table.name}_{date_of(day)}", f"{table.name}_default"
    start, end = first_id(day), first_id(day + 1)
    moving = f"WITH moved AS (DELETE FROM {rest} WHERE id >= ? AND id < ? RETURNING *) INSERT INTO {new} SELECT * FROM moved"  # noqa: S608
    with connection.transaction():
        _be_patient(connection)
        connection.execute(f"LOCK TABLE {table.name} IN SHARE UPDATE EXCLUSIVE MODE")
        connection.execute(f"LOCK TABLE {rest} IN ACCESS EXCLUSIVE MODE")
        connection.execute(f"CREATE TABLE {new} (LIKE {table.name} INCLUDING DEFAULTS)")
        connection.execute(moving, (start, end))
        bounds = f"FROM ('\\x{start.hex()}') TO ('\\x{end.hex()}')"
        connection.execute(f"ALTER TABLE {table.name} ATTACH PARTITION {new} FOR VALUES {bounds}")


def _be_patient(connection: Connection) -> None:
    """For the time of the transaction: whoever waits for a lock of the whole table has all others wait behind it."""
    connection.execute(f"SET LOCAL lock_timeout = '{LOCK_WAIT}'")
