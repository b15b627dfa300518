"""`trunkline catalog`, on a data folder of its own."""

from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from trunkline import cli
from trunkline.catalogue.synced import synced_file
from trunkline.errors import ConfigError

ROW = {"id": "acme/echo-1", "name": "Echo", "pricing": {"prompt": "0.000001", "completion": "0.000002"}}
SEED = {"id": "openai/gpt-4.1", "name": "OpenAI: GPT-4.1", "pricing": {"prompt": "0.000003", "completion": "0.000008"}}


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    file = tmp_path / "models.json"
    file.write_bytes(msgspec.json.encode({"data": [ROW, SEED]}))
    return file


def sync(tmp_path: Path, *arguments: str) -> Result:
    return CliRunner().invoke(
        cli.cli, ["catalog", "sync", *arguments], env={"TRUNKLINE_DATA_DIR": str(tmp_path / "data")}, catch_exceptions=False
    )


def test_the_differences_are_shown_and_nothing_is_written(tmp_path: Path, listed: Path) -> None:
    shown = sync(tmp_path, "--from", "openrouter", "--file", str(listed))
    assert shown.exit_code == 0
    lines = shown.stdout.splitlines()
    assert lines[0].split() == ["added", "acme/echo-1@openrouter"]
    assert ["changed", "openai/gpt-4.1@openrouter", "price.prompt", "0.000002", "->", "0.000003"] in [line.split() for line in lines]
    assert "2 rows (0 skipped): 1 added" in lines[-2] and lines[-1] == "nothing is written; add --apply to write it"
    assert not (tmp_path / "data").exists()


def test_apply_writes_them(tmp_path: Path, listed: Path) -> None:
    assert f"written: {synced_file(tmp_path / 'data')}" in sync(tmp_path, "--from", "openrouter", "--file", str(listed), "--apply").stdout
    again = sync(tmp_path, "--from", "openrouter", "--file", str(listed)).stdout
    assert "added " not in again and "price.prompt" not in again


def test_a_bad_list_is_told(tmp_path: Path) -> None:
    file = tmp_path / "models.json"
    file.write_bytes(b"<html>")
    with pytest.raises(ConfigError, match="this is not the list that was expected"):
        sync(tmp_path, "--from", "openrouter", "--file", str(file), "--apply")
    assert not (tmp_path / "data").exists()


def test_the_source_must_be_known(tmp_path: Path) -> None:
    assert sync(tmp_path, "--from", "elsewhere").exit_code == 2
    assert sync(tmp_path).exit_code == 2
