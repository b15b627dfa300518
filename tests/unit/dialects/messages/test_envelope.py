import json

import pytest

from trunkline.dialects.messages.envelope import document, render
from trunkline.errors import STATUS_OF_TYPE, ApiError

ANTHROPIC = {
    *("invalid_request_error", "authentication_error", "permission_error", "not_found_error", "rate_limit_error", "api_error"),
    *("overloaded_error", "billing_error", "timeout_error"),
}


def test_authentication_before_routing() -> None:
    """The sample of OpenRouter's page about errors."""
    body = json.loads(render(ApiError("authentication", "No auth credentials found")))
    assert body == {
        "type": "error",
        "error": {"type": "authentication_error", "message": "No auth credentials found", "error_type": "authentication"},
        "request_id": None,
    }


def test_overload_after_routing() -> None:
    error = ApiError(
        "provider_overloaded", "Overloaded", metadata={"previous_errors": []}, availability={"code": "temporarily_unavailable"}
    )
    error.generation_id, error.router = "gen-1-x", b'{"attempt":1}'
    body = json.loads(render(error, user_id="u"))
    assert body["error"] == {
        "type": "overloaded_error",
        "message": "Overloaded",
        "error_type": "provider_overloaded",
        "availability": {"code": "temporarily_unavailable"},
    }
    assert (body["request_id"], body["openrouter_metadata"], body["user_id"]) == ("gen-1-x", {"attempt": 1}, "u")
    assert body["metadata"] == {"previous_errors": []}


def test_details_are_what_an_sdk_decides_by() -> None:
    error = ApiError("invalid_request", "thread: no", details={"error_code": "thread_unsupported_request"})
    assert document(error)["error"] == {
        "type": "invalid_request_error",
        "message": "thread: no",
        "error_type": "invalid_request",
        "details": {"error_code": "thread_unsupported_request"},
    }


@pytest.mark.parametrize("error_type", STATUS_OF_TYPE)
def test_bug_24_every_error_has_one_of_anthropics_types(error_type: str) -> None:
    kind = document(ApiError(error_type, "m"))["error"]["type"]  # type: ignore[index]
    assert kind in ANTHROPIC
    expected = {
        "authentication": "authentication_error",
        "permission_denied": "permission_error",
        "payment_required": "billing_error",
        "not_found": "not_found_error",
        "image_not_found": "not_found_error",
        "rate_limit_exceeded": "rate_limit_error",
        "provider_overloaded": "overloaded_error",
        "timeout": "timeout_error",
    }.get(error_type, "invalid_request_error" if STATUS_OF_TYPE[error_type] == 400 else "api_error")
    assert kind == expected


def test_a_500_keeps_nothing_but_its_type() -> None:
    error = ApiError("server", "secret", metadata={"provider_code": "x"}, availability={"code": "y"})
    error.router = b"{}"
    assert json.loads(render(error)) == {
        "type": "error",
        "error": {"type": "api_error", "message": "Internal Server Error", "error_type": "server"},
        "request_id": None,
    }
