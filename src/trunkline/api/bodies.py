"""JSON bodies of management calls, decoded into Structs. Whatever a client sends, the outcome is a Struct or a 400 that names the field."""

import re
from typing import TypeVar

import msgspec

from trunkline.errors import ApiError

MAX_BYTES = 64 * 1024
"""The largest body of an operation that is not inference (413 beyond)."""

_T = TypeVar("_T")
_AT_FIELD = re.compile(r"(?P<problem>.*) - at `\$\.?(?P<field>.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<field>.*)`")


def decode(body: bytes, kind: type[_T]) -> _T:
    """The body as a `kind` (a Struct); fields that it does not have are ignored, because the contract grows by adding fields.

    Raises ApiError `invalid_request` with the field's name in the message and in `metadata.field`.
    """
    if not body.strip():
        raise ApiError("invalid_request", "The body is empty; a JSON object is needed.")
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise _mistyped(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ApiError("invalid_request", f"The body is no valid JSON: {error}") from None
    except RecursionError:
        raise ApiError("invalid_request", "The body is no usable JSON: it is nested too deeply.") from None


def invalid(field: str, problem: str) -> ApiError:
    """The error of a field whose value cannot be used."""
    return ApiError("invalid_request", f"{field}: {problem}", metadata={"field": field})


def _mistyped(text: str) -> ApiError:
    missing = _MISSING.match(text)
    if missing is not None:
        return invalid(missing["field"], "required, but missing")
    found = _AT_FIELD.fullmatch(text)
    if found is None or not found["field"]:
        return ApiError("invalid_request", f"The body is not what this operation takes: {text}")
    return invalid(found["field"], found["problem"][:1].lower() + found["problem"][1:])
