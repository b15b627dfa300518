"""One run of the child: spawn, look, end. And the lock that leaves one child to a data folder."""

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from trunkline.local import launch

CHILD_COMMAND = (sys.executable, "-P", "-m", "trunkline.local.child")
EMBEDDER_COMMAND = (sys.executable, "-P", "-m", "trunkline.local.embedder_child")
_TAIL = 2048


class ChildProcess:
    """A running child. It is spawned from the calling thread, at once: the kernel's death signal follows the thread, so it must be one
    that stays.
    """

    def __init__(self, command: Sequence[str], order: launch.LaunchOrder, *, log: Path, environ: Mapping[str, str]) -> None:
        self._log = log
        with log.open("wb") as stderr:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                env=launch.child_environment(environ),
                cwd=log.parent,
                start_new_session=True,  # a Ctrl-C in the terminal is the gateway's to handle: it drains first
            )
        self.started_at = time.time()
        self._give(launch.encode(order))

    def _give(self, line: bytes) -> None:
        stdin = self._process.stdin
        if stdin is not None:
            try:
                stdin.write(line)
                stdin.flush()
            except BrokenPipeError:
                return  # it died at once: `running` tells

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it still runs; reaps it when it does not."""
        return self._process.poll() is None

    def end(self, *, force: bool = False) -> None:
        """Sends SIGTERM, or SIGKILL with `force`. Does nothing to a child that has ended."""
        if self.running:
            (self._process.kill if force else self._process.terminate)()

    def close(self) -> None:
        """Releases the pipe of a child that has ended."""
        if self._process.stdin is not None:
            try:
                self._process.stdin.close()
            except BrokenPipeError:
                return

    def obituary(self) -> str:
        """Why it ended: its exit code or signal, and the last line it wrote to standard error. Empty while it runs."""
        code = self._process.poll()
        if code is None:
            return ""
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        last = self._last_line()
        return f"{how}: {last}" if last else how

    def _last_line(self) -> str:
        try:
            with self._log.open("rb") as log:
                log.seek(max(0, self._log.stat().st_size - _TAIL))
                lines = log.read().decode("utf-8", "replace").split("\n")
        except OSError:
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip()), "")


class FolderLock:
    """An exclusive lock on a file. The kernel gives it back when the holder dies (flock(2)), however it dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1

    def take(self) -> bool:
        """Whether this process holds the lock now. Does not wait."""
        if self._descriptor >= 0:
            return True
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Gives the lock back; the file stays."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
