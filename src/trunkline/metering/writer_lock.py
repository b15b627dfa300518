"""Which worker of a data folder writes for all: the one that holds the lock `writer.lock`, in which it says where its desk is.

The lock is the kernel's (`flock`), so it is free again when its holder ends, however that ends. The file stays.
"""

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from stat import S_ISSOCK
from typing import Final

LOCK_FILE: Final = "writer.lock"
_NAME_BYTES: Final = 64


class WriterLock:
    """One worker's hand on the lock; for one thread. All methods raise OSError when the folder cannot be used."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = -1

    def take(self) -> bool:
        """Takes the lock when no other worker has it; then the desk of a holder that was killed is cleared away."""
        try:
            fcntl.flock(self._open(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        with suppress(FileNotFoundError):
            stale = self.desk()
            if S_ISSOCK(stale.lstat().st_mode):
                stale.unlink()
        return True

    def new_desk(self) -> Path:
        """A path for a desk that was never used before."""
        return self._folder / f"writer-{os.urandom(8).hex()}.sock"

    def announce(self, desk: Path) -> None:
        """The holder says where it takes parcels."""
        name = desk.name.encode()
        os.pwrite(self._open(), name, 0)
        os.ftruncate(self._open(), len(name))

    def desk(self) -> Path:
        """Where the holder takes parcels, or the last one did. Raises FileNotFoundError when nobody ever said so."""
        name = os.pread(self._open(), _NAME_BYTES, 0).decode("ascii", "replace")
        if not name:
            raise FileNotFoundError(f"{self._folder / LOCK_FILE} names no desk yet")
        return self._folder / Path(name).name

    def release(self) -> None:
        """Gives the lock free; a second call does nothing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _open(self) -> int:
        if self._file < 0:
            self._file = os.open(self._folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return self._file
