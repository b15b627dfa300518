import msgspec
import pytest

from trunkline.dialects.responses.envelope import code_of, message_of, render
from trunkline.errors import STATUS_OF_TYPE, ApiError


def test_an_error_before_any_answer_has_the_status_as_its_code() -> None:
    error = ApiError("invalid_request", "input: Expected text", metadata={"provider_code": "x"})
    error.router = b'{"attempt":0}'
    assert msgspec.json.decode(render(error, user_id="u")) == {
        "error": {"code": 400, "message": "input: Expected text", "metadata": {"error_type": "invalid_request", "provider_code": "x"}},
        "error_type": "invalid_request",
        "metadata": None,
        "user_id": "u",
        "openrouter_metadata": {"attempt": 0},
    }


def test_availability_comes_with_the_error() -> None:
    body = msgspec.json.decode(render(ApiError("not_found", "m", availability={"code": "no_endpoints"})))
    assert body["error"]["availability"] == {"code": "no_endpoints"}
    assert (body["error"]["error_type"], body["error"]["http_status"]) == ("not_found", 404)


def test_a_500_is_masked() -> None:
    error = ApiError("server", "secret", metadata={"provider_code": "x"})
    error.router = b"{}"
    body = msgspec.json.decode(render(error))
    assert body["error"] == {"code": 500, "message": "Internal Server Error", "metadata": {"error_type": "server"}}
    assert "openrouter_metadata" not in body
    assert message_of(error) == "Internal Server Error"


@pytest.mark.parametrize("error_type", sorted(STATUS_OF_TYPE))
def test_codes_inside_a_response_are_few(error_type: str) -> None:
    """Contract 2.12, "Responses skin": the rest is a server_error, and error_type tells the truth."""
    known = {
        "rate_limit_exceeded": "rate_limit_exceeded",
        "context_length_exceeded": "invalid_prompt",
        "invalid_request": "invalid_prompt",
        "content_policy_violation": "image_content_policy_violation",
    }
    assert code_of(ApiError(error_type, "m")) == known.get(error_type, "server_error")
