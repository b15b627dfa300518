"""Which spool segments belong to a living worker: a file lock for each owner, held until its process ends, however it ends.

An owner is a worker and one opening of its spool: `<worker id>-<8 random hex digits>`, so that no name is ever used twice.
"""

import fcntl
import os
from pathlib import Path


class Ownership:
    """The lock `<owner>.lock`. The operating system gives it free when the process dies."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor

    @property
    def owner(self) -> str:
        return self._path.stem

    @property
    def worker_id(self) -> str:
        return self.owner.rpartition("-")[0]

    def release(self, *, remove: bool) -> None:
        """Gives the lock free; `remove` deletes its file first, when no segment is left. A second call does nothing."""
        if self._descriptor < 0:
            return
        if remove:
            self._path.unlink(missing_ok=True)
        os.close(self._descriptor)
        self._descriptor = -1


def claim_new(folder: Path, worker_id: str) -> Ownership:
    """Takes a lock under a new name of `worker_id`. Raises OSError when the folder cannot be used."""
    while True:
        ownership = claim(folder, f"{worker_id}-{os.urandom(4).hex()}")
        if ownership is not None:
            return ownership


def claim(folder: Path, owner: str) -> Ownership | None:
    """Takes the lock of `owner`; None when a living process holds it. Raises OSError when the folder cannot be used."""
    path = folder / f"{owner}.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is_current(path, descriptor):
            return Ownership(path, descriptor)
    except BlockingIOError:
        pass
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def _is_current(path: Path, descriptor: int) -> bool:
    """Whether the locked file still has its name: another process may have removed it between our opening and locking."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def owners(folder: Path) -> list[str]:
    """All owners, dead or alive, that have a segment or a lock in `folder`."""
    names = {path.name.split(".")[0] for pattern in ("*.seg", "*.lock") for path in folder.glob(pattern)}
    return sorted(names)
