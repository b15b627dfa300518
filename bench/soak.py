"""`python -m bench.soak` (`make soak`): Trunkline for a long time under mixed calls and misbehaving upstreams, with memory, files, tasks
and latency watched, and every answer read.

A part of the calls is for models with one endpoint, each with a fault of its own; the other part needs the router: several endpoints in
several dialects, preferences, fallback models, conversations, tools, kept answers, healing, and the Auto Router (`bench.scenes`).
"""

import asyncio
import os
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path

import click
import msgspec

from bench import junction
from bench.gateways import trunkline_environ, trunkline_key
from bench.probe import Answer, BrokenAnswer, percentiles
from bench.processes import Missing, NotReady, Process, free_port, open_files, resident_mb
from bench.results import markdown
from bench.scenes import SCENES, Sample, Scene, config, judge, outcome, request
from trunkline.mock.script import Script

CALLERS = 16
PAUSE_S = 0.1
COMPLAINTS = 50
"""How many different ones are told."""
KINDS = ("whole", "cut", "refused", "left", "kept", "wrong")
"""What can come of a call; `kept` are those of the whole answers that had been given before."""


class Caller:
    """One client: calls scenes one after the other on a connection it keeps while it can."""

    def __init__(self, port: int, key: str, seed: int, tally: "Tally") -> None:
        self._port = port
        self._key = key
        self._seed = seed
        self._random = random.Random(seed)  # noqa: S311  a load needs no secrecy
        self._tally = tally
        self._writer: asyncio.StreamWriter | None = None

    async def run(self, until: float) -> None:
        """Calls until the moment (monotonic seconds)."""
        number = 0
        while time.monotonic() < until:
            scene = self._random.choices(SCENES, [scene.weight for scene in SCENES])[0]
            number += 1
            try:
                await self._call(scene, number * CALLERS + self._seed)
            except (OSError, BrokenAnswer, TimeoutError) as error:
                self._tally.wrong_answer(scene, str(error))
                self._drop()
            await asyncio.sleep(self._random.random() * 2 * PAUSE_S)
        self._drop()

    def _drop(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    async def _call(self, scene: Scene, number: int) -> None:
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        started = time.perf_counter()
        answer = Answer()
        received = 0
        self._writer.write(request(scene, self._key, number))
        while not answer.complete:
            data = await asyncio.wait_for(self._reader.read(65536), timeout=30)
            if not data:
                raise BrokenAnswer("the connection ended inside an answer")
            answer.feed(data)
            received += len(data)
            if scene.leave_after and received >= scene.leave_after:
                self._drop()
                self._tally.left(scene)
                return
        self._tally.answered(scene, number, answer, time.perf_counter() - started)


class Tally:
    """What came back, summed up between samples."""

    def __init__(self) -> None:
        self.calls = 0
        self.wrong = 0
        self.complaints: dict[str, int] = {}
        self.outcomes: dict[str, Counter[str]] = {scene.name: Counter() for scene in SCENES}
        self._plain: list[float] = []

    def left(self, scene: Scene) -> None:
        """A client left its answer."""
        self.calls += 1
        self.outcomes[scene.name]["left"] += 1

    def answered(self, scene: Scene, number: int, answer: Answer, seconds: float) -> None:
        """A whole HTTP answer came."""
        self.calls += 1
        came = outcome(scene, number, answer.status, b"".join(answer.pieces))
        if came.kind == "wrong":
            self.wrong_answer(scene, came.why)
        else:
            self.outcomes[scene.name][came.kind] += 1
            self.outcomes[scene.name]["kept"] += answer.headers.get(b"x-openrouter-cache-status") == b"HIT"
        if scene.name == "plain":
            self._plain.append(seconds * 1000)

    def wrong_answer(self, scene: Scene, what: str) -> None:
        self.wrong += 1
        self.outcomes[scene.name]["wrong"] += 1
        text = f"{scene.name}: {what}"
        self.complaints[text] = self.complaints.get(text, 0) + 1

    def latency(self) -> tuple[float, float]:
        """p50 and p99 in milliseconds of the plain calls since the last time; zero for fewer than two."""
        taken, self._plain = self._plain, []
        return percentiles(taken) if len(taken) > 1 else (0.0, 0.0)


def _folder_mb(folder: Path) -> float:
    total = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            total += path.stat().st_size
    return total / 1e6


async def _tasks(port: int) -> int:
    """How many tasks the gateway's event loop has, by its own word."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    body = (await reader.read()).partition(b"\r\n\r\n")[2]
    writer.close()
    tasks: int = msgspec.json.decode(body)["tasks"]
    return tasks


async def _watch(gateway: Process, port: int, data: Path, tally: Tally, until: float, samples: list[Sample]) -> None:
    """Takes a sample every sixtieth of the time, but at least 2 seconds apart."""
    started = time.monotonic()
    step = max(2.0, (until - started) / 60)
    while time.monotonic() + step <= until:
        await asyncio.sleep(step)
        p50, p99 = tally.latency()
        sample = Sample(
            minutes=(time.monotonic() - started) / 60,
            calls=tally.calls,
            wrong=tally.wrong,
            rss_mb=resident_mb(gateway.pid),
            files=open_files(gateway.pid),
            tasks=await _tasks(port),
            p50_ms=p50,
            p99_ms=p99,
            data_mb=_folder_mb(data),
        )
        samples.append(sample)
        sys.stderr.write(
            f"{sample.minutes:.1f} min: {sample.calls} calls, {sample.wrong} wrong, {sample.rss_mb:.0f} MB, {sample.files} files, "
            f"{sample.tasks} tasks, p50 {p50:.1f} ms\n"
        )


async def _soak(gateway: Process, port: int, key: str, data: Path, minutes: float) -> tuple[list[Sample], Tally]:
    tally, samples = Tally(), list[Sample]()
    until = time.monotonic() + minutes * 60
    async with asyncio.TaskGroup() as group:
        for seed in range(CALLERS):
            group.create_task(Caller(port, key, seed, tally).run(until))
        group.create_task(_watch(gateway, port, data, tally, until, samples))
    return samples, tally


def soak(folder: Path, minutes: float) -> tuple[list[Sample], Tally]:
    """Starts mock and gateway in the folder, calls for that long, and ends both. Raises Missing or NotReady."""
    mock_port, port = free_port(), free_port()
    fleet = junction.members(minutes * 60 + 60, [free_port() for _ in junction.ROADS])
    data, path, script = folder / "data", folder / "trunkline.toml", folder / "mock.json"
    data.mkdir()
    script.write_bytes(msgspec.json.encode(Script(fleet=tuple(fleet))))
    path.write_text(config(f"http://127.0.0.1:{mock_port}/v1", {one.name: f"http://127.0.0.1:{one.port}/v1" for one in fleet}))
    environ = trunkline_environ(data, path)
    cores = frozenset(os.sched_getaffinity(0))
    with ExitStack() as stack:
        play = [sys.executable, "-m", "trunkline", "mock", "--port", str(mock_port), "--script", str(script)]
        mock = Process(play, cores=cores, log=folder / "mock.log", environ=environ)
        stack.enter_context(mock).wait_ready(mock_port)
        key = trunkline_key(environ)
        serve = [sys.executable, "-m", "trunkline", "serve", "--port", str(port)]
        gateway = stack.enter_context(Process(serve, cores=cores, log=folder / "serve.log", environ=environ))
        gateway.wait_ready(port)
        return asyncio.run(_soak(gateway, port, key, data, minutes))


def report(samples: list[Sample], tally: Tally) -> str:
    """Table of at most 20 samples, what came of each kind of call, complaints, and verdict."""
    step = -(-len(samples) // 20) if samples else 1
    rows = [["minutes", "calls", "wrong", "RSS, MB", "open files", "tasks", "plain p50, ms", "p99, ms", "data, MB"]]
    rows += [
        [
            f"{s.minutes:.1f}",
            f"{s.calls}",
            f"{s.wrong}",
            f"{s.rss_mb:.1f}",
            f"{s.files}",
            f"{s.tasks}",
            f"{s.p50_ms:.1f}",
            f"{s.p99_ms:.1f}",
            f"{s.data_mb:.1f}",
        ]
        for s in samples[::step]
    ]
    complaints = "".join(f"- {count} x {text}\n" for text, count in sorted(tally.complaints.items())[:COMPLAINTS])
    came = markdown([["scene", *KINDS], *([name, *(str(found[kind]) for kind in KINDS)] for name, found in tally.outcomes.items())])
    verdicts = judge(samples)
    words = ", ".join(f"{what} {'flat' if flat else 'NOT FLAT'}" for what, flat in verdicts.items() if what != "answers")
    verdict = f"Verdict: {words or 'too short to judge'}; {tally.wrong} wrong answers of {tally.calls}\n"
    return f"{markdown(rows)}\n\n{came}\n\n{complaints}{verdict}"


@click.command()
@click.option("--minutes", default=30.0, show_default=True, help="How long.")
def main(minutes: float) -> None:
    """Run Trunkline for a long time under mixed calls and a misbehaving upstream, and tell whether it stays flat."""
    with tempfile.TemporaryDirectory(prefix="trunkline-soak-") as folder:
        try:
            samples, tally = soak(Path(folder), minutes)
        except (Missing, NotReady) as error:
            raise click.ClickException(str(error)) from None
    sys.stdout.write(report(samples, tally))
    if not all(judge(samples).values()):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
