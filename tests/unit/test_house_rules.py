"""The habits that keep the code readable, as tests. CONTRIBUTING.md says why; a failure says where.

Import layers, complexity, banned calls and imports inside functions are the linters' part (`make lint`).
"""

import ast
import statistics
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "trunkline"
TESTS = ROOT / "tests"
MODULES = sorted(SOURCE.rglob("*.py"))
LONGEST_FILE = 500
LONGEST_FUNCTION = 60
MEDIAN_FILE = 120
NOT_MIRRORED = ("__init__.py", "__main__.py")
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "base", "misc"}
# The forbidden words are put together here, so that this file does not hold them.
UNFINISHED = ("TO" + "DO", "FIX" + "ME", "X" * 3)
REGISTRIES = ("pypi" + ".org", "python" + "hosted.org", "npm" + "js.org", "yarn" + "pkg.com", "deb." + "debian.org")
WORKPLACE = ("../" + "shared", "/work/" + "shared", "/work/" + "notes", ".lib" + "rary/")


def tracked() -> list[Path]:
    """Every file that git tracks or would track; in a copy without git, every file outside of hidden folders."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        found = [ROOT / name for name in listed.stdout.split("\0") if name]
    else:
        found = [path for path in ROOT.rglob("*") if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)]
    return [path for path in found if path.is_file()]


def texts() -> Iterator[tuple[Path, str]]:
    """The tracked text files, with their text."""
    for path in tracked():
        content = path.read_bytes()
        if b"\0" not in content[:8192]:
            yield path, content.decode("utf-8", "replace")


def name_of(path: Path) -> str:
    """The path as a reader writes it."""
    return path.relative_to(ROOT).as_posix()


def is_migration(path: Path) -> bool:
    """Whether the file is one step of a schema's history: written once, tested by the migration tests."""
    return "migrations" in path.parts


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The functions and methods of a module, inner ones too."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_every_module_has_its_test_file() -> None:
    missing = []
    for module in MODULES:
        inside = module.relative_to(SOURCE)
        if module.name in NOT_MIRRORED or is_migration(module):
            continue
        if not (TESTS / "unit" / inside.parent / f"test_{module.name}").is_file():
            missing.append(name_of(module))
    assert not missing, "no tests/unit/**/test_*.py for these: " + ", ".join(missing)


def test_no_file_is_long_and_the_median_is_short() -> None:
    lines = {name_of(module): len(module.read_text(encoding="utf-8").splitlines()) for module in [*MODULES, *TESTS.rglob("*.py")]}
    assert not {name: count for name, count in lines.items() if count > LONGEST_FILE}
    assert statistics.median(count for name, count in lines.items() if name.startswith("src/")) <= MEDIAN_FILE


def test_no_function_is_long() -> None:
    long = [
        f"{name_of(module)}:{function.lineno} {function.name}"
        for module in MODULES
        if not is_migration(module)
        for function in functions(module)
        if (function.end_lineno or 0) - function.lineno >= LONGEST_FUNCTION
    ]
    assert not long, f"above {LONGEST_FUNCTION} lines: " + ", ".join(long)


def test_no_file_has_a_name_that_says_nothing() -> None:
    assert not [name_of(path) for path in [*MODULES, *TESTS.rglob("*.py")] if path.stem in VAGUE_NAMES or path.parent.name in VAGUE_NAMES]


def test_every_package_tells_its_story() -> None:
    silent = []
    for module in MODULES:
        story = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8")))
        if not story and (module.name != "__init__.py" or len(list(module.parent.glob("*.py"))) > 1):
            silent.append(name_of(module))
    assert not silent, "no docstring: " + ", ".join(silent)


def test_every_public_function_and_class_says_what_it_means() -> None:
    silent = [
        f"{name_of(module)}:{node.lineno} {node.name}"
        for module in MODULES
        if not is_migration(module)
        for node in ast.parse(module.read_text(encoding="utf-8")).body
        if _owes_docstring(node) and not ast.get_docstring(node)
    ]
    assert not silent, "no docstring: " + ", ".join(silent)


def _owes_docstring(node: ast.stmt) -> TypeGuard[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """Public functions, and public classes with methods; a record of plain fields may be told by its module."""
    if isinstance(node, ast.ClassDef):
        return not node.name.startswith("_") and any(isinstance(step, ast.FunctionDef | ast.AsyncFunctionDef) for step in node.body)
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_")


def test_no_error_is_swallowed_whole() -> None:
    found = [
        f"{name_of(module)}:{node.lineno}"
        for module in MODULES
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler) and _is_broad(node.type) and all(isinstance(step, ast.Pass) for step in node.body)
    ]
    assert not found, "except Exception: pass at " + ", ".join(found)


def _is_broad(kind: ast.expr | None) -> bool:
    return kind is None or (isinstance(kind, ast.Name) and kind.id in ("Exception", "BaseException"))


def test_no_import_hides_in_a_function() -> None:
    hidden = [
        f"{name_of(module)}:{node.lineno}"
        for module in MODULES
        for function in functions(module)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert not hidden, ", ".join(hidden)


def test_no_work_is_left_as_a_note() -> None:
    kept = {".py", ".md", ".toml", ".ts", ".css", ".html", ".jinja", ""}
    found = [
        f"{name_of(path)}: {word}"
        for path, text in texts()
        if path.suffix in kept and TESTS / "contract" not in path.parents
        for word in UNFINISHED
        if word in text
    ]
    assert not found, ", ".join(found)


@pytest.mark.parametrize("host", REGISTRIES)
def test_no_file_names_a_package_registry(host: str) -> None:
    assert not [name_of(path) for path, text in texts() if host in text]


@pytest.mark.parametrize("words", WORKPLACE)
def test_nothing_but_tests_knows_the_place_where_it_was_written(words: str) -> None:
    assert not [name_of(path) for path, text in texts() if words in text and TESTS not in path.parents]


def test_the_architecture_tells_every_room() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = [line.split("`")[1] for line in page.partition("## Rooms")[2].partition("\n## ")[0].splitlines() if line.startswith("| `")]
    rooms = [f"{entry.parent.name}/" for entry in SOURCE.glob("*/__init__.py")] + [entry.name for entry in SOURCE.glob("*.py")]
    assert sorted(rows) == sorted(set(rooms) - set(NOT_MIRRORED))


def test_the_architecture_names_every_dialect_and_operation() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    (row,) = [line for line in page.splitlines() if line.startswith("| `dialects/`")]
    packages = {entry.parent.name for entry in (SOURCE / "dialects").glob("*/__init__.py")}
    assert not {name for name in packages if f"`{name}`" not in row}
