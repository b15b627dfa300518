"""From figures to tables: medians over the rounds, ratios to Envoy, verdicts. Pure."""

from collections.abc import Callable, Iterable, Mapping
from statistics import median
from typing import Literal

from msgspec import Struct

from bench.workload import EVENTS

Fold = Literal["median", "least", "most"]
Figures = dict[str, dict[str, list[float]]]
"""Gateway -> column -> one value for each round."""


class Column(Struct, frozen=True, kw_only=True):
    """A column of the table: its key, heading, number of decimals, whether the ratio to Envoy is shown, and how rounds are folded."""

    key: str
    heading: str
    decimals: int = 0
    ratio: bool = False
    fold: Fold = "median"


COLUMNS = (
    Column(key="plain_us", heading="plain, µs/request", ratio=True),
    Column(key="burst_us", heading="burst stream, µs/request", ratio=True),
    Column(key="burst_event_us", heading="burst, µs/event", decimals=1, ratio=True),
    Column(key="paced_event_us", heading="paced, µs/event", decimals=1, ratio=True),
    Column(key="to_messages_event_us", heading="chat in, messages out, µs/event", decimals=1),
    Column(key="from_messages_event_us", heading="messages in, chat out, µs/event", decimals=1),
    Column(key="tls_us", heading="plain, TLS upstream, µs/request", ratio=True),
    Column(key="fixed_us", heading="with tools, one endpoint, µs/request"),
    Column(key="router_us", heading="added by routing over 4, µs"),
    Column(key="preferences_us", heading="the same with preferences, µs"),
    Column(key="rps", heading="requests/s on one core, best round", fold="most"),
    Column(key="p50_us", heading="added p50, µs", fold="least"),
    Column(key="p99_us", heading="added p99, µs", fold="least"),
    Column(key="idle_mb", heading="idle, MB"),
    Column(key="loaded_mb", heading="after load, MB"),
    Column(key="ready_s", heading="ready, s", decimals=2),
)
ADDED = ("p50_us", "p99_us")
ANCHOR = "envoy"
_FOLDS: Mapping[Fold, Callable[[list[float]], float]] = {"median": median, "least": min, "most": max}
NOT_MEASURED = "-"


class Limit(Struct, frozen=True, kw_only=True):
    """A number to beat. `relative`: the limit is a ratio to Envoy in the same run."""

    what: str
    key: str
    limit: float
    unit: str = ""
    relative: bool = False


LIMITS = (
    Limit(what="plain request, CPU", key="plain_us", limit=1.5, relative=True),
    Limit(what="event of a burst, CPU", key="burst_event_us", limit=3.5, relative=True),
    Limit(what="paced event, CPU", key="paced_event_us", limit=1.6, relative=True),
    Limit(what="event of a burst, chat in, messages out, CPU", key="to_messages_event_us", limit=25, unit="µs"),
    Limit(what="event of a burst, messages in, chat out, CPU", key="from_messages_event_us", limit=25, unit="µs"),
    Limit(what="full router beside one fixed endpoint, CPU", key="router_us", limit=20, unit="µs"),
    Limit(what="added p99 at one connection", key="p99_us", limit=1000, unit="µs"),
    Limit(what="ready after start", key="ready_s", limit=1.5, unit="s"),
    Limit(what="`import trunkline`", key="import_s", limit=0.4, unit="s"),
    Limit(what="memory when idle", key="idle_mb", limit=120, unit="MB"),
)


class Verdict(Struct, frozen=True, kw_only=True):
    """A limit with what was measured. `measured` None = not measured, `passed` is then None too."""

    limit: Limit
    measured: float | None

    @property
    def passed(self) -> bool | None:
        return None if self.measured is None else self.measured <= self.limit.limit


DIFFERENCES = {"router_us": ("routed_us", "fixed_us"), "preferences_us": ("preferring_us", "fixed_us")}


