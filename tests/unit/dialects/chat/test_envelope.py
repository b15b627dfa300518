import msgspec

from trunkline.dialects.chat.envelope import render
from trunkline.dialects.envelope import MASKED, error_object
from trunkline.errors import ApiError


def body(error: ApiError, user_id: str | None = None, metadata: bytes | None = None) -> dict[str, object]:
    error.router = metadata
    out = msgspec.json.decode(render(error, user_id=user_id))
    assert isinstance(out, dict)
    return out


def test_an_error_has_code_message_and_type() -> None:
    want = {"error": {"code": 400, "message": "top_k: no", "metadata": {"error_type": "invalid_request"}}}
    assert body(ApiError("invalid_request", "top_k: no")) == want


def test_availability_brings_both_forms_of_the_type() -> None:
    error = ApiError("rate_limit_exceeded", "m", metadata={"provider_code": "x"}, availability={"code": "capacity_exhausted"})
    assert body(error, user_id="u", metadata=b'{"attempt":1}') == {
        "error": {
            "code": 429,
            "message": "m",
            "error_type": "rate_limit_exceeded",
            "http_status": 429,
            "availability": {"code": "capacity_exhausted"},
            "metadata": {"error_type": "rate_limit_exceeded", "provider_code": "x"},
        },
        "user_id": "u",
        "openrouter_metadata": {"attempt": 1},
    }


def test_a_500_tells_nothing() -> None:
    error = ApiError("server", "secret", metadata={"provider_code": "x"}, availability={"code": "y"})
    assert body(error, metadata=b"{}") == {"error": {"code": 500, "message": MASKED, "metadata": {"error_type": "server"}}}


def test_status_may_differ_from_the_type() -> None:
    assert error_object(ApiError("provider_overloaded", "m", status=529))["code"] == 529
