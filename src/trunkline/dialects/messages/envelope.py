"""Errors as a Messages client reads them (contract 2.12): Anthropic's envelope with OpenRouter's `error_type`."""

from collections.abc import Mapping

import msgspec

from trunkline.dialects.envelope import MASKED
from trunkline.errors import ApiError

TYPES: Mapping[str, str] = {
    "authentication": "authentication_error",
    "permission_denied": "permission_error",
    "payment_required": "billing_error",
    "not_found": "not_found_error",
    "image_not_found": "not_found_error",
    "rate_limit_exceeded": "rate_limit_error",
    "provider_overloaded": "overloaded_error",
    "timeout": "timeout_error",
}
"""Anthropic's type of each of ours; those with status 400 are `invalid_request_error`, the rest `api_error`."""


def type_of(error: ApiError) -> str:
    """Anthropic's word for an error."""
    named = TYPES.get(error.error_type)
    if named is not None:
        return named
    return "invalid_request_error" if error.status == 400 else "api_error"


def error_object(error: ApiError) -> dict[str, object]:
    """The value of `error`. A 500 keeps nothing but its type."""
    masked = error.status == 500
    out: dict[str, object] = {
        "type": type_of(error),
        "message": MASKED if masked else error.message,
        "error_type": error.error_type,
    }
    if error.availability is not None and not masked:
        out["availability"] = error.availability
    if error.details is not None and not masked:
        out["details"] = error.details
    return out


def document(error: ApiError, *, request_id: str | None = None) -> dict[str, object]:
    """The whole error, as a body and as the data of an `error` event. `request_id` is the generation's id, where the error does not know
    it."""
    body: dict[str, object] = {"type": "error", "error": error_object(error), "request_id": error.generation_id or request_id}
    if error.status != 500:
        if error.metadata:
            body["metadata"] = error.metadata
        if error.router is not None:
            body["openrouter_metadata"] = msgspec.Raw(error.router)
    return body


def render(error: ApiError, *, user_id: str | None = None) -> bytes:
    """The JSON body of an error. What the router knows of it is left out of a 500."""
    body = document(error)
    if user_id is not None:
        body["user_id"] = user_id
    return msgspec.json.encode(body)
