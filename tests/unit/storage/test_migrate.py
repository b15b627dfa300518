from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from trunkline.storage.layout import DATABASES, Database
from trunkline.storage.migrate import alembic_config, main, upgrade
from trunkline.storage.sqlite import connect
from trunkline.storage.versions import read_state


@pytest.mark.parametrize("database", DATABASES, ids=lambda database: database.name)
def test_the_list_of_revisions_is_the_one_on_disk(database: Database) -> None:
    script = ScriptDirectory.from_config(alembic_config(database))
    assert tuple(revision.revision for revision in script.walk_revisions())[::-1] == database.revisions


def test_upgrading_is_repeatable(tmp_path: Path) -> None:
    upgrade(tmp_path)
    assert main([str(tmp_path)]) == 0
    for database in DATABASES:
        connection = connect(database, tmp_path)
        assert read_state(database, connection) == "current"
        connection.close()


@pytest.mark.parametrize("arguments", [[], ["/nowhere/at/all"]])
def test_a_wrong_command_line_says_how(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "DATA_DIR" in capsys.readouterr().err
