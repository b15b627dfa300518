"""`python -m bench`: the command line of the benchmark."""

import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import click

from bench.gateways import GATEWAYS, Starter
from bench.peers import PEERS, duty_rows
from bench.processes import Missing
from bench.results import Figures, derive, fold, insert, judge, markdown, table, verdict_table
from bench.rounds import Plan, measure

DOCS = Path("docs/performance.md")
RESULTS = Path("bench-results")
ROWS = {**GATEWAYS, **PEERS}
LEAD_S = 3
"""What Node.js takes to compile what is used often."""


def machine() -> str:
    """The machine in one line: processor, cores, system, Python."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    processor = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
    cores = sum(line.startswith("processor") for line in lines)
    return f"{processor}, {cores} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}"


def say(text: str) -> None:
    """Progress goes to standard error, the report to standard output."""
    sys.stderr.write(f"{text}\n")


def known(_context: click.Context, _option: click.Parameter, value: str) -> tuple[str, ...]:
    """The gateways named by `--only`."""
    names = tuple(name.strip() for name in value.split(",") if name.strip())
    unknown = sorted(set(names) - set(ROWS))
    if unknown:
        raise click.BadParameter(f"{', '.join(unknown)}: there are {', '.join(ROWS)}")
    return names


def chosen(only: Sequence[str], *, peers: bool) -> dict[str, Starter]:
    """The rows to measure. The direct row always comes along, since latencies are told from it."""
    names = {"direct", *(only or (ROWS if peers else GATEWAYS))}
    return {name: start for name, start in ROWS.items() if name in names}


def report(figures: Figures, heading: str, *, peers: bool) -> tuple[str, bool]:
    """The report as Markdown, and whether no number to beat was missed. Beside the peers nothing is judged but all duties are told."""
    derive(figures)
    folded = fold(figures)
    verdicts = [] if peers else judge(folded)
    second = markdown(duty_rows(folded)) if peers else verdict_table(verdicts)
    return f"{heading}\n\n{table(folded)}\n\n{second}\n", all(verdict.passed is not False for verdict in verdicts)


@click.command()
@click.option("--rounds", default=5, show_default=True, help="Rounds over all gateways.")
@click.option("--quick", is_flag=True, help="One round with short loads: a check of the harness, not a measurement.")
@click.option("--write-docs", is_flag=True, help=f"Write the tables into {DOCS} as well.")
@click.option("--peers", is_flag=True, help="The other gateways for language models too, with a table of their own.")
@click.option("--only", default="", callback=known, help="Gateways to measure, separated by commas.")
def main(rounds: int, quick: bool, write_docs: bool, peers: bool, only: tuple[str, ...]) -> None:
    """Measure Trunkline beside other gateways on this machine. Takes about five minutes; results go to bench-results/."""
    rows = chosen(only, peers=peers)
    plan = Plan(rows=rows, may_fail=PEERS.keys(), rounds=rounds, lead_s=LEAD_S if peers else 0)
    if quick:
        plan = Plan(rows=rows, may_fail=PEERS.keys(), rounds=1, seconds=1, each=1, streams=2, probes=1, starts=1)
    with tempfile.TemporaryDirectory(prefix="trunkline-bench-") as folder:
        try:
            figures = measure(plan, Path(folder), say)
        except Missing as error:
            raise click.ClickException(str(error)) from None
    if "trunkline" in rows and "trunkline" not in figures:
        raise click.ClickException("Trunkline itself was not measured")
    heading = f"{time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC, {plan.rounds} rounds, {machine()}"
    text, met = report(figures, heading, peers=peers)
    sys.stdout.write(text)
    mark = "bench-peers" if peers else "bench"
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{time.strftime('%Y-%m-%dT%H%M%SZ', time.gmtime())}{mark.removeprefix('bench')}.md").write_text(text)
    if write_docs:
        DOCS.write_text(insert(DOCS.read_text(encoding="utf-8"), text, mark), encoding="utf-8")
    if not met:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
