import asyncio
from collections.abc import Callable

import asyncpg
import pytest

from trunkline.errors import StorageUnavailable
from trunkline.storage.connection import Duplicate, Unfit
from trunkline.storage.postgres.driver import connect, translated


@pytest.mark.parametrize(("durable", "level"), [(True, "on"), (False, "off")])
def test_commits_reach_the_disk_unless_leases_ask_otherwise(new_database: Callable[[], str], durable: bool, level: str) -> None:
    url = new_database()

    async def scenario() -> tuple[str, str]:
        connection = await connect(url, "telemetry", durable=durable)
        shown = await connection.fetchval("SHOW synchronous_commit"), await connection.fetchval("SELECT current_schema()")
        await connection.close()
        return shown

    assert asyncio.run(scenario()) == (level, "telemetry")


@pytest.mark.parametrize("place", ["@/x?host=/nowhere", "@127.0.0.1:1/x", "@127.0.0.1:port/x"])
def test_no_connection_is_an_outage_that_does_not_show_the_password(place: str) -> None:
    with pytest.raises(StorageUnavailable) as raised:
        asyncio.run(connect(f"postgresql://u:secret{place}", "control"))
    assert "secret" not in str(raised.value)


def test_an_absent_database_is_named(new_database: Callable[[], str]) -> None:
    _, _, options = new_database().partition("?")
    with pytest.raises(StorageUnavailable, match='"absent" does not exist'):
        asyncio.run(connect(f"postgresql://trunkline@/absent?{options}", "control"))


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (asyncpg.UniqueViolationError("x"), Duplicate),
        (asyncpg.NotNullViolationError("x"), Unfit),
        (asyncpg.NumericValueOutOfRangeError("x"), Unfit),
        (OverflowError("x"), Unfit),
        (asyncpg.DeadlockDetectedError("x"), StorageUnavailable),
        (asyncpg.AdminShutdownError("x"), StorageUnavailable),
        (asyncpg.DiskFullError("x"), StorageUnavailable),
        (asyncpg.InterfaceError("connection is closed"), StorageUnavailable),
        (ConnectionResetError(), StorageUnavailable),
        (TimeoutError(), StorageUnavailable),
        (asyncpg.UndefinedTableError("x"), asyncpg.UndefinedTableError),
    ],
)
def test_errors_have_one_meaning(error: Exception, meaning: type[Exception]) -> None:
    assert type(translated(error)) is meaning
