"""Reads `trunkline.toml` and checks its outline; each table is checked where it is turned into a Struct."""

import datetime
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from trunkline.catalogue.vocabulary import Task
from trunkline.errors import ConfigError
from trunkline.providers.tables import parse, read


class StorageTable(Struct, frozen=True, forbid_unknown_fields=True):
    """How long what is stored is kept. Only the operator's own file is asked."""

    generation_days: (
        Annotated[
            int,
            Meta(
                ge=1,
                le=36_500,
                description="Generations are removed, within an hour, when their UTC day ended so many days ago; absent = never. "
                "Sums by day, the ledger and keys stay.",
            ),
        ]
        | None
    ) = None


Score = Annotated[float, Meta(ge=0, le=1)]


class TrafficTable(Struct, frozen=True, forbid_unknown_fields=True):
    """How `openrouter/auto` learns from what callers choose themselves. Only the operator's own file is asked."""

    rank: Annotated[
        bool,
        Meta(description="Whether models on which callers spent most for a kind of task come first, once there is enough of it."),
    ] = True
    sample_seconds: Annotated[
        float,
        Meta(
            ge=0,
            le=86_400,
            description="Of the requests that name their model, each worker looks at the kind of task of one in so many seconds, by rules, "
            "while its answer is on the way; only the kind is kept. 0 = never.",
        ),
    ] = 1.0
    least_requests: Annotated[
        int,
        Meta(ge=1, le=1_000_000, description="Requests of a kind of task that were looked at in seven days before they rank models."),
    ] = 100


class RoutersTable(Struct, frozen=True, forbid_unknown_fields=True):
    """What the operator knows that routers need. Only the operator's own file is asked."""

    auto: Annotated[
        dict[Task | Literal["*"], tuple[str, ...]],
        Meta(
            description="For `openrouter/auto`: by kind of task, or `*` for any other, the models to choose from, best first, as ids or "
            "patterns with `*`. Absent = all models. What callers spent for the task reorders them, see `[routers.traffic]`."
        ),
    ] = {}
    coding_scores: Annotated[
        dict[str, Score],
        Meta(description="For `openrouter/pareto-code`: how well models write code, from 0 to 1, by their ids. Absent = no such router."),
    ] = {}
    traffic: TrafficTable = TrafficTable()

    def ranking(self, task: str) -> tuple[str, ...]:
        """The models to choose from for a kind of task, best first; none = all."""
        return next((models for name, models in self.auto.items() if name == task), self.auto.get("*", ()))


class RoutingTable(Struct, frozen=True, forbid_unknown_fields=True):
    """How requests go to endpoints. Only the operator's own file is asked."""

    hedging: Annotated[
        bool,
        Meta(
            description="Whether a stream whose endpoint is later with its first content than it is in 95 % of its streams is asked for at "
            "the next endpoint as well. The faster one answers; what the other one costs is yours to pay (docs/hedging.md)."
        ),
    ] = False
    hedging_extra_load: Annotated[
        float,
        Meta(gt=0, le=0.1, description="How many requests may be asked for twice at most, as a share of all requests of the last minute."),
    ] = 0.02


class BenchmarkRow(Struct, frozen=True, forbid_unknown_fields=True):
    """One run of a benchmark against an endpoint, for Auto Exacto (`[[benchmarks]]`). Only the operator's own file is asked."""

    model: Annotated[str, Meta(description="The model's id.")]
    provider: Annotated[
        str, Meta(description="The endpoint: its tag, such as `acme/fp8`, or the provider's slug for all endpoints of the model there.")
    ]
    name: Annotated[Literal["gpqa_diamond", "tau2_airline"], Meta(description="Which benchmark: `gpqa_diamond` or `tau2_airline`.")]
    score: Annotated[Score, Meta(description="The share that was solved, from 0 to 1.")]
    date: Annotated[datetime.date, Meta(description="The UTC day of the run, such as `2026-11-23`.")]


class Tables(Struct, frozen=True, forbid_unknown_fields=True):
    """The top level of a catalogue file: lists of tables, not yet checked, and single tables, checked."""

    authors: tuple[dict[str, object], ...] = ()
    providers: tuple[dict[str, object], ...] = ()
    models: tuple[dict[str, object], ...] = ()
    endpoints: tuple[dict[str, object], ...] = ()
    storage: StorageTable = StorageTable()
    routers: RoutersTable = RoutersTable()
    benchmarks: tuple[BenchmarkRow, ...] = ()
    routing: RoutingTable = RoutingTable()


_SINGLE = ("storage", "routers", "routing")


def tables_of(text: bytes, file: str) -> Tables:
    """The tables of a catalogue file. Raises ConfigError for text that is not TOML, an unknown key, or one table where a list is meant."""
    top = parse(text, file)
    for key, value in top.items():
        if key in Tables.__struct_fields__ and key not in _SINGLE and isinstance(value, dict):
            raise ConfigError(f"{file}: {key}", "one table where a list of tables is meant", f"[[{key}]]")
    return read(top, Tables, f"{file}: ")


def read_config(path: Path) -> Tables:
    """The tables of the operator's file. Raises ConfigError when it cannot be read."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ConfigError(str(path), f"the file cannot be read: {error.strerror}", "the path of a readable trunkline.toml") from None
    return tables_of(text, str(path))
