"""`python -m bench.tail`: what hedging does to the time to the first content, where a few answers are slow.

One model with three endpoints on real sockets. Most answers begin after 30 to 70 ms, a few after a second, at each endpoint as often. The
same load runs without hedging, with the extra load that is allowed by default, and with more; every pass has a gateway of its own, whose
first seconds, in which it comes to know its endpoints, are not counted.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import aiohttp
import click
import msgspec
from msgspec import Struct

from bench.__main__ import DOCS, machine, say
from bench.gateways import trunkline_environ, trunkline_key
from bench.processes import Missing, NotReady, Process, free_port
from bench.results import insert, markdown
from trunkline.mock.script import Answer, Fault, Member, Pace, Rule, Spell
from trunkline.mock.thread import MockFleet

NAMES: Final = ("red", "green", "blue")
FIRST_MS: Final = (30, 40, 50, 70)
SLOW_S: Final = 1.0
WAYS: Final = ((0.05, None), (0.05, 0.02), (0.05, 0.05), (0.01, None), (0.01, 0.02), (0.01, 0.05))
"""Shares of slow answers, and of the extra load that is allowed; None = no hedging."""
LIMIT_S: Final = 60.0


class Plan(Struct, frozen=True, kw_only=True):
    """How many requests a second, for how long, after how long a warm-up (seconds)."""

    rate: float = 50
    warm: float = 10
    seconds: float = 60


class Pass(Struct, frozen=True, kw_only=True):
    """One pass: seconds to the first content of each request, calls of endpoints, and what `GET /health` told of hedging."""

    slow: float
    share: float | None
    waits: Sequence[float]
    requests: int
    calls: int
    started: int = 0
    won: int = 0


def members(slow: float) -> list[Member]:
    """The endpoints. Of the calls that a rule leaves over the next one takes its share, so that each pace is as frequent."""
    paces = [Rule(every=len(FIRST_MS) - number, answer=Answer(events=5), pace=Pace(first_ms=ms)) for number, ms in enumerate(FIRST_MS)]
    spell = Spell(share=slow, fault=Fault(kind="slow_first", seconds=SLOW_S))
    return [Member(name=name, rules=tuple(paces), spells=(spell,)) for name in NAMES]


def configuration(share: float | None, urls: Sequence[tuple[str, str]]) -> str:
    """The gateway's configuration; `urls`: names of endpoints and their base URLs."""
    tables = ['[[models]]\nid = "tail/m"\nname = "m"\ncontext_length = 128000\noutput_modalities = ["text"]\n']
    if share is not None:
        tables.append(f"[routing]\nhedging = true\nhedging_extra_load = {share}\n")
    for name, url in urls:
        tables.append(
            f'[[providers]]\nslug = "{name}"\nname = "{name}"\ndialect = "chat"\nbase_url = "{url}"\napi_key = "k"\non_cancel = "stops"\n'
        )
        tables.append(
            f'[[endpoints]]\nmodel = "tail/m"\nprovider = "{name}"\nupstream_model = "echo-1"\n'
            'pricing = { prompt = "0.000001", completion = "0.000002" }\n'
        )
    return "\n".join(tables)


async def _ask(session: aiohttp.ClientSession, url: str) -> float:
    """Seconds to the first content: what comes before it is held back by the gateway."""
    body = {"model": "tail/m", "stream": True, "messages": [{"role": "user", "content": "Count."}]}
    started = time.monotonic()
    async with session.post(url, data=msgspec.json.encode(body)) as response:
        response.raise_for_status()
        await response.content.readany()
        waited = time.monotonic() - started
        await response.read()
    return waited


