"""The run: start everything, check every answer, then measure the gateways in turn, round after round."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from msgspec import Struct

from bench import load, probe, upstream, workload
from bench.gateways import GATEWAYS, Gateway, Place
from bench.processes import Missing, NotReady, memory_mb, settled_cpu_seconds, split_cores
from bench.results import Figures

Say = Callable[[str], None]


class Plan(Struct, frozen=True, kw_only=True):
    """How long to measure. `seconds`: of one wrk run; `streams`: paced streams on each of 32 connections; `probes`: latency probes a
    round."""

    rounds: int = 5
    seconds: float = 2
    streams: int = 5
    probes: int = 2
    starts: int = 3
    names: Sequence[str] = tuple(GATEWAYS)


def _start(names: Sequence[str], place: Place, say: Say) -> list[Gateway]:
    """The gateways that can be had, each checked; a word is said about the others."""
    running = []
    for name in names:
        folder = place.folder / name
        folder.mkdir()
        try:
            gateway = GATEWAYS[name](Place(stack=place.stack, folder=folder, upstream=place.upstream, cores=place.cores))
            check(gateway)
        except (Missing, NotReady, workload.WrongAnswer, OSError) as error:
            say(f"{name} is left out: {error}")
            continue
        running.append(gateway)
    return running


def check(gateway: Gateway) -> None:
    """Asks for every workload once. Raises WrongAnswer naming the workload."""
    for kind in gateway.ports:
        status, body = probe.ask(gateway, kind)
        try:
            workload.check(workload.WORKLOADS[kind], status, body)
        except workload.WrongAnswer as error:
            raise workload.WrongAnswer(f"{kind}: {error}") from None


def _cost(gateway: Gateway, work: Callable[[], int]) -> float | None:
    """CPU microseconds of the gateway's processes for each of the requests that `work` did, the work put off included."""
    if gateway.process is None:
        work()
        return None
    before = settled_cpu_seconds(gateway.process.pid)
    requests = work()
    return (settled_cpu_seconds(gateway.process.pid) - before) / requests * 1e6


class Rounds:
    """Measures running gateways and gathers the figures."""

    def __init__(self, gateways: Sequence[Gateway], plan: Plan, folder: Path) -> None:
        self.figures: Figures = {gateway.name: {} for gateway in gateways}
        self._gateways = gateways
        self._plan = plan
        self._folder = folder

    def note(self, gateway: Gateway, key: str, value: float | None) -> None:
        if value is not None:
            self.figures[gateway.name].setdefault(key, []).append(value)

    def warm_up(self) -> None:
        """A second of every load, so that caches are full and pools are open; idle memory is read before it."""
        for gateway in self._gateways:
            if gateway.process is not None:
                self.note(gateway, "idle_mb", memory_mb(gateway.process.pid))
                self.note(gateway, "ready_s", gateway.ready_s)
            for kind in gateway.ports:
                if kind != "paced":
                    load.run(gateway, kind, seconds=1, folder=self._folder)

    def one(self) -> None:
        """One round over all gateways."""
        for gateway in self._gateways:
            for kind in gateway.ports:
                if kind != "paced":
                    self._loaded(gateway, kind)
            self._paced(gateway)
            for _ in range(self._plan.probes):
                p50, p99 = probe.latency(gateway)
                self.note(gateway, "p50_us", p50)
                self.note(gateway, "p99_us", p99)
            if gateway.process is not None:
                self.note(gateway, "loaded_mb", memory_mb(gateway.process.pid))

    def _loaded(self, gateway: Gateway, kind: workload.Kind) -> None:
        def work() -> int:
            loaded = load.run(gateway, kind, seconds=self._plan.seconds, folder=self._folder)
            if kind == "plain":
                self.note(gateway, "rps", loaded.requests / loaded.seconds)
            return loaded.requests

        self.note(gateway, f"{kind}_us", _cost(gateway, work))

    def _paced(self, gateway: Gateway) -> None:
        each = self._plan.streams
        self.note(gateway, "paced_event_us", _cost(gateway, lambda: probe.paced(gateway, each=each).streams * workload.EVENTS))


def import_seconds() -> float:
    """Seconds that `import trunkline.cli` takes in a fresh process, the least of 5: what every command pays before it starts."""
    code = "import time; t = time.perf_counter(); import trunkline, trunkline.cli; print(time.perf_counter() - t)"
    outputs = (subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout for _ in range(5))
    return min(map(float, outputs))


def _starts(figures: Figures, plan: Plan, place: Place, say: Say) -> None:
    """Further starts of Trunkline on fresh folders, for the time until it is ready."""
    for number in range(1, plan.starts):
        folder = place.folder / f"start-{number}"
        folder.mkdir()
        try:
            with ExitStack() as stack:
                again = GATEWAYS["trunkline"](Place(stack=stack, folder=folder, upstream=place.upstream, cores=place.cores))
                figures["trunkline"].setdefault("ready_s", []).append(again.ready_s)
        except (Missing, NotReady) as error:
            say(f"start {number}: {error}")


def measure(plan: Plan, folder: Path, say: Say) -> Figures:
    """The whole run in an empty folder. Ends every process it started. Raises Missing when there is nothing to measure with."""
    own, rest = split_cores()
    os.sched_setaffinity(0, rest)
    with ExitStack() as stack:
        place = Place(stack=stack, folder=folder, upstream=upstream.start(stack, folder, rest), cores=own)
        gateways = _start(plan.names, place, say)
        say(f"measured: {', '.join(gateway.name for gateway in gateways)}")
        rounds = Rounds(gateways, plan, folder)
        rounds.warm_up()
        if "trunkline" in rounds.figures:
            _starts(rounds.figures, plan, place, say)
            rounds.figures["trunkline"]["import_s"] = [import_seconds()]
        for number in range(plan.rounds):
            started = time.monotonic()
            rounds.one()
            say(f"round {number + 1} of {plan.rounds}: {time.monotonic() - started:.0f} s")
        return rounds.figures
