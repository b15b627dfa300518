"""Several workers: the parent holds the listening socket and starts one process for each worker, which all accept from it.

The parent serves nothing. It says that the server is ready when the first worker is, starts a worker that died again (after a pause that
grows), hands SIGTERM and SIGHUP on, and exits 0 when all have ended. When starts fail one after another and no worker serves, it gives up.
"""

import ctypes
import logging
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from types import FrameType

from trunkline.app import environment
from trunkline.health.board import open_board
from trunkline.metering.tally import open_tally

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 60.0
LOOK_SECONDS = 0.1
STOP_SECONDS = 40.0
"""What a worker gets to finish its streams and its records; then it is killed."""
MOST_FAILURES = 5
_PR_SET_PDEATHSIG = 1

logger = logging.getLogger(__name__)


def end_with(parent: int) -> None:
    """Ask the kernel to end this process, as SIGTERM would, when its parent is gone (prctl(2)); end it now when that has happened. Linux
    only; elsewhere a no-op."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
        if os.getppid() != parent:
            sys.exit("trunkline: the parent of this worker is gone")


class Slot:
    """The place of one worker: its process now, whether it serves, and when the next may start (monotonic seconds)."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.ready = False
        self.started = 0.0
        self.pause = FIRST_PAUSE_SECONDS
        self.not_before = 0.0


class Workers:
    """Starts and watches worker processes. `command` starts one; what it has to know beside its arguments is in its environment
    (`app.environment`): the socket's descriptor, its number, the parent, and the pipe it writes its number to when it serves, the
    tally and the board."""

    def __init__(
        self, count: int, command: Sequence[str], listener: socket.socket, environ: Mapping[str, str], ready: Callable[[], None]
    ) -> None:
        self._slots = [Slot() for _ in range(count)]
        self._command = command
        self._listener = listener
        self._environ = environ
        self._ready = ready
        self._announced = False
        self._failures = 0
        self._stopping = False
        self._reloading = False
        self._reader, self._writer = os.pipe()
        self._tally = open_tally(count)
        self._board = open_board(count)

    def run(self) -> int:
        """Run until told to stop; returns the exit code: 1 when no worker can be started or one did not end well."""
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        signal.signal(signal.SIGHUP, self._reload)
        try:
            while not self._stopping and self._failures < MOST_FAILURES:
                self._fill()
                self._hear()
                self._pass_on()
            given_up = not self._stopping
            if given_up:
                logger.error("%d starts of a worker failed one after another, and none serves", self._failures)
            return 1 if self._end() or given_up else 0
        finally:
            os.close(self._reader)
            os.close(self._writer)
            os.close(self._tally)
            os.close(self._board)

    def _fill(self) -> None:
        now = time.monotonic()
        for number, slot in enumerate(self._slots):
            if slot.process is not None and slot.process.poll() is not None:
                self._bury(slot, slot.process, now)
            if slot.process is None and now >= slot.not_before and not self._stopping:
                slot.started = now
                slot.process = self._start(number)

    def _bury(self, slot: Slot, process: subprocess.Popen[bytes], now: float) -> None:
        logger.error("worker %d ended with code %s", process.pid, process.returncode)
        if now - slot.started > STEADY_SECONDS:
            slot.pause = FIRST_PAUSE_SECONDS
        slot.not_before = now + slot.pause
        slot.pause = min(slot.pause * 2, LONGEST_PAUSE_SECONDS)
        slot.process = None
        failed, slot.ready = not slot.ready, False
        if failed and not any(one.ready for one in self._slots):
            self._failures += 1

    def _start(self, number: int) -> subprocess.Popen[bytes]:
        own = {
            environment.SOCKET: str(self._listener.fileno()),
            environment.NUMBER: str(number),
            environment.READY: str(self._writer),
            environment.PARENT: str(os.getpid()),
            environment.TALLY: str(self._tally),
            environment.BOARD: str(self._board),
        }
        passed = [self._listener.fileno(), self._writer, self._tally, self._board]
        return subprocess.Popen(self._command, env={**self._environ, **own}, pass_fds=passed)

    def _hear(self) -> None:
        """Wait a moment for workers to say that they serve."""
        if not select.select([self._reader], [], [], LOOK_SECONDS)[0]:
            return
        for number in os.read(self._reader, len(self._slots)):
            self._slots[number].ready = True
        self._failures = 0
        if not self._announced:
            self._announced = True
            self._ready()

    def _pass_on(self) -> None:
        """Have the workers that serve read the configuration again; one that starts reads it anyway, and SIGHUP would end it."""
        if self._reloading:
            self._reloading = False
            self._signal([slot for slot in self._slots if slot.ready], signal.SIGHUP)

    def _end(self) -> bool:
        """Stop all workers. Returns whether one did not end as it should."""
        self._signal(self._slots, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        failed = False
        for slot in self._slots:
            if slot.process is None:
                continue
            try:
                code = slot.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                slot.process.kill()
                code = slot.process.wait()
            failed = failed or code not in ((0,) if slot.ready else (0, -signal.SIGTERM))
        return failed

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _reload(self, _number: int, _frame: FrameType | None) -> None:
        self._reloading = True

    def _signal(self, slots: Sequence[Slot], number: signal.Signals) -> None:
        for slot in slots:
            if slot.process is not None and slot.process.poll() is None:
                slot.process.send_signal(number)
