"""Documentation and tooling, compared with the code that they are about."""

import re
import subprocess
import tomllib
from pathlib import Path

import environment
import lock
import pytest
import reference

from trunkline.settings import SETTINGS

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


def distribution(requirement: str) -> str:
    """The normalised name of a requirement (PEP 503)."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]).lower()


def pins(path: Path) -> dict[str, str]:
    """Distribution -> its whole entry in a lock file."""
    entries = re.split(r"\n(?=\S)", re.sub(r"^#.*\n", "", path.read_text(encoding="utf-8"), flags=re.M))
    return {distribution(entry): entry for entry in entries if entry.strip()}


def test_the_reference_pages_say_what_the_code_says() -> None:
    assert reference.out_of_date() == [], "run `make docs`"


def test_no_reference_page_is_left_over() -> None:
    assert {path.name for path in reference.FOLDER.iterdir()} == set(reference.pages())


def test_every_setting_is_in_the_reference_with_its_flag() -> None:
    page = (reference.FOLDER / "settings.md").read_text(encoding="utf-8")
    wanted = [name for setting in SETTINGS for name in (setting.variable, setting.flag) if name]
    assert [name for name in wanted if f"`{name}`" not in page] == []


def test_a_table_cell_cannot_break_its_table() -> None:
    assert reference.table(("a",), [("x|y\nz",)])[-1] == "| x\\|y z |"


def test_every_dependency_is_explained() -> None:
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8").lower()
    tables = [
        PROJECT["project"]["dependencies"],
        *PROJECT["project"]["optional-dependencies"].values(),
        *PROJECT["dependency-groups"].values(),
    ]
    wanted = {distribution(requirement) for table in tables for requirement in table}
    assert sorted(name for name in wanted if f"`{name}`" not in page) == []


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_every_pin_is_exact_and_hashed_and_says_nothing_of_its_origin(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert [name for name, entry in pins(path).items() if not re.match(r"\S+==\S+( ;.*)? \\\n +--hash=sha256:", entry)] == []
    assert [word for word in lock.NOT_IN_A_LOCK if word in text] == []


def test_the_locks_cover_what_the_project_asks_for() -> None:
    for wanted in lock.locks(ROOT / "pyproject.toml"):
        assert {distribution(requirement) for requirement in wanted.requirements} <= set(pins(ROOT / "requirements" / wanted.name)), (
            wanted.name
        )


def test_every_make_target_explains_itself_in_few_lines() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.M)
    assert phony is not None
    for target in phony[1].split():
        rule = re.search(rf"^{target}:.*## \S.*\n((?:\t.*\n)*)", makefile, re.M)
        assert rule is not None, f"{target} has no `## explanation`"
        assert rule[1].count("\n") <= 3, f"{target} is longer than three lines"


def test_ci_runs_make_test() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "set -euo pipefail" in script and script.rstrip().endswith("make test")


@pytest.mark.parametrize("path", ["scripts/debian-packages", "scripts/npm-packages", ".ci/run"])
def test_shell_scripts_parse_and_can_be_run(path: str) -> None:
    assert (ROOT / path).stat().st_mode & 0o111
    subprocess.run(["bash", "-n", str(ROOT / path)], check=True)


def test_decision_records_are_numbered_and_complete() -> None:
    records = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert [path.name[:4] for path in records] == [f"{number:04}" for number in range(1, len(records) + 1)]
    for path in records:
        text = path.read_text(encoding="utf-8")
        assert all(f"\n## {part}\n" in text for part in ("Context", "Decision", "Consequences")), path.name


def test_the_change_log_is_open() -> None:
    assert "\n## Unreleased\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_tests_see_no_providers_variable() -> None:
    given = ["ACME_API_KEY", "OPENAI_BASE_URL", "TRUNKLINE_PORT", "https_proxy", "HTTP_PROXY", "VENDOR_SECRET", "PATH", "HOME", "CI"]
    hidden = environment.private_names(given, frozenset({"VENDOR_SECRET"}))
    assert set(given) - set(hidden) == {"PATH", "HOME", "CI"}


def test_the_built_in_providers_name_their_variables() -> None:
    assert "OPENAI_API_KEY" in environment.declared_names()
