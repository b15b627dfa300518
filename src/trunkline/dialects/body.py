"""A request body: decoded once into raw top-level keys, which a pass-through splices, and once into a Struct, which checks it.

Errors are ApiError("invalid_request") whose message starts with the path of the field (`messages[3].content: ...`).
"""

import re
from typing import TypeVar

import msgspec
from msgspec import Raw

from trunkline.dialects import loose
from trunkline.errors import ApiError

T = TypeVar("T")
_SCAN = msgspec.json.Decoder(dict[str, Raw])
_PLACE = re.compile(r"(?s)(.*) - at `\$\.?(.*)`")


def read_schema(schema: Raw, where: str) -> dict[str, object]:
    """A caller's JSON schema. Raises ApiError("invalid_request"), which names `where`, for one that is no object."""
    try:
        root = loose.decode(bytes(schema))
    except ValueError as error:
        raise ApiError("invalid_request", f"{where}: {error}") from None
    if not isinstance(root, dict):
        raise ApiError("invalid_request", f"{where}: Expected a JSON schema, which is an object")
    return root


def read_body(body: bytes, fields: msgspec.json.Decoder[T]) -> tuple[dict[str, Raw], T]:
    """The top-level keys in the caller's order with their bytes, and the checked fields.

    Raises ApiError("invalid_request") that names the field, or the place where the JSON is wrong.
    """
    try:
        return _SCAN.decode(body), fields.decode(body)
    except msgspec.ValidationError as error:
        raise _named(error) from None
    except loose.FAILURES:
        pass
    try:
        body = loose.strict(body)
        return _SCAN.decode(body), fields.decode(body)
    except msgspec.ValidationError as error:
        raise _named(error) from None
    except RecursionError:
        raise ApiError("invalid_request", "The request body is nested too deeply") from None
    except ValueError as error:
        raise ApiError("invalid_request", f"The request body is not valid JSON: {error}") from None


def _named(error: msgspec.ValidationError) -> ApiError:
    text = str(error).replace("`", "")
    match = _PLACE.fullmatch(str(error))
    if match is None:
        return ApiError("invalid_request", f"The request body: {text}")
    return ApiError("invalid_request", f"{match[2]}: {match[1].replace('`', '')}")
