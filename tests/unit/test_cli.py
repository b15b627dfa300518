"""The command line, on a data folder of its own."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from postgres_server import programs

from trunkline import __version__, cli
from trunkline.app import route_table, serving
from trunkline.errors import ApiError, ConfigError
from trunkline.inference.route_reports import Report
from trunkline.protocol.identity import is_api_key
from trunkline.settings import SETTINGS, Settings


def run(data_dir: Path, *arguments: str, environ: Mapping[str, str] | None = None) -> Result:
    """Runs a command as a person would."""
    return CliRunner().invoke(cli.cli, arguments, env={"TRUNKLINE_DATA_DIR": str(data_dir), **(environ or {})}, catch_exceptions=False)


def main(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Any:
    """What the console script exits with."""
    monkeypatch.setattr("sys.argv", ["trunkline", *arguments])
    with pytest.raises(SystemExit) as end:
        cli.main()
    return end.value.code


def test_a_key_is_created_listed_and_disabled(tmp_path: Path) -> None:
    created = run(tmp_path, "keys", "create", "--name", "ci bot", "--limit", "2.5", "--limit-reset", "daily")
    assert created.exit_code == 0 and is_api_key(created.stdout.strip()) and created.stdout.count("\n") == 1
    assert created.stdout.strip() not in created.stderr
    listed = run(tmp_path, "keys", "list").stdout
    assert "of $2.5 daily  ci bot" in listed and created.stdout.strip() not in listed
    key_hash = listed.split()[0]
    assert run(tmp_path, "keys", "disable", key_hash).stdout.startswith("disabled sk-or-v1-")
    assert run(tmp_path, "keys", "list").stdout == ""
    assert "disabled" in run(tmp_path, "keys", "list", "--all").stdout


def test_a_management_key_has_no_limit_unless_it_is_given_one(tmp_path: Path) -> None:
    run(tmp_path, "keys", "create", "--name", "boss", "--management", "--data-dir", str(tmp_path / "other"))
    listed = run(tmp_path / "other", "keys", "list").stdout
    assert "management" in listed and "no limit" in listed
    assert not (tmp_path / "control.db").exists()


def test_the_databases_are_made_copied_and_restored(tmp_path: Path) -> None:
    data, copy = tmp_path / "data", tmp_path / "copy"
    assert run(data, "db", "migrate").stdout == "the databases are up to date\n"
    run(data, "keys", "create", "--name", "kept")
    copies = [Path(line) for line in run(data, "db", "backup", str(copy)).stdout.splitlines()]
    assert copies and all(file.is_file() and file.parent == copy for file in copies)
    run(data, "keys", "create", "--name", "after")
    assert "restored" in run(data, "db", "restore", str(copy)).stdout
    listed = run(data, "keys", "list").stdout
    assert "kept" in listed and "after" not in listed


def test_the_copies_of_postgresql_are_its_own_programs_work(
    new_database: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = {"TRUNKLINE_DATABASE_URL": new_database(), "PATH": f"{programs()}{os.pathsep}{os.environ['PATH']}"}
    data, copy = tmp_path / "data", tmp_path / "copy"
    run(data, "keys", "create", "--name", "kept", environ=environ)
    assert run(data, "db", "backup", str(copy), environ=environ).stdout == f"{copy / 'trunkline.dump'}\n"
    run(data, "keys", "create", "--name", "after", environ=environ)
    assert "restored" in run(data, "db", "restore", str(copy), environ=environ).stdout
    listed = run(data, "keys", "list", environ=environ).stdout
    assert "kept" in listed and "after" not in listed
    monkeypatch.setenv("TRUNKLINE_DATABASE_URL", environ["TRUNKLINE_DATABASE_URL"])
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "pg_dump is not installed" in main(monkeypatch, "db", "backup", str(tmp_path / "other"))


def test_every_setting_with_a_flag_is_offered_and_reaches_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[tuple[Settings, bool]] = []

    def serve(settings: Settings, _environ: Mapping[str, str], *, demo_key: bool) -> int:
        served.append((settings, demo_key))
        return 3

    monkeypatch.setattr(cli, "serve_forever", serve)
    help_text = run(tmp_path, "serve", "--help").stdout
    for setting in SETTINGS:
        assert not setting.flag or (setting.flag in help_text and setting.variable in " ".join(help_text.split()).replace("[ ", "["))
        assert not (setting.secret and setting.flag), "a secret would show in the process list"
    result = run(tmp_path, "serve", "--port", "1234", "--host", "::1", "--workers", "2", "--demo-key", environ={"TRUNKLINE_PORT": "1"})
    assert result.exit_code == 3
    settings, demo_key = served[0]
    assert (settings.port, settings.host, settings.workers, settings.data_dir, demo_key) == (1234, "::1", 2, tmp_path, True)


def test_the_mock_and_the_weights_get_what_was_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[tuple[Any, ...]] = []
    monkeypatch.setattr(cli.mock_server, "main", lambda *arguments: called.append(arguments))
    monkeypatch.setattr(cli.weights, "fetch", lambda folder: folder / "weights")
    monkeypatch.setattr(cli.embedder_files, "fetch", lambda folder: [folder / "embedder"])
    assert run(tmp_path, "mock", "--port", "0", "--script", "x.toml").exit_code == 0
    assert called == [("127.0.0.1", 0, Path("x.toml"))]
    lines = run(tmp_path, "local", "fetch").stdout.splitlines()
    assert [Path(line).name for line in lines] == ["weights", "embedder"]


@pytest.mark.parametrize("group", [cli.cli, cli.keys, cli.db, cli.local])
def test_every_command_says_what_it_does(group: click.Group) -> None:
    assert all(command.help for command in group.commands.values())


@pytest.mark.parametrize(
    "arguments",
    [("serve", "--nonsense"), ("nonsense",), ("keys", "create"), ("mock", "--port", "x"), ("db", "restore", "/does/not/exist")],
)
def test_wrong_usage_exits_2(arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(monkeypatch, *arguments) == 2


def test_errors_are_one_line_and_exit_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUNKLINE_DATA_DIR", str(tmp_path))
    assert "TRUNKLINE_PORT" not in main(monkeypatch, "serve", "--port", "99999")
    assert str(main(monkeypatch, "serve", "--port", "99999")).startswith("trunkline: --port: ")
    assert str(main(monkeypatch, "keys", "disable", "unknown")).startswith("trunkline: ")
    for error in (ApiError("not_found", "gone"), ConfigError("x", "gone"), OSError("gone")):

        def fail(*_: Any, error: Exception = error, **__: Any) -> int:
            raise error

        monkeypatch.setattr(cli, "serve_forever", fail)
        told = main(monkeypatch, "serve")
        assert told.startswith("trunkline: ") and told.endswith("gone") and "\n" not in told


def test_the_version_is_the_packages(tmp_path: Path) -> None:
    assert run(tmp_path, "--version").stdout == f"trunkline, version {__version__}\n"
    assert cli.serve_forever is serving.serve


def test_a_route_is_asked_of_the_server_of_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, ...]] = []

    async def ask(*given: object) -> Report:
        asked.append(given[:4])
        return Report(dialect="chat", requested="a/m", strategy="direct", prompt_tokens=1, completion_tokens=2, endpoints=[], excluded=[])

    monkeypatch.setattr(route_table, "ask", ask)
    body, key = tmp_path / "request.json", "sk-or-v1-" + "a" * 64
    body.write_bytes(b'{"model": "a/m"}')
    shown = run(tmp_path, "route", str(body), "--port", "9", "--dialect", "chat", environ={"TRUNKLINE_API_KEY": key}).stdout
    assert shown.splitlines()[0] == "a/m (direct, chat): 1 tokens in, 2 out"
    run(tmp_path, "route", str(body), "--url", "http://other.test", "--key", "k")
    assert asked == [("http://127.0.0.1:9", key, b'{"model": "a/m"}', "chat"), ("http://other.test", "k", b'{"model": "a/m"}', "")]
