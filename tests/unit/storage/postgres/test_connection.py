import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from postgres_server import PostgresServer

from trunkline.errors import StorageUnavailable
from trunkline.storage.connection import Duplicate, Unfit
from trunkline.storage.layout import CONTROL
from trunkline.storage.postgres.connection import Connection, numbered
from trunkline.storage.postgres.databases import Databases
from trunkline.storage.schema.control import key_spend_day, settings

NAMES = ("name", "value")


@pytest.fixture
def connect(new_database: Callable[[], str]) -> Callable[[], Connection]:
    databases = Databases(new_database())
    return lambda: databases.connect(CONTROL, durable=True)


@pytest.fixture
def connection(connect: Callable[[], Connection]) -> Iterator[Connection]:
    with closing(connect()) as opened:
        yield opened


def test_question_marks_are_numbered() -> None:
    assert numbered("SELECT ? WHERE a = ? AND b IN (?, ?)") == "SELECT $1 WHERE a = $2 AND b IN ($3, $4)"
    assert numbered("SELECT 1") == "SELECT 1"


@pytest.mark.parametrize("conflict", ["", "(key_hash, day) DO NOTHING"])
@pytest.mark.parametrize("amount", [2**63, None, "many"])
def test_a_value_that_fits_no_column_is_unfit_and_the_connection_stays_usable(
    connection: Connection, amount: object, conflict: str
) -> None:
    columns = ("key_hash", "day", "amount", "byok_amount")
    with pytest.raises(Unfit), connection.transaction():
        connection.insert(key_spend_day, columns, [("a", 1, 1, 1), ("b", 1, amount, 1)], conflict)
    assert connection.execute("SELECT count(*) FROM key_spend_day").fetchone() == (0,)


def test_a_lone_surrogate_is_unfit(connection: Connection) -> None:
    with pytest.raises(Unfit):
        connection.insert(settings, NAMES, [("a", "\ud800")])
    assert connection.execute("SELECT count(*) FROM settings").fetchone() == (0,)


@pytest.mark.parametrize("conflict", ["", "(name) DO NOTHING"])
def test_a_null_character_is_replaced(connection: Connection, conflict: str) -> None:
    connection.insert(settings, NAMES, [("a", "1\x002")], conflict)
    assert connection.execute("SELECT value FROM settings").fetchall() == [("1\ufffd2",)]


def test_a_mistake_in_our_sql_is_no_outage(connection: Connection) -> None:
    with pytest.raises(Exception, match="does not exist") as raised:
        connection.execute("SELECT * FROM absent")
    assert not isinstance(raised.value, StorageUnavailable | Unfit)


def test_a_server_that_was_restarted_in_between_is_not_noticed(postgres: PostgresServer, connection: Connection) -> None:
    connection.insert(settings, NAMES, [("a", "1")])
    postgres.stop()
    postgres.start()
    with connection.transaction():
        assert connection.execute("SELECT value FROM settings").fetchall() == [("1",)]


def test_a_server_that_goes_in_a_transaction_is_an_outage_and_nothing_is_stored(postgres: PostgresServer, connection: Connection) -> None:
    with pytest.raises(StorageUnavailable), connection.transaction():
        connection.insert(settings, NAMES, [("a", "1")])
        postgres.stop()
        postgres.start()
        connection.insert(settings, NAMES, [("b", "1")])
    assert connection.execute("SELECT count(*) FROM settings").fetchone() == (0,)


def test_a_stopped_server_is_an_outage_each_time(postgres: PostgresServer, connection: Connection) -> None:
    connection.execute("SELECT 1")
    postgres.stop()
    try:
        for _ in range(2):
            with pytest.raises(StorageUnavailable):
                connection.execute("SELECT 1")
    finally:
        postgres.start()
    assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_deadlock_ends_as_an_outage_for_one_of_two(connect: Callable[[], Connection]) -> None:
    with closing(connect()) as first, closing(connect()) as second:
        first.insert(settings, NAMES, [("a", "0"), ("b", "0")])
        barrier = threading.Barrier(2)
        outcomes: list[str] = []

        def update(connection: Connection, names: str) -> None:
            try:
                with connection.transaction():
                    connection.execute("UPDATE settings SET value = 'x' WHERE name = ?", (names[0],))
                    barrier.wait()
                    connection.execute("UPDATE settings SET value = 'x' WHERE name = ?", (names[1],))
                outcomes.append("stored")
            except StorageUnavailable:
                outcomes.append("unavailable")

        threads = [threading.Thread(target=update, args=pair) for pair in ((first, "ab"), (second, "ba"))]
        for connection in (first, second):
            connection.execute("SET deadlock_timeout = '20ms'")
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(outcomes) == ["stored", "unavailable"]


def test_locked_rows_wait_for_each_other(connect: Callable[[], Connection]) -> None:
    with closing(connect()) as first, closing(connect()) as second:
        first.insert(settings, NAMES, [("a", "0")])
        order: list[str] = []

        def wait() -> None:
            with second.transaction():
                second.lock_rows(settings, ["a"])
                order.append("second")

        thread = threading.Thread(target=wait)
        with first.transaction():
            first.lock_rows(settings, ["a"])
            thread.start()
            thread.join(0.1)
            order.append("first")
        thread.join()
    assert order == ["first", "second"]


def test_a_known_key_is_a_duplicate(connection: Connection) -> None:
    connection.insert(settings, NAMES, [("a", "1")])
    with pytest.raises(Duplicate):
        connection.insert(settings, NAMES, [("a", "1")])


def test_it_can_be_used_and_closed_where_a_loop_is_running(connection: Connection) -> None:
    async def scenario() -> None:
        connection.insert(settings, NAMES, [("a", "1")])
        connection.close()

    asyncio.run(scenario())
