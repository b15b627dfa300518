"""Errors as callers of this dialect read them (contract 2.12): a body before anything was answered, an `error` inside a response after.

Inside a response the codes are OpenAI's few, and `error_type` beside them is the true one.
"""

from collections.abc import Mapping

import msgspec

from trunkline.errors import ApiError

MASKED = "Internal Server Error"
"""What a caller reads of any error with status 500."""

CODES: Mapping[str, str] = {
    "rate_limit_exceeded": "rate_limit_exceeded",
    "context_length_exceeded": "invalid_prompt",
    "invalid_request": "invalid_prompt",
    "content_policy_violation": "image_content_policy_violation",
}
"""The codes of error types inside a response; all others are `server_error`."""

LENGTHS = frozenset(("context_length_exceeded", "max_tokens_exceeded", "token_limit_exceeded", "string_too_long"))
"""Error types that end a response which has begun as one that was cut for its length, not as a failed one."""


def code_of(error: ApiError) -> str:
    """The code inside a response."""
    return CODES.get(error.error_type, "server_error")


def message_of(error: ApiError) -> str:
    """The message; that of a 500 is masked."""
    return MASKED if error.status == 500 else error.message


def error_object(error: ApiError) -> dict[str, object]:
    """The value of `error` in a body. A 500 keeps nothing but its type."""
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
    body: dict[str, object] = {"error": error_object(error), "error_type": error.error_type, "metadata": None}
    if user_id is not None:
        body["user_id"] = user_id
    return msgspec.json.encode(body | routed(error))


def routed(error: ApiError) -> dict[str, object]:
    """`openrouter_metadata`, for callers who asked for it; left out of a 500."""
    return {} if error.router is None or error.status == 500 else {"openrouter_metadata": msgspec.Raw(error.router)}
