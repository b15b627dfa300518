import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from postgres_server import PostgresServer, programs

from trunkline.analytics.rollup import write_batch
from trunkline.errors import ConfigError
from trunkline.protocol.generation import GenerationRecord
from trunkline.protocol.identity import uuid7
from trunkline.storage.days import MS_PER_DAY
from trunkline.storage.layout import CONTROL, DATABASES, TELEMETRY
from trunkline.storage.postgres import archive, databases
from trunkline.storage.postgres.archive import FILE
from trunkline.storage.postgres.connection import Connection
from trunkline.storage.postgres.databases import Databases, read_state
from trunkline.storage.postgres.programs import Programs
from trunkline.storage.schema.telemetry import generations

Make = Callable[..., str]
DAY = 20_000


@pytest.fixture(autouse=True)
def path(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The programs of the server's own release come first."""
    monkeypatch.setenv("PATH", f"{programs()}{os.pathsep}{os.environ['PATH']}")
    yield


def _record(day: int) -> GenerationRecord:
    return GenerationRecord(
        id=uuid7(day * MS_PER_DAY, bytes(10)),
        created_ms=day * MS_PER_DAY,
        key_hash="k",
        workspace_id="default",
        model="acme/echo-1",
        endpoint_id="e1",
        provider_name="Acme",
        api_type="completions",
        cost=1,
    )


def _connect(url: str) -> Connection:
    return Databases(url).connect(TELEMETRY, durable=True)


def _write(url: str, *days: int) -> None:
    with closing(_connect(url)) as connection:
        connection.prepare_days(generations, days[:1])
        write_batch(connection, [_record(day) for day in days])


def _days(url: str) -> list[int]:
    with closing(_connect(url)) as connection:
        ids = connection.execute("SELECT id FROM generations ORDER BY id").fetchall()
        assert connection.execute("SELECT sum(requests) FROM model_day").fetchone() == (len(ids) or None,)
        assert {read_state(database, connection) for database in DATABASES} == {"current"}
    return [int.from_bytes(id[:6], "big") // MS_PER_DAY for (id,) in ids]


def test_a_backup_of_a_database_in_use_comes_back(new_database: Make, tmp_path: Path) -> None:
    url = new_database()
    _write(url, DAY, DAY + 1)
    with closing(_connect(url)) as other:
        other.execute("SELECT 1")
        [file] = Databases(url).back_up(tmp_path / "copy")
    assert file == tmp_path / "copy" / FILE and file.stat().st_mode & 0o777 == 0o600
    assert list(file.parent.iterdir()) == [file]
    _write(url, DAY + 5, DAY + 6)
    with closing(_connect(url)) as connection:
        connection.drop_days(generations, DAY + 1)
    Databases(url).restore(tmp_path / "copy")
    assert _days(url) == [DAY, DAY + 1]
    Databases(url).bring_up_to_date()
    _write(url, DAY + 5)
    assert _days(url) == [DAY, DAY + 1, DAY + 5]


def test_it_comes_back_into_an_empty_database(new_database: Make, tmp_path: Path) -> None:
    first, second = new_database(), new_database(empty=True)
    _write(first, DAY)
    Databases(first).back_up(tmp_path)
    Databases(second).restore(tmp_path)
    assert _days(second) == [DAY]


def test_a_database_in_use_is_not_replaced(new_database: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "LEAVE_SECONDS", 0.2)
    url = new_database()
    _write(url, DAY)
    Databases(url).back_up(tmp_path)
    _write(url, DAY + 1)
    with closing(Databases(url).connect(CONTROL, durable=True)) as gateway:
        gateway.execute("SELECT 1")
        with pytest.raises(ConfigError, match="in use by a running server"):
            Databases(url).restore(tmp_path)
    assert _days(url) == [DAY, DAY + 1]


def test_a_damaged_backup_changes_nothing(new_database: Make, tmp_path: Path) -> None:
    url = new_database()
    with closing(_connect(url)) as connection:
        write_batch(connection, [_record(day) for day in range(3000)])
    [file] = Databases(url).back_up(tmp_path)
    whole = file.read_bytes()
    for damaged, reason in ((b"garbage" * 100, "pg_restore: error: input file"), (whole[:-2000], "pg_restore: error: could not")):
        file.write_bytes(damaged)
        with pytest.raises(ConfigError, match=reason):
            Databases(url).restore(tmp_path)
        assert len(_days(url)) == 3000
    with pytest.raises(ConfigError, match="no such file"):
        Databases(url).restore(tmp_path / "nowhere")


@pytest.mark.parametrize(("version", "state"), [("9999", "newer"), (None, "fresh")])
def test_a_backup_that_is_not_ours_to_restore_is_refused(new_database: Make, tmp_path: Path, version: str | None, state: str) -> None:
    url = new_database()
    with closing(_connect(url)) as connection:
        connection.execute(f"UPDATE telemetry_version SET version_num = '{version}'" if version else "DROP TABLE telemetry_version")
    archive.back_up(Programs(url), tmp_path)
    with pytest.raises(ConfigError, match=f"the schema telemetry in it is {state}"):
        Databases(new_database()).restore(tmp_path)


def test_a_backup_overwrites_nothing_and_needs_a_database(new_database: Make, tmp_path: Path) -> None:
    Databases(new_database()).back_up(tmp_path)
    with pytest.raises(ConfigError, match="overwrites nothing"):
        Databases(new_database()).back_up(tmp_path)
    with pytest.raises(ConfigError, match="no database to back up"):
        Databases(new_database(empty=True)).back_up(tmp_path / "more")
    assert not (tmp_path / "more").exists()


def test_a_failed_backup_leaves_no_file(new_database: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = new_database()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="pg_dump is not installed"):
        Databases(url).back_up(tmp_path / "copy")
    assert list((tmp_path / "copy").iterdir()) == []


def test_a_database_that_does_not_answer_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be opened"):
        Databases("postgresql://me:secret@127.0.0.1:1/x").back_up(tmp_path)
