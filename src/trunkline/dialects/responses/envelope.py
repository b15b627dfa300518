"""Errors as callers of this dialect read them (contract 2.12): a body before anything was answered, an `error` inside a response after.

Inside a response the codes are OpenAI's few, and `error_type` beside them is the true one.
"""

from collections.abc import Mapping

import msgspec

from trunkline.dialects.envelope import MASKED, error_object, routed
from trunkline.errors import ApiError

CODES: Mapping[str, str] = {
    "rate_limit_exceeded": "rate_limit_exceeded",
    "context_length_exceeded": "invalid_prompt",
    "invalid_request": "invalid_prompt",
    "content_policy_violation": "image_content_policy_violation",
}
"""The codes of error types inside a response; all others are `server_error`."""

LENGTHS = frozenset(("context_length_exceeded", "max_tokens_exceeded", "token_limit_exceeded", "string_too_long"))
"""Error types that end a response as one that was cut for its length, not as a failed one (contract 2.12, "Responses skin")."""


def code_of(error: ApiError) -> str:
    """The code inside a response."""
    return CODES.get(error.error_type, "server_error")


def message_of(error: ApiError) -> str:
    """The message; that of a 500 is masked."""
    return MASKED if error.status == 500 else error.message


def render(error: ApiError, *, user_id: str | None = None) -> bytes:
    """The JSON body of an error. What the router knows of it is left out of a 500."""
    body: dict[str, object] = {"error": error_object(error), "error_type": error.error_type, "metadata": None}
    if user_id is not None:
        body["user_id"] = user_id
    return msgspec.json.encode(body | routed(error))


def told_inside(error: ApiError) -> dict[str, object]:
    """What stands beside code and message of an error in a stream: the true type, availability, and what is known of the attempts. A 500
    keeps nothing but its type."""
    out: dict[str, object] = {"error_type": error.error_type}
    if error.status != 500:
        if error.availability is not None:
            out["availability"] = error.availability
        if error.metadata:
            out["error_metadata"] = error.metadata
    return out | routed(error)
