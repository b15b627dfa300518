"""The locks on a data folder: every process that has it open holds a share of it, a restore needs it alone, and starts check it one at a
time.

The locks are the kernel's (`flock`), so they go with their process, however that ends.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trunkline.errors import ConfigError

LOCK_FILE = "storage.lock"
START_FILE = "start.lock"


@contextmanager
def one_at_a_time(data_dir: Path) -> Iterator[None]:
    """Waits until no other process creates or upgrades the databases in `data_dir`."""
    file = os.open(data_dir / START_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


@contextmanager
def claimed(data_dir: Path, task: str) -> Iterator[bool]:
    """Claims a task without waiting, until the end of the `with`; False when another process has it."""
    file = os.open(data_dir / f"{task}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield _is_free(file)
    finally:
        os.close(file)


def _is_free(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class FolderLock:
    """A held lock; `release` gives it back, and so does the end of the process."""

    def __init__(self, data_dir: Path, *, alone: bool = False) -> None:
        """Takes the lock at once. Raises ConfigError when others hold it in a way that excludes this."""
        self._file = os.open(data_dir / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            what = "the folder is in use by a running server or command" if alone else "the folder is being restored"
            raise ConfigError(str(data_dir), what, "stop it, or wait until it has finished, and try again") from None

    def release(self) -> None:
        """Gives the lock back; a second call does nothing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
