"""JSON as the rest of the world writes it: a byte-order mark, lone surrogates and huge numbers, which strict parsers refuse.

The strict parser is tried first and everything here is the second try, so it may be slow. This is the only module that may import `json`.
"""

import json  # noqa: TID251 - the standard parser is the one that reads lone surrogates and says line and column
import re
from typing import TypeVar

import msgspec

from trunkline.errors import MalformedResponse

T = TypeVar("T")
_SURROGATE = re.compile("[\ud800-\udfff]")

FAILURES = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What the strict parser raises for a document it cannot read."""


def decode(data: bytes) -> object:
    """The value of a JSON document. Raises ValueError that says what is wrong and where (line and column)."""
    try:
        return msgspec.json.decode(data)
    except FAILURES:
        return _reread(data)


def strict(data: bytes) -> bytes:
    """The document once more, in JSON that every parser reads; lone surrogates become U+FFFD. Raises ValueError as `decode` does."""
    return msgspec.json.encode(_reread(data))


def read(data: bytes, decoder: msgspec.json.Decoder[T], whose: str) -> T:
    """What an upstream sent, as `decoder` reads it. Raises MalformedResponse, which says that it is not what `whose` names."""
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        raise MalformedResponse(f"not an answer of {whose}: {error}", status=200) from None
    except FAILURES:
        pass
    try:
        return decoder.decode(strict(data))
    except (ValueError, RecursionError) as error:
        raise MalformedResponse(f"not JSON: {error}", status=200) from None


def _reread(data: bytes) -> object:
    try:
        text = data.decode("utf-8-sig")
        return _mended(json.loads(text, parse_constant=_refuse, parse_float=_finite))
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg} at line {error.lineno} column {error.colno}") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _refuse(word: str) -> object:
    raise ValueError(f"{word} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"the number {text[:40]} is out of range")
    return value


def _mended(value: object) -> object:
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_mended(item) for item in value]
    if isinstance(value, dict):
        return {_mended(key): _mended(item) for key, item in value.items()}
    return value
