"""`python -m bench.planner`: what a plan costs (`trunkline.routing.plan.make_plan`), alone and without I/O.

Each case is planned often, in short batches that take turns, and the fastest batch counts: the others tell what else the machine did.
Endpoints are as a real catalogue has them (regions, limits, lists of parameters), and all of them pass the filters, so that nothing becomes
cheaper by being left out early. What plans have in common is remembered until the endpoints or their health change
(`trunkline.routing.boards`), which is at most every two seconds for an endpoint that is well: so each case is measured as it is for nearly
every request, and as it is for the first one after a change.
"""

import sys
import time
from collections.abc import Sequence
from typing import Final

import click
from msgspec import Struct

from bench.__main__ import DOCS, machine
from bench.results import insert, markdown
from trunkline.protocol.catalogue import DataPolicy, Endpoint, PriceOverride, Pricing
from trunkline.protocol.health import EndpointHealth, HealthSnapshot, Percentiles
from trunkline.protocol.routing import NO_PREFERENCES, Cutoffs, MaxPrice, Preferences, RequestFacts
from trunkline.routing.boards import Boards
from trunkline.routing.plan import make_plan

MODEL: Final = "author/model"
PARAMETERS: Final = frozenset(("temperature", "top_p", "top_k", "max_tokens", "stop", "seed", "tools", "tool_choice", "response_format"))
NEAR: Final = ("", "/eu", "/fp8", "/turbo")
"""What follows the provider in the tags of endpoints."""


def endpoint(number: int) -> Endpoint:
    """An endpoint that passes every filter of `ALL`."""
    provider = f"provider{number:02}"
    long = PriceOverride(rates={"prompt": 4_000_000, "completion": 9_000_000}, min_prompt_tokens=200_000)
    return Endpoint(
        id=f"{MODEL}@{provider}",
        model=MODEL,
        provider=provider,
        provider_name=provider.title(),
        tag=provider + NEAR[number % len(NEAR)],
        dialect="chat",
        base_url="https://provider.example/v1",
        upstream_model="model",
        pricing=Pricing(
            prompt=1_000_000 + 50_000 * number,
            completion=3_000_000 + 100_000 * number,
            input_cache_read=100_000,
            overrides=(long,) if number % 4 == 0 else (),
        ),
        data_policy=DataPolicy(training=False, zdr=True),
        context_length=131_072,
        max_completion_tokens=32_768,
        quantization=("fp8", "bf16", None)[number % 3],
        supported_parameters=PARAMETERS,
        region="eu",
    )


def measured(number: int) -> EndpointHealth:
    """A healthy endpoint with traffic. Some have used up a part of their rate limit."""
    speed = 60.0 + number % 7
    return EndpointHealth(
        headroom=0.4 if number % 5 == 4 else 1.0,
        latency=Percentiles(0.4 + number / 100, 0.6, 0.9, 1.5),
        throughput=Percentiles(speed, speed * 0.8, speed * 0.6, speed * 0.3),
        requests=2_000,
        speed=speed,
        tool_requests=1_000,
        tool_success=0.99 - number / 1_000,
    )


ENDPOINTS: Final = tuple(endpoint(number) for number in range(20))
UNMEASURED: Final = HealthSnapshot(now=1_000.0)
MEASURED: Final = HealthSnapshot(
    {one.id: measured(number) for number, one in enumerate(ENDPOINTS)}, {("provider-of-another-model", "b/n"): 1_060.0}, 1_000.0
)
PLAIN: Final = RequestFacts((MODEL,), frozenset({"temperature", "max_tokens"}), 900, 1_000)
TOOLS: Final = RequestFacts((MODEL,), frozenset({"temperature", "max_tokens", "tools", "tool_choice"}), 900, 1_000)
TALK: Final = RequestFacts((MODEL,), TOOLS.parameters, 900, 1_000, sticky=ENDPOINTS[2].id, distillable=frozenset({MODEL}), region="eu")
ALL: Final = Preferences(
    only=tuple(one.provider for one in ENDPOINTS),
    ignore=("somebody", "somebody-else"),
    require_parameters=True,
    data_collection="deny",
    zdr=True,
    quantizations=("fp8", "bf16", "unknown"),
    max_price=MaxPrice(prompt=5_000_000, completion=9_000_000, request=1, image=1, audio=1),
    partition="none",
    enforce_distillable_text=True,
    min_throughput=Cutoffs(p50=20.0, p75=15.0, p90=10.0, p99=5.0),
    max_latency=Cutoffs(p50=2.0, p75=3.0, p90=4.0, p99=5.0),
)
"""Everything a caller can prefer but `order` and `sort`: without these the first endpoint is drawn, which is the longest way."""
SORTED: Final = Preferences(**{name: getattr(ALL, name) for name in ALL.__struct_fields__} | {"sort": "throughput"})
ORDERED: Final = Preferences(
    **{name: getattr(ALL, name) for name in ALL.__struct_fields__} | {"order": tuple(one.tag for one in ENDPOINTS[::-2])}
)