async def _load(plan: Plan, origin: str, key: str) -> tuple[list[float], dict[str, int]]:
    """Requests at a steady rate; and the counters of hedging afterwards."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    timeout = aiohttp.ClientTimeout(total=LIMIT_S)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout, headers=headers) as session:
        began, asked = time.monotonic(), []
        async with asyncio.TaskGroup() as group:
            for number in range(int((plan.warm + plan.seconds) * plan.rate)):
                await asyncio.sleep(began + number / plan.rate - time.monotonic())
                asked.append(group.create_task(_ask(session, f"{origin}/api/v1/chat/completions")))
        async with session.get(f"{origin}/health") as response:
            told = await response.json()
    return [task.result() for task in asked], told.get("hedging", {})


def play(plan: Plan, slow: float, share: float | None, folder: Path) -> Pass:
    """One pass. Raises Missing or NotReady when the gateway does not start."""
    data, path, port = folder / "data", folder / "trunkline.toml", free_port()
    data.mkdir(parents=True)
    with MockFleet(members(slow)) as mocks:
        path.write_text(configuration(share, [(name, mocks.url(name)) for name in NAMES]))
        environ = trunkline_environ(data, path)
        key = trunkline_key(environ)
        serve = [sys.executable, "-m", "trunkline", "serve", "--port", str(port)]
        with Process(serve, cores=frozenset(os.sched_getaffinity(0)), log=folder / "serve.log", environ=environ) as gateway:
            gateway.wait_ready(port, seconds=90)
            waits, told = asyncio.run(_load(plan, f"http://127.0.0.1:{port}", key))
        calls = sum(len(mocks.seen(name)) for name in NAMES)
    counted = waits[int(plan.warm * plan.rate) :]
    return Pass(
        slow=slow,
        share=share,
        waits=sorted(counted),
        requests=len(waits),
        calls=calls,
        started=told.get("started", 0),
        won=told.get("won", 0),
    )


def quantile(waits: Sequence[float], fraction: float) -> float:
    """Of waits in rising order."""
    return waits[min(int(fraction * len(waits)), len(waits) - 1)]


def report(passes: Sequence[Pass], plan: Plan) -> str:
    """The table."""
    words = (
        f"{len(NAMES)} endpoints, {plan.rate:g} streams a second for {plan.seconds:g} s. Most answers begin after {FIRST_MS[0]} to "
        f"{FIRST_MS[-1]} ms, the slow ones after {SLOW_S:g} s."
    )
    head = ("slow answers", "extra load allowed", "first content, ms (p50 / p95 / p97 / p99)", "extra calls", "hedges", "of them faster")
    rows = [
        [
            f"{one.slow:.0%}",
            "no hedging" if one.share is None else f"{one.share:.0%}",
            " / ".join(f"{1000 * quantile(one.waits, fraction):,.0f}" for fraction in (0.5, 0.95, 0.97, 0.99)),
            f"{one.calls / one.requests - 1:.1%}",
            str(one.started),
            str(one.won),
        ]
        for one in passes
    ]
    return f"{words}\n\n{markdown([head, *rows])}\n"


@click.command()
@click.option("--quick", is_flag=True, help="A few seconds each: a check of the harness, not a measurement.")
@click.option("--write-docs", is_flag=True, help=f"Write the table into {DOCS} as well.")
def main(quick: bool, write_docs: bool) -> None:
    """Measure streams whose endpoints are sometimes slow, with hedging and without it. Takes about eight minutes."""
    plan = Plan(warm=4, seconds=4) if quick else Plan()
    passes = []
    with tempfile.TemporaryDirectory(prefix="trunkline-tail-") as folder:
        for slow, share in WAYS:
            say(f"{slow:.0%} slow, extra load {share}")
            try:
                passes.append(play(plan, slow, share, Path(folder) / f"{slow}-{share}"))
            except (Missing, NotReady) as error:
                raise click.ClickException(str(error)) from None
    text = f"{time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime())}, {machine()}\n\n{report(passes, plan)}"
    sys.stdout.write(text)
    if write_docs:
        DOCS.write_text(insert(DOCS.read_text(), text, mark="tail"))


if __name__ == "__main__":
    main()
