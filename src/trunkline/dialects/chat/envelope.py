"""Errors as a caller reads them (contract 2.12 and section 0.6)."""

import msgspec

from trunkline.dialects.envelope import error_object, routed
from trunkline.errors import ApiError


def render(error: ApiError, *, user_id: str | None = None) -> bytes:
    """The JSON body of an error. What the router knows of it is left out of a 500."""
    body: dict[str, object] = {"error": error_object(error)}
    if user_id is not None:
        body["user_id"] = user_id
    return msgspec.json.encode(body | routed(error))
