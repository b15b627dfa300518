"""Several workers: the parent holds the listening socket and starts one process for each worker, which all accept from it.

The parent serves nothing. It starts a worker that died again (after a pause that grows), hands SIGTERM and SIGHUP on, and exits 0 when all
have ended.
"""

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from types import FrameType

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 60.0

logger = logging.getLogger(__name__)


class Slot:
    """The place of one worker: its process now, and when the next may start (monotonic seconds)."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.started = 0.0
        self.pause = FIRST_PAUSE_SECONDS
        self.not_before = 0.0


class Workers:
    """Starts and watches worker processes. `arguments` is the command of a worker; the socket's descriptor is handed over by
    `TRUNKLINE_WORKER_FD`."""

    def __init__(
        self, count: int, arguments: Sequence[str], listener: socket.socket, environ: Mapping[str, str], ready: Callable[[], None]
    ) -> None:
        self._slots = [Slot() for _ in range(count)]
        self._arguments = [sys.executable, "-m", "trunkline", *arguments]
        self._listener = listener
        self._environ = {**environ, "TRUNKLINE_WORKER_FD": str(listener.fileno())}
        self._ready = ready
        self._stopping = False

    def run(self) -> int:
        """Run until told to stop; returns the exit code."""
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        signal.signal(signal.SIGHUP, self._pass_on)
        self._fill()
        self._ready()
        while not self._stopping:
            time.sleep(0.1)
            self._fill()
        codes = [slot.process.wait() for slot in self._slots if slot.process is not None]
        return 0 if all(code == 0 for code in codes) else 1

    def _fill(self) -> None:
        now = time.monotonic()
        for slot in self._slots:
            if slot.process is not None and slot.process.poll() is not None:
                logger.error("worker %d ended with code %s", slot.process.pid, slot.process.returncode)
                slot.pause = FIRST_PAUSE_SECONDS if now - slot.started > STEADY_SECONDS else min(slot.pause * 2, LONGEST_PAUSE_SECONDS)
                slot.not_before = now + slot.pause
                slot.process = None
            if slot.process is None and now >= slot.not_before and not self._stopping:
                slot.started = now
                slot.process = subprocess.Popen(self._arguments, env=self._environ, pass_fds=[self._listener.fileno()])

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True
        self._signal(signal.SIGTERM)

    def _pass_on(self, number: int, _frame: FrameType | None) -> None:
        self._signal(number)

    def _signal(self, number: int) -> None:
        for slot in self._slots:
            if slot.process is not None and slot.process.poll() is None:
                os.kill(slot.process.pid, number)
