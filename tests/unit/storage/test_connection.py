"""What the hot writers rely on, on each engine."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from trunkline.storage.connection import DUPLICATES, Connection
from trunkline.storage.engines import Storage
from trunkline.storage.schema.control import key_spend_day, settings

NAMES = ("name", "value")


@pytest.fixture
def connection(both_storage: Storage) -> Iterator[Connection]:
    with closing(both_storage.connect_control()) as opened:
        yield opened


def _stored(connection: Connection) -> list[tuple[str, str]]:
    return connection.execute("SELECT name, value FROM settings ORDER BY name").fetchall()


def test_statements_take_parameters_and_give_rows(connection: Connection) -> None:
    connection.executemany("INSERT INTO settings VALUES (?, ?)", [("a", "1"), ("b", "2")])
    rows = connection.execute("SELECT name FROM settings WHERE value > ? ORDER BY name", ("0",))
    assert rows.fetchone() == ("a",)
    assert list(rows) == [("b",)]
    assert rows.fetchone() is None


@pytest.mark.parametrize("count", [0, 1, 199, 450])
def test_any_number_of_rows_is_inserted(connection: Connection, count: int) -> None:
    rows = [(f"{number:04}", "x") for number in range(count)]
    with connection.transaction():
        connection.insert(settings, NAMES, rows)
    assert _stored(connection) == rows


def test_a_known_key_is_a_duplicate_and_stores_nothing(connection: Connection) -> None:
    connection.insert(settings, NAMES, [("a", "1")])
    with pytest.raises(DUPLICATES), connection.transaction():
        connection.insert(settings, NAMES, [("b", "2"), ("a", "3")])
    assert _stored(connection) == [("a", "1")]


def test_conflicts_are_resolved_as_told(connection: Connection) -> None:
    columns = ("key_hash", "day", "amount", "byok_amount")
    adding = "(key_hash, day) DO UPDATE SET amount = key_spend_day.amount + excluded.amount"
    for _ in range(2):
        connection.insert(key_spend_day, columns, [("k", 1, 2**60, 0), ("k", 2, 5, 0)], adding)
    assert connection.execute("SELECT day, amount FROM key_spend_day ORDER BY day").fetchall() == [(1, 2**61), (2, 10)]


def test_a_transaction_rolls_back_on_any_error(connection: Connection) -> None:
    with pytest.raises(KeyboardInterrupt), connection.transaction():
        connection.insert(settings, NAMES, [("a", "1")])
        raise KeyboardInterrupt
    assert _stored(connection) == []


def test_rows_can_be_locked_where_that_means_anything(connection: Connection) -> None:
    with connection.transaction():
        connection.lock_rows(settings, ["b", "a", "absent"])
        connection.insert(settings, NAMES, [("a", "1")])
    assert _stored(connection) == [("a", "1")]


def test_closing_twice_is_fine(connection: Connection) -> None:
    connection.close()
    connection.close()
