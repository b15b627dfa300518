"""The file that a sync leaves behind: a layer of the catalogue between the built-in data and `trunkline.toml`.

It is written whole or not at all. Each list has its own part of it: a sync replaces what it wrote before and keeps what others wrote.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from trunkline.catalogue.config import Tables, read_config
from trunkline.catalogue.differences import PriceChange
from trunkline.errors import ConfigError

FOLDER = "catalogue"
_HEAD = "# Written by `trunkline catalog sync --apply`; the next one overwrites it. Your own changes belong into trunkline.toml.\n"

Table = Mapping[str, object]


def synced_file(data_dir: Path) -> Path:
    """Where the synced layer of a data folder lies."""
    return data_dir / FOLDER / "synced.toml"


def price_log(data_dir: Path) -> Path:
    """Where price changes are noted, one JSON object a line: `time`, `endpoint`, `old`, `new`, `source`."""
    return data_dir / FOLDER / "prices.log"


def merge(file: Path, providers: frozenset[str], models: Iterable[Table], endpoints: Iterable[Table]) -> str:
    """The new text of `file`: the given tables, and the old ones of providers that are not among `providers`. Raises ConfigError."""
    before = read_config(file) if file.is_file() else Tables()
    kept = [table for table in before.endpoints if table.get("provider") not in providers]
    used = {table.get("model") for table in kept}
    tables = {table["id"]: table for table in (*(table for table in before.models if table.get("id") in used), *models)}
    return _HEAD + "".join(
        [*(_render("models", table) for table in tables.values()), *(_render("endpoints", table) for table in (*kept, *endpoints))]
    )


def draft_of(file: Path, text: str) -> Path:
    """Puts `text` beside `file`, safe on disk, to be checked before it takes its place. Raises ConfigError."""
    draft = file.with_name(f"{file.name}.{os.getpid()}.tmp")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with draft.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise ConfigError(str(file), f"it cannot be written: {error.strerror}", "a data folder you own, with --data-dir") from error
    return draft


def note_prices(log: Path, changes: Iterable[PriceChange], *, time: str, source: str) -> None:
    """Appends the price changes to the log, in one write."""
    lines = [
        msgspec.json.encode({"time": time, "endpoint": change.endpoint, "old": change.old, "new": change.new, "source": source}) + b"\n"
        for change in changes
    ]
    if lines:
        with log.open("ab", buffering=0) as stream:
            stream.write(b"".join(lines))


def _render(name: str, table: Table) -> str:
    return f"\n[[{name}]]\n" + "".join(f"{key} = {_value(value)}\n" for key, value in table.items())


def _value(value: object) -> str:
    """A TOML value. JSON's text, numbers and truth are TOML's, but for the delete character."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_value(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(inner) for inner in value) + "]"
    return msgspec.json.encode(value).decode().replace("\x7f", "\\u007f")
