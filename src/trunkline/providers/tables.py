"""Reads a TOML table into a Struct, strictly: every mistake is a ConfigError that names the file, the key and what to write instead."""

import difflib
import functools
import re
import tomllib
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import TypeVar, cast

import msgspec
from msgspec import Struct, inspect

from trunkline.errors import ConfigError

T = TypeVar("T")
Table = Mapping[str, object]


def parse(text: bytes, file: str) -> dict[str, object]:
    """The top table of a TOML file. Raises ConfigError when it is not UTF-8 or not TOML."""
    try:
        return tomllib.loads(text.decode())
    except UnicodeDecodeError as error:
        raise ConfigError(file, f"it is not UTF-8 text (byte {error.start})", "a text file in UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(file, f"it is not TOML: {error}", "TOML, as shown in the documentation of trunkline.toml") from None


def read(table: object, shape: type[T], where: str) -> T:
    """`table` as a `shape`. `where` begins the place that an error names: `trunkline.toml: endpoints[2]`, or `trunkline.toml: `."""
    for mistake in _mistakes(_layout(cast(Hashable, shape)), table, ""):
        raise ConfigError(key_path(where, mistake.path), mistake.problem, suggest(mistake.word, mistake.known))
    try:
        return msgspec.convert(table, shape, strict=True)
    except msgspec.ValidationError as error:
        problem, _, path = str(error).partition(" - at `$")
        raise ConfigError(key_path(where, path.rstrip("`").lstrip(".")), _plain(problem)) from None


@functools.cache
def _layout(shape: Hashable) -> inspect.Type:
    """What msgspec knows of `shape`; looking takes a millisecond, which hundreds of tables would add up."""
    return inspect.type_info(shape)


def suggest(word: str, known: Iterable[str]) -> str:
    """The known word nearest to `word`, or all of them."""
    names = {name.lower(): name for name in sorted(known)}
    close = difflib.get_close_matches(word.lower(), names, n=1, cutoff=0.6)
    return names[close[0]] if close else "one of " + ", ".join(names.values())


def one_of(word: str, known: Iterable[str], where: str) -> str:
    """`word` when it is one of `known`; else ConfigError with a suggestion."""
    names = frozenset(known)
    if word not in names:
        raise ConfigError(where, f"{word!r} is not known", suggest(word, names))
    return word


def key_path(where: str, *keys: str) -> str:
    """The place of a key inside `where`, which ends in `: ` for a whole file and else names a table."""
    inner = ".".join(key for key in keys if key)
    if not inner:
        return where.removesuffix(": ")
    return f"{where}{inner}" if where.endswith(": ") else f"{where}.{inner}"


_TYPES = {
    "int": "a whole number",
    "int | null": "a whole number",
    "float": "a number",
    "int | float": "a number",
    "bool": "true or false",
    "str": "text in quotes",
    "array": "a list",
    "object": "a table",
    "null": "nothing",
}

_PHRASES = (
    ("Object missing required field", "the table lacks the key"),
    ("Invalid RFC3339 encoded date", "expected a date such as 2026-08-10"),
    ("Expected", "expected"),
)


def _plain(problem: str) -> str:
    """msgspec's words for people who do not read Python."""
    text = re.sub(r"`([^`]*)`", lambda match: _TYPES.get(match[1], match[1]), problem)
    for words, plain in _PHRASES:
        text = text.replace(words, plain)
    return text


class _Mistake(Struct, frozen=True):
    """A word that is not one of `known`, at `path` inside the table."""

    path: str
    problem: str
    word: str
    known: tuple[str, ...]


def _mistakes(info: inspect.Type, value: object, path: str) -> Iterator[_Mistake]:
    """Each key that `info` does not name and each word that is none of its words, depth first: what a suggestion can help with."""
    if isinstance(info, inspect.UnionType):
        for part in info.types:
            yield from _mistakes(part, value, path)
    elif isinstance(info, inspect.LiteralType) and isinstance(value, str) and value not in info.values:
        yield _Mistake(path, f"{value!r} is not known", value, tuple(str(word) for word in info.values))
    elif isinstance(info, inspect.StructType) and isinstance(value, dict):
        fields = {field.encode_name: field.type for field in info.fields}
        for key, inner in value.items():
            place = f"{path}.{key}" if path else key
            if key not in fields:
                yield _Mistake(place, "there is no such key", key, tuple(fields))
            else:
                yield from _mistakes(fields[key], inner, place)
    elif isinstance(info, inspect.ListType | inspect.VarTupleType) and isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _mistakes(info.item_type, inner, f"{path}[{index}]")
