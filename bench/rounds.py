"""The run: start everything, check every answer, then measure the gateways in turn, round after round."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from msgspec import Struct

from bench import load, probe, upstream, workload
from bench.gateways import GATEWAYS, Gateway, Place, Starter
from bench.processes import Missing, NotReady, memory_mb, settled_cpu_seconds, split_cores
from bench.results import Figures

Say = Callable[[str], None]

FAILURES = (load.LoadFailed, subprocess.TimeoutExpired, workload.WrongAnswer, probe.BrokenAnswer, OSError)
"""What a gateway that does not hold its load makes of a measurement."""


class Plan(Struct, frozen=True, kw_only=True):
    """What to measure and how long. `may_fail`: gateways that go without a figure when a request fails; with the others the run ends.

    Of wrk: `warm_s` is the length of a run before the rounds, `lead_s` of one before each that counts (V8 drops compiled code while the
    others are measured), `seconds` of one that counts. It lasts longer, up to `longest_s`, until each connection can have had `each`
    answers: requests cut off at the end cost something and are not counted. `streams`: paced streams on each of 32 connections; `probes`:
    latency probes a round.
    """

    rows: Mapping[str, Starter]
    may_fail: Collection[str] = ()
    rounds: int = 5
    warm_s: float = 1
    lead_s: float = 0
    seconds: float = 2
    each: int = 20
    longest_s: float = 15
    streams: int = 5
    probes: int = 2
    starts: int = 3


def _start(rows: Mapping[str, Starter], place: Place, say: Say) -> list[Gateway]:
    """The gateways that can be had, each checked; a word is said about the others."""
    running = []
    for name, start in rows.items():
        folder = place.folder / name
        folder.mkdir()
        try:
            gateway = start(Place(stack=place.stack, folder=folder, upstream=place.upstream, cores=place.cores))
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
            gateway.check(kind, status, body)
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

    def __init__(self, gateways: Sequence[Gateway], plan: Plan, folder: Path, say: Say) -> None:
        self.figures: Figures = {gateway.name: {} for gateway in gateways}
        self._gateways = gateways
        self._plan = plan
        self._folder = folder
        self._say = say
        self._rates: dict[tuple[str, workload.Kind], float] = {}

    def note(self, gateway: Gateway, key: str, value: float | None) -> None:
        if value is not None:
            self.figures[gateway.name].setdefault(key, []).append(value)

    def warm_up(self) -> None:
        """Every load for a while, so that caches are full, pools open and code compiled; idle memory is read before it."""
        for gateway in self._gateways:
            if gateway.process is not None:
                self.note(gateway, "idle_mb", memory_mb(gateway.process.pid))
                self.note(gateway, "ready_s", gateway.ready_s)
            for kind in gateway.ports:
                if kind != "paced":
                    self._attempt(gateway, partial(self._warm, gateway, kind, self._plan.warm_s))

    def one(self) -> None:
        """One round over all gateways."""
        for gateway in self._gateways:
            for kind in gateway.ports:
                self._attempt(gateway, partial(self._paced, gateway) if kind == "paced" else partial(self._loaded, gateway, kind))
            for _ in range(self._plan.probes):
                self._attempt(gateway, partial(self._latency, gateway))
            if gateway.process is not None:
                self.note(gateway, "loaded_mb", memory_mb(gateway.process.pid))

    def _attempt(self, gateway: Gateway, work: Callable[[], object]) -> None:
        """Does it. When one of those that may fail does, it says so and the figure is not there."""
        try:
            work()
        except FAILURES as error:
            if gateway.name not in self._plan.may_fail:
                raise
            self._say(f"{gateway.name} failed: {error}")

    def _warm(self, gateway: Gateway, kind: workload.Kind, seconds: float) -> None:
        loaded = load.run(gateway, kind, seconds=seconds, folder=self._folder)
        self._rates[gateway.name, kind] = loaded.requests / loaded.seconds

    def _seconds(self, gateway: Gateway, kind: workload.Kind) -> float:
        """How long a load of the workload lasts: longer for a slow gateway."""
        rate = self._rates.get((gateway.name, kind))
        wanted = workload.WORKLOADS[kind].connections * self._plan.each / rate if rate else 0
        return min(max(self._plan.seconds, wanted), self._plan.longest_s)

    def _latency(self, gateway: Gateway) -> None:
        p50, p99 = probe.latency(gateway)
        self.note(gateway, "p50_us", p50)
        self.note(gateway, "p99_us", p99)

    def _loaded(self, gateway: Gateway, kind: workload.Kind) -> None:
        if self._plan.lead_s:
            self._warm(gateway, kind, self._plan.lead_s)

        def work() -> int:
            loaded = load.run(gateway, kind, seconds=self._seconds(gateway, kind), folder=self._folder)
            if kind == "plain":
                self.note(gateway, "rps", loaded.requests / loaded.seconds)
            return loaded.requests

        self.note(gateway, f"{kind}_us", _cost(gateway, work))

    def _paced(self, gateway: Gateway) -> None:
        each = self._plan.streams
        self.note(gateway, "paced_event_us", _cost(gateway, lambda: probe.paced(gateway, each=each).streams * workload.EVENTS))


def import_seconds(module: str) -> float:
    """Seconds that an import takes in a fresh process, the least of 5. The command line imports everything, so each command pays for it."""
    code = f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
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
        gateways = _start(plan.rows, place, say)
        say(f"measured: {', '.join(gateway.name for gateway in gateways)}")
        rounds = Rounds(gateways, plan, folder, say)
        rounds.warm_up()
        if "trunkline" in rounds.figures:
            _starts(rounds.figures, plan, place, say)
            rounds.figures["trunkline"]["import_s"] = [import_seconds("trunkline")]
            say(f"import trunkline.cli, with all rooms: {import_seconds('trunkline.cli'):.2f} s")
        for number in range(plan.rounds):
            started = time.monotonic()
            rounds.one()
            say(f"round {number + 1} of {plan.rounds}: {time.monotonic() - started:.0f} s")
        return rounds.figures
