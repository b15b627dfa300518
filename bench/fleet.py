"""`python -m bench.fleet`: thirty endpoints on real sockets, a third of which is always in trouble, behind the router and without it.

Requests come at a steady rate, streamed and whole, for models that have five endpoints each. Routed, the model's name is all that is said;
fixed, each request names one endpoint, drawn evenly, and no other may step in. Told are the share of requests that brought a whole answer
among those whose outcome was open before their first content, how answers ended that broke off after it, how soon dead endpoints were
left, and how soon those that recovered were used again. Every pass has a fleet and a gateway of its own and the same troubles.
"""

import asyncio
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Final, Literal

import aiohttp
import click
import msgspec
from msgspec import Struct

from bench.__main__ import DOCS, machine, say
from bench.gateways import trunkline_environ, trunkline_key
from bench.market import EACH, MODELS, TEXT, Outage, Plan, configuration, house, members, outages
from bench.processes import Missing, NotReady, Process, free_port
from bench.results import insert, markdown
from trunkline.mock.seen import Seen
from trunkline.mock.thread import MockFleet

Way = Literal["routed", "fixed"]
Outcome = Literal["whole", "cut", "refused", "dishonest"]
GOAL: Final = 0.999
STREAMED: Final = 0.8
LIMIT_S: Final = 60.0
BURST_S: Final = 10.0
"""Calls of a dead endpoint that follow its first one so soon belong to the discovery of its death."""


class Answered(Struct, frozen=True):
    """What came of one request. `why`: of what was no whole answer."""

    outcome: Outcome
    seconds: float
    why: str = ""


class Pass(Struct, frozen=True):
    """One pass: its answers, and what each endpoint saw; times of `seen` count from the start."""

    way: Way
    answers: Sequence[Answered]
    seen: Mapping[str, Sequence[tuple[float, Seen]]]

    def count(self, outcome: Outcome) -> int:
        """How many requests had this outcome."""
        return sum(one.outcome == outcome for one in self.answers)

    @property
    def success(self) -> float:
        """Whole answers among the requests whose outcome was open before their first content: all but those cut after it."""
        return self.count("whole") / max(1, len(self.answers) - self.count("cut"))


def judge_stream(body: bytes) -> tuple[Outcome, str]:
    """A whole answer; or content and then an error that says so; or an error before any content; anything else is dishonest."""
    payloads = [line[6:] for line in body.split(b"\n") if line.startswith(b"data: ")]
    events = [msgspec.json.decode(payload, type=dict) for payload in payloads if payload != b"[DONE]"]
    choices = [choice for event in events for choice in event["choices"]]
    text = "".join(choice["delta"].get("content") or "" for choice in choices)
    finishes = [choice["finish_reason"] for choice in choices if choice["finish_reason"]]
    errors = [event["error"]["message"] for event in events if "error" in event]
    ended = bool(payloads) and payloads[-1] == b"[DONE]"
    if ended and not errors and (text, finishes) == (TEXT, ["stop"]):
        return "whole", ""
    if ended and len(errors) == 1 and finishes == ["error"] and TEXT.startswith(text):
        return ("cut" if text else "refused"), str(errors[0])
    return "dishonest", body[-200:].decode("utf-8", "replace")


def judge_whole(body: bytes) -> tuple[Outcome, str]:
    """A whole answer, or a dishonest one."""
    (choice,) = msgspec.json.decode(body, type=dict)["choices"]
    if (choice["message"]["content"], choice["finish_reason"]) == (TEXT, "stop"):
        return "whole", ""
    return "dishonest", body[-200:].decode("utf-8", "replace")


def request(way: Way, chance: random.Random) -> dict[str, object]:
    """The body of a request."""
    model = chance.randrange(MODELS)
    body: dict[str, object] = {
        "model": f"fleet/m{model}",
        "stream": chance.random() < STREAMED,
        "messages": [{"role": "user", "content": "Count."}],
    }
    if way == "fixed":
        body["provider"] = {"only": [house(model, chance.randrange(EACH))], "allow_fallbacks": False}
    return body


async def _ask(session: aiohttp.ClientSession, url: str, body: Mapping[str, object]) -> Answered:
    started = time.monotonic()
    try:
        async with session.post(url, data=msgspec.json.encode(body)) as response:
            data = await response.read()
            status = response.status
    except (aiohttp.ClientError, TimeoutError) as error:
        return Answered("dishonest", time.monotonic() - started, repr(error))
    if status != 200:
        outcome: Outcome = "refused"
        why = f"{status}: {data[:300].decode('utf-8', 'replace')}"
    else:
        outcome, why = judge_stream(data) if body["stream"] else judge_whole(data)
    return Answered(outcome, time.monotonic() - started, why)


async def _load(plan: Plan, way: Way, port: int, key: str, began: float) -> list[Answered]:
    """Requests at a steady rate until the plan's end, whatever becomes of those before."""
    chance = random.Random(plan.seed)  # noqa: S311  a load needs no secrecy
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    url = f"http://127.0.0.1:{port}/api/v1/chat/completions"
    timeout = aiohttp.ClientTimeout(total=LIMIT_S)
    length = plan.length if way == "routed" else plan.phases * plan.seconds
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout, headers=headers) as session,
        asyncio.TaskGroup() as group,
    ):
        asked = []
        for number in range(int(length * plan.rate)):
            await asyncio.sleep(began + number / plan.rate - time.monotonic())
            asked.append(group.create_task(_ask(session, url, request(way, chance))))
    return [task.result() for task in asked]


