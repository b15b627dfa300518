"""Reads `trunkline.toml` and checks its outline; each table is checked where it is turned into a Struct."""

from pathlib import Path

from msgspec import Struct

from trunkline.errors import ConfigError
from trunkline.providers.tables import parse, read


class Tables(Struct, frozen=True, forbid_unknown_fields=True):
    """The top level of a catalogue file: lists of tables, not yet checked."""

    authors: tuple[dict[str, object], ...] = ()
    providers: tuple[dict[str, object], ...] = ()
    models: tuple[dict[str, object], ...] = ()
    endpoints: tuple[dict[str, object], ...] = ()


def tables_of(text: bytes, file: str) -> Tables:
    """The tables of a catalogue file. Raises ConfigError for text that is not TOML, an unknown key, or one table where a list is meant."""
    top = parse(text, file)
    for key, value in top.items():
        if key in Tables.__struct_fields__ and isinstance(value, dict):
            raise ConfigError(f"{file}: {key}", "one table where a list of tables is meant", f"[[{key}]]")
    return read(top, Tables, f"{file}: ")


def read_config(path: Path) -> Tables:
    """The tables of the operator's file. Raises ConfigError when it cannot be read."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ConfigError(str(path), f"the file cannot be read: {error.strerror}", "the path of a readable trunkline.toml") from None
    return tables_of(text, str(path))
