"""What the errors of several dialects have in common, as callers read them (contract 2.12 and section 0.6)."""

from typing import Final

import msgspec

from trunkline.errors import ApiError

MASKED: Final = "Internal Server Error"
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


def routed(error: ApiError) -> dict[str, object]:
    """`openrouter_metadata`, for callers who asked for it; left out of a 500."""
    return {} if error.router is None or error.status == 500 else {"openrouter_metadata": msgspec.Raw(error.router)}
