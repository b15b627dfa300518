"""Writes requirements/*.txt from pyproject.toml: exact versions and hashes, and no word about where the packages come from.

    runtime.txt   what the gateway needs, with its optional parts: the local model's engine and the driver of PostgreSQL
    dev.txt       lint, tests and the build backend, in versions that agree with runtime.txt
    bench.txt     what `make bench` measures against

Run it with `make lock`, on the oldest Python that the project supports: later ones need a subset of what it needs.
"""

import subprocess
import sys
import tomllib
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
FLAGS = (
    "--quiet",
    "--generate-hashes",
    "--strip-extras",
    "--no-header",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--no-emit-trusted-host",
    "--no-emit-options",
    "--allow-unsafe",
    "--annotation-style=line",
)
NOT_IN_A_LOCK = ("--index-url", "--extra-index-url", "--find-links", "--trusted-host", "://")


class Lock(NamedTuple):
    """One file: its name, what goes in, and the files that its versions must agree with."""

    name: str
    requirements: Sequence[str]
    agrees_with: Sequence[str] = ()


def locks(pyproject: Path) -> list[Lock]:
    """The files to write, from the tables of pyproject.toml."""
    tables = tomllib.loads(pyproject.read_text(encoding="utf-8"))
    project, groups = tables["project"], tables["dependency-groups"]
    build = [*tables["build-system"]["requires"], "editables"]
    return [
        Lock("runtime.txt", [*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())]),
        Lock("dev.txt", [*groups["lint"], *groups["test"], *build], ["runtime.txt"]),
        Lock("bench.txt", groups["bench"], ["runtime.txt", "dev.txt"]),
    ]


def compile_lock(lock: Lock, folder: Path) -> None:
    """Resolves one file with pip-compile. Versions already in it stay unless `--upgrade` is among this script's arguments."""
    source = "\n".join([*lock.requirements, *(f"-c {folder / other}" for other in lock.agrees_with)])
    command = [sys.executable, "-m", "piptools", "compile", *FLAGS, *sys.argv[1:], "--output-file", str(folder / lock.name), "-"]
    subprocess.run(command, input=source, text=True, check=True, cwd=ROOT)
    text = (folder / lock.name).read_text(encoding="utf-8")
    text = "\n".join(line.replace(f"{folder}/", "").replace("-r -", "pyproject.toml") for line in text.splitlines()) + "\n"
    if found := [word for word in NOT_IN_A_LOCK if word in text]:
        raise SystemExit(f"{lock.name} names where packages come from: {', '.join(found)}")
    (folder / lock.name).write_text(f"# Written by `make lock` from pyproject.toml.\n{text}", encoding="utf-8")


def main() -> None:
    """Writes all files, in order: later ones agree with earlier ones."""
    folder = ROOT / "requirements"
    folder.mkdir(exist_ok=True)
    for lock in locks(ROOT / "pyproject.toml"):
        compile_lock(lock, folder)
        print(f"wrote requirements/{lock.name}")


if __name__ == "__main__":
    main()