def play(plan: Plan, way: Way, folder: Path) -> Pass:
    """One pass. Raises Missing or NotReady when the gateway does not start."""
    data, path, port = folder / "data", folder / "trunkline.toml", free_port()
    data.mkdir(parents=True)
    fleet = members(plan, outages(plan))
    with MockFleet(fleet) as mocks:
        path.write_text(configuration(plan, [(one.name, mocks.url(one.name)) for one in fleet]))
        environ = trunkline_environ(data, path)
        key = trunkline_key(environ)
        serve = [sys.executable, "-m", "trunkline", "serve", "--port", str(port)]
        with Process(serve, cores=frozenset(os.sched_getaffinity(0)), log=folder / "serve.log", environ=environ) as gateway:
            gateway.wait_ready(port, seconds=90)
            mocks.restart()
            began, began_at = time.monotonic(), time.time()
            answers = asyncio.run(_load(plan, way, port, key, began))
        seen = {one.name: [(call.at - began_at, call) for call in mocks.seen(one.name)] for one in fleet}
    return Pass(way, answers, seen)


class Death(Struct, frozen=True):
    """How an endpoint was left that answered nobody. `calls`: those it got meanwhile; `seconds`: from the first of them to the last of the
    burst that it took to see that it was dead, 0 for one call."""

    outage: Outage
    calls: int
    seconds: float


def deaths(done: Pass, events: Sequence[Outage]) -> list[Death]:
    """For each outage that let nothing through and was noticed."""
    found = []
    for outage in events:
        calls = [at for at, _ in done.seen[outage.house] if outage.start <= at < outage.end]
        if outage.trouble.dead and calls:
            burst = [at for at in calls if at - calls[0] <= BURST_S]
            found.append(Death(outage, len(calls), burst[-1] - burst[0]))
    return found


def returns(done: Pass, events: Sequence[Outage], until: float) -> list[float]:
    """Seconds from the end of each outage that was noticed to the first request that the endpoint served again; without those that were not
    used again before the next trouble, or the end at `until`."""
    found = []
    for outage in events:
        if outage.trouble.dead and outage.end < until and any(outage.start <= at < outage.end for at, _ in done.seen[outage.house]):
            served = [at - outage.end for at, call in done.seen[outage.house] if at >= outage.end and not call.fault]
            found += served[:1]
    return found


def _spread(values: Sequence[float], decimals: int = 1) -> str:
    """Median and maximum."""
    return f"{median(values):.{decimals}f} (at most {max(values):.{decimals}f})" if values else "-"


def _row(done: Pass, plan: Plan, events: Sequence[Outage]) -> list[str]:
    left, back = deaths(done, events), returns(done, events, plan.length)
    waited = sorted(one.seconds for one in done.answers if one.outcome == "whole")
    cut = done.count("cut")
    return [
        done.way,
        f"{len(done.answers):,}",
        f"{done.success:.2%}",
        str(done.count("refused")),
        f"{cut}, {done.count('dishonest')} of them without an honest error" if done.count("dishonest") else f"{cut}, all told by an error",
        f"{waited[len(waited) // 2]:.2f} / {waited[len(waited) * 99 // 100]:.2f}" if waited else "-",
        _spread([one.seconds for one in left]) if done.way == "routed" else "never",
        _spread([one.calls for one in left], 0),
        _spread(back) if done.way == "routed" else "-",
    ]


_HEAD: Final = (
    "way",
    "requests",
    "whole answers of those open before content",
    "failed before content",
    "cut after content",
    "whole answers, s (p50 / p99)",
    "to leave a dead endpoint, s",
    "calls of a dead endpoint",
    "to come back, s",
)


def report(passes: Sequence[Pass], plan: Plan) -> str:
    """The tables."""
    events = outages(plan)
    kinds = dict.fromkeys(one.trouble.name for one in events)
    words = (
        f"{MODELS * EACH} endpoints, {MODELS} models with {EACH} each. {plan.rate:g} requests a second, {STREAMED:.0%} of them streamed. "
        f"{len(events) // plan.phases} endpoints at a time are in trouble for {plan.seconds:g} s, {plan.phases} times, then all are well "
        f"for {plan.rest:g} s. An endpoint has {plan.patience:g} s for its first content.\nKinds of trouble: {'; '.join(kinds)}."
    )
    rows = [_HEAD, *(_row(done, plan, events) for done in passes)]
    whys = Counter(
        one.why[:160] for done in passes if done.way == "routed" for one in done.answers if one.outcome in ("refused", "dishonest")
    )
    told = "".join(f"- {count} x {why}\n" for why, count in whys.most_common(10))
    return f"{words}\n\n{markdown(rows)}\n" + (f"\nRouted requests that failed:\n\n{told}" if told else "")


@click.command()
@click.option("--quick", is_flag=True, help="A quarter of a minute: a check of the harness, not a measurement.")
@click.option("--write-docs", is_flag=True, help=f"Write the table into {DOCS} as well.")
def main(quick: bool, write_docs: bool) -> None:
    """Route through a failing fleet, and call it without a router. Takes about five minutes."""
    plan = Plan(phases=2, seconds=5, rest=2) if quick else Plan()
    passes = []
    with tempfile.TemporaryDirectory(prefix="trunkline-fleet-") as folder:
        for way in ("routed", "fixed"):
            say(way)
            try:
                passes.append(play(plan, way, Path(folder) / way))
            except (Missing, NotReady) as error:
                raise click.ClickException(str(error)) from None
    text = f"{time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime())}, {machine()}\n\n{report(passes, plan)}"
    sys.stdout.write(text)
    if write_docs:
        DOCS.write_text(insert(DOCS.read_text(), text, mark="fleet"))
    if passes[0].success < GOAL or any(one.count("dishonest") for one in passes):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
