"""The peers' own environments: `python -m bench.environments` installs each into `.bench-peers/<name>`, once.

Versions are those of `bench/pins/`, closures included. Only ready-made packages are taken and no install script runs. A peer that cannot
be had is told and left out; `bench.peers` then does not find it.
"""

import hashlib
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench.processes import Missing, program

HOME = Path(__file__).resolve().parent.parent / ".bench-peers"
PINS = Path(__file__).resolve().parent / "pins"
_LONGEST_S = 1200
_STAMP = "installed"

Commands = Sequence[Sequence[str]]


def python_commands(name: str, folder: Path) -> Commands:
    """A virtual environment with exactly the wheels of `pins/<name>.txt`."""
    flags = ("--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:")
    install = (str(folder / "bin" / "python"), "-m", "pip", "install", *flags, "-r", str(PINS / f"{name}.txt"))
    return ((sys.executable, "-m", "venv", str(folder)), install)


def node_commands(name: str, folder: Path) -> Commands:
    """`node_modules` as `pins/<name>/package-lock.json` says."""
    copies = [("cp", str(PINS / name / file), str(folder)) for file in ("package.json", "package-lock.json")]
    flags = ("--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund", "--loglevel=error")
    return (*copies, (program("npm", "npm"), "ci", *flags))


ENVIRONMENTS: Mapping[str, Callable[[str, Path], Commands]] = {
    "tensorzero": python_commands,
    "portkey": node_commands,
    "litellm": python_commands,
}


def fingerprint(name: str) -> str:
    """Of the pins and of this Python: an environment made from others is made anew."""
    single = PINS / f"{name}.txt"
    files = [single] if single.is_file() else sorted((PINS / name).iterdir())
    content = b"\0".join((sys.version.encode(), *(file.read_bytes() for file in files)))
    return hashlib.sha256(content).hexdigest()


def find(name: str, home: Path = HOME) -> Path:
    """The folder of an installed environment. Raises Missing."""
    stamp = home / name / _STAMP
    if not stamp.is_file() or stamp.read_text() != fingerprint(name):
        raise Missing(f"not in {home} (python -m bench.environments)")
    return home / name


def install(name: str, commands: Callable[[str, Path], Commands], home: Path = HOME) -> Path:
    """Makes the environment anew. Raises Missing with the end of what the failed command said."""
    folder = home / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for command in commands(name, folder):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_LONGEST_S, check=False)
        if done.returncode:
            said = " ".join((done.stderr or done.stdout).split())
            raise Missing(f"`{' '.join(command[:4])} ...` failed: {said[-400:]}")
    (folder / _STAMP).write_text(fingerprint(name))
    return folder


def size_mb(folder: Path) -> float:
    """Size of all files in MB (10^6 bytes)."""
    return sum(file.lstat().st_size for file in folder.rglob("*") if not file.is_dir()) / 1e6


def main() -> None:
    """Installs what is not there yet and says how long it took and how large it is."""
    for name, commands in ENVIRONMENTS.items():
        try:
            folder = find(name)
            sys.stderr.write(f"{name}: is there, {size_mb(folder):.0f} MB\n")
            continue
        except Missing:
            started = time.monotonic()
        try:
            folder = install(name, commands)
            sys.stderr.write(f"{name}: installed in {time.monotonic() - started:.0f} s, {size_mb(folder):.0f} MB\n")
        except (Missing, OSError, subprocess.TimeoutExpired) as error:
            sys.stderr.write(f"{name} is left out: {error}\n")


if __name__ == "__main__":
    main()
