"""Keeps the local model running, from the first request that needs it until the gateway stops.

Every worker has a `LocalModel` with the same port and key. The one that gets the folder's lock runs the child; the others only ask
whether it answers, and one of them takes over when the holder dies. Nothing runs in the background: a crash is noticed, and mended, by
the next request.
"""

import asyncio
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from msgspec import Struct

from trunkline.errors import UpstreamRefused
from trunkline.local import launch, probe
from trunkline.local.backoff import LONGEST_PAUSE, Backoff
from trunkline.local.process import CHILD_COMMAND, ChildProcess, FolderLock

LOCK_NAME = "lock"
Phase = Literal["idle", "starting", "ready", "crashed", "stopped"]
_POLL = 0.03
_TRUST = 1.0
"""Seconds for which the answer of another worker's child is believed."""
_WAITED_OUT = 1.0
"""A pause before a restart of up to this many seconds is waited out by the request; a longer one is refused."""
_GRACE = 5.0


class Status(Struct, frozen=True, kw_only=True):
    """The child as this worker sees it, for the status page. `pid` is 0 and `up_seconds` 0.0 when this worker does not run it."""

    phase: Phase
    pid: int
    restarts: int
    up_seconds: float
    reason: str


class LocalModel:
    """The supervised local model of one worker. Use it on one event loop, in a thread that lasts: the child dies with it."""

    def __init__(
        self,
        weights: Path,
        *,
        folder: Path,
        port: int | None,
        api_key: str,
        environ: Mapping[str, str],
        command: Sequence[str] = CHILD_COMMAND,
        start_timeout: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`folder` (`<data-dir>/local`) holds the lock and the child's log. `port` None reserves a free one (a gateway of one worker)."""
        self._reservation = launch.reserve_port() if port is None else None
        self.port: int = self._reservation.getsockname()[1] if self._reservation is not None else port or 0
        self.base_url = f"http://{launch.HOST}:{self.port}/v1"
        self.api_key = api_key
        self._weights = weights
        self._folder = folder
        self._environ = environ
        self._command = command
        self._start_timeout = start_timeout
        self._clock = clock
        self._lock = FolderLock(folder / LOCK_NAME)
        self._backoff = Backoff()
        self._turn = asyncio.Lock()
        self._child: ChildProcess | None = None
        self._ready = False
        self._trusted_until = 0.0
        self._stopped = False
        self._reason = ""

    async def ready(self) -> None:
        """Returns when the model answers; the first call starts it, calls in between wait for the same start.

        Raises UpstreamRefused (`overloaded`, 503, with `retry_after` in seconds) while a crashed child may not be started again yet, when
        it does not come up in time, and after `stop`.
        """
        if self._is_up():
            return
        async with self._turn:
            if not self._is_up():
                await self._bring_up()

    def _is_up(self) -> bool:
        if self._child is not None:
            return self._ready and self._child.running
        return self._clock() < self._trusted_until

    async def _bring_up(self) -> None:
        deadline = self._clock() + self._start_timeout
        while not self._stopped:
            if await probe.answers(self.port, self.api_key):
                self._believe()
                return
            if self._child is None or not self._child.running:
                await self._start_if_ours()
            if self._clock() >= deadline:
                raise _refusal(
                    f"the local model did not come up within {self._start_timeout:g} s{self._suspect()}", retry_after=_WAITED_OUT
                )
            await asyncio.sleep(_POLL)
        raise _refusal("the local model is stopped", retry_after=None)

    def _believe(self) -> None:
        self._ready = self._child is not None and self._child.running
        self._trusted_until = 0.0 if self._ready else self._clock() + _TRUST

    def _suspect(self) -> str:
        return "" if self._child is not None else f"; another process holds {self._folder / LOCK_NAME}"

    async def _start_if_ours(self) -> None:
        """Starts the child if this worker holds the lock or can take it, after the pause that its crashes have earned."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self._lock.take():
                return
            self._bury()
            await self._sit_out()
            if not self._stopped:
                self._start()
        except OSError as error:
            raise _refusal(f"the local model cannot be started: {error}", retry_after=LONGEST_PAUSE) from error

    async def _sit_out(self) -> None:
        """Waits until the child may be started again, or refuses when that is long."""
        pause = self._backoff.remaining(self._clock())
        if pause > _WAITED_OUT:
            raise _refusal(f"the local model is restarting after a crash ({self._reason})", retry_after=pause)
        await asyncio.sleep(pause)

    def _start(self) -> None:
        self._backoff.started(self._clock())
        order = launch.LaunchOrder(
            weights=str(self._weights), port=self.port, api_key=self.api_key, parent=os.getpid(), threads=launch.default_threads()
        )
        self._child = ChildProcess(self._command, order, log=launch.log_path(self._folder), environ=self._environ)

    def _bury(self) -> None:
        """Takes leave of a child that has ended, keeping the reason."""
        if self._child is not None:
            self._reason = self._child.obituary()
            self._child.close()
            self._child = None
            self._ready = False

    async def stop(self) -> None:
        """Ends the child: SIGTERM, and SIGKILL after 5 s. Idempotent; `ready` raises from now on."""
        self._stopped = True
        self._trusted_until = 0.0
        if self._child is not None:
            for force, seconds in ((False, _GRACE), (True, _GRACE)):
                self._child.end(force=force)
                await _gone(self._child, seconds)
            self._bury()
        self._lock.release()
        if self._reservation is not None:
            self._reservation.close()

    def status(self) -> Status:
        """What the status page shows."""
        child = self._child if self._child is not None and self._child.running else None
        return Status(
            phase=self._phase(),
            pid=child.pid if child is not None else 0,
            restarts=max(0, self._backoff.starts - 1),
            up_seconds=max(0.0, time.time() - child.started_at) if child is not None else 0.0,
            reason=self._child.obituary() if self._child is not None and child is None else self._reason,
        )

    def _phase(self) -> Phase:
        if self._stopped:
            return "stopped"
        if self._child is not None:
            if not self._child.running:
                return "crashed"
            return "ready" if self._ready else "starting"
        return "ready" if self._clock() < self._trusted_until else "idle"


async def _gone(child: ChildProcess, seconds: float) -> None:
    """Returns when the child has ended, or after `seconds`."""
    for _ in range(round(seconds / _POLL)):
        if not child.running:
            return
        await asyncio.sleep(_POLL)


def _refusal(message: str, *, retry_after: float | None) -> UpstreamRefused:
    return UpstreamRefused("overloaded", message, status=503, retry_after=retry_after)