def derive(figures: Figures) -> None:
    """Derives the cost of one event of a burst from the cost of the stream, and that of routing from both models of each round."""
    for columns in figures.values():
        for key, (whole, without) in DIFFERENCES.items():
            if whole in columns and without in columns:
                columns[key] = [one - other for one, other in zip(columns[whole], columns[without], strict=True)]
        for kind in ("burst", "to_messages", "from_messages"):
            if f"{kind}_us" in columns:
                columns[f"{kind}_event_us"] = [value / EVENTS for value in columns[f"{kind}_us"]]


def fold(figures: Figures) -> dict[str, dict[str, float]]:
    """One value for each gateway and column; added latencies are without the direct ones."""
    ways = {column.key: column.fold for column in COLUMNS}
    folded = {
        gateway: {key: _FOLDS[ways.get(key, "median")](values) for key, values in columns.items() if values}
        for gateway, columns in figures.items()
    }
    floor = folded.get("direct", {})
    for gateway, columns in folded.items():
        if gateway != "direct":
            columns |= {key: columns[key] - floor.get(key, 0) for key in ADDED if key in columns}
    return folded


def ratio(folded: Mapping[str, Mapping[str, float]], gateway: str, key: str) -> float | None:
    """The gateway's value over Envoy's, None if one of them is not there."""
    mine, anchor = folded.get(gateway, {}).get(key), folded.get(ANCHOR, {}).get(key)
    return mine / anchor if mine is not None and anchor else None


def _number(value: float, decimals: int) -> str:
    return f"{value:,.{decimals}f}"


def _cell(folded: Mapping[str, Mapping[str, float]], gateway: str, column: Column) -> str:
    value = folded[gateway].get(column.key)
    if value is None:
        return NOT_MEASURED
    share = ratio(folded, gateway, column.key) if column.ratio and gateway != ANCHOR else None
    return _number(value, column.decimals) + (f" ({share:.2f}x)" if share is not None else "")


def markdown(rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table; the first row is its head."""
    head, *body = [[*row] for row in rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *body))


def table(folded: Mapping[str, Mapping[str, float]]) -> str:
    """The table of all gateways. The direct row shows the round-trip itself where the others show what they add."""
    rows = [["gateway", *(column.heading for column in COLUMNS)]]
    rows += [[gateway, *(_cell(folded, gateway, column) for column in COLUMNS)] for gateway in folded]
    return markdown(rows)


def judge(folded: Mapping[str, Mapping[str, float]], gateway: str = "trunkline") -> list[Verdict]:
    """The verdict on every limit."""
    mine = folded.get(gateway, {})
    return [Verdict(limit=limit, measured=ratio(folded, gateway, limit.key) if limit.relative else mine.get(limit.key)) for limit in LIMITS]


_WORDS = {True: "met", False: "**missed**", None: "not measured"}


def verdict_table(verdicts: Iterable[Verdict]) -> str:
    """The verdicts as a table."""
    rows = [["what", "limit", "measured", "verdict"]]
    for verdict in verdicts:
        limit = verdict.limit
        unit = " x Envoy" if limit.relative else f" {limit.unit}"
        measured = NOT_MEASURED if verdict.measured is None else f"{verdict.measured:,.2f}{unit}"
        rows.append([limit.what, f"≤ {limit.limit:g}{unit}", measured, _WORDS[verdict.passed]])
    return markdown(rows)


def insert(page: str, text: str, mark: str = "bench") -> str:
    """The page with the text between its `<!-- bench:start -->` and `<!-- bench:end -->`. Raises ValueError if they are not there."""
    start, end = f"<!-- {mark}:start -->", f"<!-- {mark}:end -->"
    before, found, rest = page.partition(start)
    _, found_end, after = rest.partition(end)
    if not found or not found_end:
        raise ValueError(f"the page lacks {start} or {end}")
    return f"{before}{start}\n{text.strip()}\n{end}{after}"
