"""Errors as a caller reads them (contract 2.12 and section 0.6)."""

import msgspec

from trunkline.errors import ApiError

MASKED = "Internal Server Error"
"""What a caller reads of any error with status 500."""


def error_object(error: ApiError) -> dict[str, object]:
    """The value of `error`. A 500 keeps nothing but its type; other 5xx keep no code of the upstream."""
    if error.status == 500:
        return {"code": 500, "message": MASKED, "metadata": {"error_type": error.error_type}}
    out: dict[str, object] = {"code": error.status, "message": error.message}
    if error.availability is not None:
        out["error_type"] = error.error_type
        out["http_status"] = error.status
        out["availability"] = error.availability
    out["metadata"] = {"error_type": error.error_type, **(error.metadata or {})}
    return out


def render(error: ApiError, *, user_id: str | None = None) -> bytes:
    """The JSON body of an error. What the router knows of it is left out of a 500."""
    body: dict[str, object] = {"error": error_object(error)}
    if user_id is not None:
        body["user_id"] = user_id
    return msgspec.json.encode(body | routed(error))


def routed(error: ApiError) -> dict[str, object]:
    """`openrouter_metadata`, for callers who asked for it; left out of a 500."""
    return {} if error.router is None or error.status == 500 else {"openrouter_metadata": msgspec.Raw(error.router)}