class Case(Struct, frozen=True, kw_only=True):
    """One plan. `limit` in microseconds."""

    what: str
    endpoints: int
    limit: float
    facts: RequestFacts = PLAIN
    health: HealthSnapshot = MEASURED
    wish: Preferences = NO_PREFERENCES


CASES: Final = (
    Case(what="nothing measured yet", endpoints=4, limit=20, health=UNMEASURED),
    Case(what="measured", endpoints=4, limit=20),
    Case(what="measured, a request with tools (Auto Exacto)", endpoints=4, limit=20, facts=TOOLS),
    Case(what="the same in a conversation (stickiness)", endpoints=4, limit=20, facts=TALK),
    Case(what="measured, a request with tools", endpoints=20, limit=60, facts=TOOLS),
    Case(what="all preferences, first one drawn", endpoints=20, limit=60, facts=TALK, wish=ALL),
    Case(what="all preferences, by throughput", endpoints=20, limit=60, facts=TALK, wish=SORTED),
    Case(what="all preferences, in the caller's order", endpoints=20, limit=60, facts=TALK, wish=ORDERED),
)


class Cost(Struct, frozen=True):
    """Microseconds of a plan: of one like those before it, and of one whose endpoints, or their health, nobody has looked at before."""

    next: float
    first: float


def batch(case: Case, plans: int, boards: Boards | None) -> float:
    """Microseconds of one plan, over a batch of them."""
    candidates = [ENDPOINTS[: case.endpoints]]
    facts, health, wish = case.facts, case.health, case.wish
    seeds = [(number * 0.618) % 1 for number in range(plans)]
    started = time.perf_counter()
    for seed in seeds:
        make_plan(facts, candidates, health, wish, seed, boards)
    return (time.perf_counter() - started) / plans * 1e6


def measure(cases: Sequence[Case], *, batches: int, plans: int) -> list[Cost]:
    """The costs of each case, of the fastest batch."""
    boards = Boards()
    rounds = [[(batch(case, plans, boards), batch(case, plans, None)) for case in cases] for _ in range(batches)]
    return [Cost(*map(min, zip(*found, strict=True))) for found in zip(*rounds, strict=True)]


def report(cases: Sequence[Case], found: Sequence[Cost]) -> str:
    """The table."""
    rows = [["endpoints", "request", "a plan, µs", "the first one after a change, µs", "limit", "verdict"]]
    rows += [
        [
            str(case.endpoints),
            case.what,
            f"{cost.next:.1f}",
            f"{cost.first:.1f}",
            f"< {case.limit:g}",
            "met" if cost.next < case.limit else "**missed**",
        ]
        for case, cost in zip(cases, found, strict=True)
    ]
    return markdown(rows)


@click.command()
@click.option("--batches", default=1000, show_default=True, help="Batches of each case; the fastest counts.")
@click.option("--plans", default=25, show_default=True, help="Plans in a batch.")
@click.option("--write-docs", is_flag=True, help=f"Write the table into {DOCS} as well.")
def main(batches: int, plans: int, write_docs: bool) -> None:
    """Measure the planner alone. Takes about ten seconds; the machine should have nothing else to do."""
    found = measure(CASES, batches=batches, plans=plans)
    text = f"{time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC, {machine()}\n\n{report(CASES, found)}\n"
    sys.stdout.write(text)
    if write_docs:
        DOCS.write_text(insert(DOCS.read_text(encoding="utf-8"), text, "planner"), encoding="utf-8")
    if any(cost.next >= case.limit for case, cost in zip(CASES, found, strict=True)):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
