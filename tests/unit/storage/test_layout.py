from pathlib import Path

from trunkline.storage.layout import CONTROL, DATABASES, TELEMETRY


def test_money_survives_a_power_cut_and_the_databases_share_nothing() -> None:
    assert CONTROL.synchronous == "FULL"
    assert CONTROL.version_table != TELEMETRY.version_table
    assert not set(CONTROL.metadata.tables) & set(TELEMETRY.metadata.tables)


def test_each_database_is_one_file_in_the_data_folder() -> None:
    assert [database.file(Path("/data")) for database in DATABASES] == [Path("/data/control.db"), Path("/data/telemetry.db")]


def test_the_head_is_the_newest_revision() -> None:
    assert all(database.head == database.revisions[-1] for database in DATABASES)
