import os
import sys
from pathlib import Path

import pytest

from trunkline.errors import ConfigError
from trunkline.storage.postgres.programs import Programs, split

SECRET = "p@ss word"
URL = "postgresql://me:p%40ss%20word@db.example:5433/trunkline?sslmode=require"
SHOW = "import os, sys; print(sys.argv[1:]); print(sorted(os.environ)); print(os.environ['PGPASSWORD'])"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder of the PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def _program(folder: Path, name: str, python: str) -> None:
    file = folder / name
    file.write_text(f"#!{sys.executable}\n{python}\n")
    file.chmod(0o755)


@pytest.mark.parametrize(
    ("url", "expected", "password"),
    [
        (URL, "postgresql://me@db.example:5433/trunkline?sslmode=require", SECRET),
        ("postgres://me@/name?host=/run/pg", "postgresql://me@/name?host=%2Frun%2Fpg", ""),
        ("postgresql://h1:1,h2:2/n?target_session_attrs=any", "postgresql://h1:1,h2:2/n?target_session_attrs=any", ""),
        ("postgresql://me@h/n?password=a%26b&jit=off&application_name=x", "postgresql://me@h/n", "a&b"),
        ("postgresql://a%40b:c%3Ad@h/?database=n&sslpassword=s", "postgresql://a%40b@h/?dbname=n", "c:d"),
    ],
)
def test_a_url_is_told_without_its_secrets_and_in_words_that_libpq_knows(url: str, expected: str, password: str) -> None:
    assert split(url) == (expected, password)


def test_the_password_is_in_the_environment_only_and_little_else(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _program(folder, "show", SHOW)
    monkeypatch.setenv("TRUNKLINE_DATABASE_URL", URL)
    monkeypatch.setenv("OPENAI_API_KEY", "sk")
    monkeypatch.setenv("PGSSLROOTCERT", "/ca.pem")
    programs = Programs(URL)
    arguments, names, password = programs.run("show", programs.database).splitlines()
    assert arguments == "['postgresql://me@db.example:5433/trunkline?sslmode=require']"
    assert {"PATH", "PGPASSWORD", "PGSSLROOTCERT"} <= set(eval(names)) <= {*os.environ, "PGPASSWORD", "LC_CTYPE"}
    assert not {"TRUNKLINE_DATABASE_URL", "OPENAI_API_KEY"} & set(eval(names))
    assert password == SECRET


def test_a_program_that_is_missing_is_named(folder: Path) -> None:
    with pytest.raises(ConfigError, match="pg_dump is not installed") as missing:
        Programs(URL).run("pg_dump")
    assert missing.value.where == "PATH" and "client programs" in missing.value.instead
    _program(folder, "source", "")
    for source, target in (("source", "psql"), ("pg_restore", "source")):
        with pytest.raises(ConfigError, match="is not installed"):
            Programs(URL).pipe([source], [target])


@pytest.mark.parametrize(
    ("python", "reason"),
    [
        ("import sys; sys.exit('hint: no\\nfails: error: the reason\\nmore')", "fails: error: the reason"),
        ("import sys; sys.exit('it is so')", "fails: it is so"),
        ("import sys; sys.exit(3)", "fails: it ended with code 3"),
    ],
)
def test_a_program_that_fails_tells_why(folder: Path, python: str, reason: str) -> None:
    _program(folder, "fails", python)
    with pytest.raises(ConfigError) as raised:
        Programs(URL).run("fails")
    assert str(raised.value) == reason and SECRET not in str(raised.value)


def test_one_program_reads_what_another_writes(folder: Path) -> None:
    _program(folder, "source", "import sys; sys.stdout.write('x' * 3_000_000)")
    _program(folder, "target", "import sys; open(sys.argv[1], 'w').write(sys.stdin.read())")
    Programs(URL).pipe(["source"], ["target", str(folder / "copy")])
    assert (folder / "copy").stat().st_size == 3_000_000


def test_a_source_that_fails_halfway_never_ends_the_input_of_the_target(folder: Path) -> None:
    _program(folder, "source", "import sys; sys.stdout.write('x' * 3_000_000); sys.stdout.flush(); sys.exit('damaged')")
    _program(folder, "target", "import sys; sys.stdin.read(); open(sys.argv[1], 'w').write('committed')")
    with pytest.raises(ConfigError, match="source: damaged"):
        Programs(URL).pipe(["source"], ["target", str(folder / "copy")])
    assert not (folder / "copy").exists()


@pytest.mark.parametrize(("python", "reason"), [("import sys; sys.exit('refused')", "target: refused"), ("", "target: it ended")])
def test_a_target_that_does_not_want_it_all_is_an_error(folder: Path, python: str, reason: str) -> None:
    _program(folder, "source", "import sys; sys.stdout.write('x' * 3_000_000)")
    _program(folder, "target", python)
    with pytest.raises(ConfigError, match=reason):
        Programs(URL).pipe(["source"], ["target"])
