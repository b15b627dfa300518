"""Query strings of management calls, value by value."""

from collections.abc import Sequence

from trunkline.errors import ApiError

_BOOLEANS = {"true": True, "1": True, "false": False, "0": False, "": False}
_MAX_OFFSET = 2**31


def only(query: Sequence[tuple[str, str]], name: str) -> str | None:
    """The value of a field, the last one where it was repeated; None when it is absent."""
    return next((value for field, value in reversed(query) if field == name), None)


def flag(query: Sequence[tuple[str, str]], name: str) -> bool:
    """A field of `true` or `false`; absent is false. Raises ApiError `invalid_request`."""
    value = only(query, name)
    if value is None:
        return False
    if value.lower() not in _BOOLEANS:
        raise ApiError("invalid_request", f"{name}: must be true or false", metadata={"field": name})
    return _BOOLEANS[value.lower()]


def offset(query: Sequence[tuple[str, str]], name: str = "offset") -> int:
    """A field that counts the items to skip; absent is 0. Raises ApiError `invalid_request`."""
    value = only(query, name)
    if value is None or value == "":
        return 0
    if not (value.isascii() and value.isdigit()) or len(value) > 10 or int(value) > _MAX_OFFSET:
        raise ApiError("invalid_request", f"{name}: must be a whole number, 0 or greater", metadata={"field": name})
    return int(value)
