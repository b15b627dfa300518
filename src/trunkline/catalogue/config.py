"""Reads `trunkline.toml` and checks its outline; each table is checked where it is turned into a Struct."""

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


class RoutersTable(Struct, frozen=True, forbid_unknown_fields=True):
    """What the operator knows that routers need. Only the operator's own file is asked."""

    auto: Annotated[
        dict[Task | Literal["*"], tuple[str, ...]],
        Meta(
            description="For `openrouter/auto`: by kind of task, or `*` for any other, the models to choose from, best first, as ids or "
            "patterns with `*`. Absent = all models, ranked by what was spent on them here."
        ),
    ] = {}
    coding_scores: Annotated[
        dict[str, Score],
        Meta(description="For `openrouter/pareto-code`: how well models write code, from 0 to 1, by their ids. Absent = no such router."),
    ] = {}

    def ranking(self, task: str) -> tuple[str, ...]:
        """The models to choose from for a kind of task, best first; none = all."""
        return next((models for name, models in self.auto.items() if name == task), self.auto.get("*", ()))


class Tables(Struct, frozen=True, forbid_unknown_fields=True):
    """The top level of a catalogue file: lists of tables, not yet checked, and single tables, checked."""

    authors: tuple[dict[str, object], ...] = ()
    providers: tuple[dict[str, object], ...] = ()
    models: tuple[dict[str, object], ...] = ()
    endpoints: tuple[dict[str, object], ...] = ()
    storage: StorageTable = StorageTable()
    routers: RoutersTable = RoutersTable()


_SINGLE = ("storage", "routers")


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
