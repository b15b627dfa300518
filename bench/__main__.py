"""`python -m bench`: the command line of the benchmark."""

import platform
import sys
import tempfile
import time
from pathlib import Path

import click

from bench.gateways import GATEWAYS
from bench.processes import Missing
from bench.results import add_events, fold, insert, judge, table, verdict_table
from bench.rounds import Plan, measure

DOCS = Path("docs/performance.md")
RESULTS = Path("bench-results")


def machine() -> str:
    """The machine in one line: processor, cores, system, Python."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    processor = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
    cores = sum(line.startswith("processor") for line in lines)
    return f"{processor}, {cores} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}"


def say(text: str) -> None:
    """Progress goes to standard error, the report to standard output."""
    sys.stderr.write(f"{text}\n")


def rows(_context: click.Context, _option: click.Parameter, value: str) -> tuple[str, ...]:
    """The gateways named by `--only`; the direct row always comes along, since latencies are told from it."""
    names = tuple(name.strip() for name in value.split(",") if name.strip())
    unknown = sorted(set(names) - set(GATEWAYS))
    if unknown:
        raise click.BadParameter(f"{', '.join(unknown)}: there are {', '.join(GATEWAYS)}")
    return tuple(name for name in GATEWAYS if name in names or name == "direct")


@click.command()
@click.option("--rounds", default=5, show_default=True, help="Rounds over all gateways.")
@click.option("--quick", is_flag=True, help="One round with short loads: a check of the harness, not a measurement.")
@click.option("--write-docs", is_flag=True, help=f"Write the tables into {DOCS} as well.")
@click.option("--only", default=",".join(GATEWAYS), callback=rows, help="Gateways to measure, separated by commas.")
def main(rounds: int, quick: bool, write_docs: bool, only: tuple[str, ...]) -> None:
    """Measure Trunkline beside plain proxies on this machine. Takes about five minutes; results go to bench-results/."""
    plan = Plan(rounds=1, seconds=1, streams=2, probes=1, starts=1, names=only) if quick else Plan(rounds=rounds, names=only)
    with tempfile.TemporaryDirectory(prefix="trunkline-bench-") as folder:
        try:
            figures = measure(plan, Path(folder), say)
        except Missing as error:
            raise click.ClickException(str(error)) from None
    if "trunkline" in only and "trunkline" not in figures:
        raise click.ClickException("Trunkline itself was not measured")
    add_events(figures)
    folded = fold(figures)
    verdicts = judge(folded)
    heading = f"{time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC, {plan.rounds} rounds, {machine()}"
    report = f"{heading}\n\n{table(folded)}\n\n{verdict_table(verdicts)}\n"
    sys.stdout.write(report)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{time.strftime('%Y-%m-%dT%H%M%SZ', time.gmtime())}.md").write_text(report)
    if write_docs:
        DOCS.write_text(insert(DOCS.read_text(encoding="utf-8"), report), encoding="utf-8")
    if any(verdict.passed is False for verdict in verdicts):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
