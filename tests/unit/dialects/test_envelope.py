import msgspec

from trunkline.dialects.envelope import MASKED, error_object, routed
from trunkline.errors import ApiError


def test_an_error_with_what_is_known_of_it() -> None:
    error = ApiError("not_found", "gone", metadata={"provider_name": "A"}, availability={"code": "no_endpoints"})
    assert error_object(error) == {
        "code": 404,
        "message": "gone",
        "error_type": "not_found",
        "http_status": 404,
        "availability": {"code": "no_endpoints"},
        "metadata": {"error_type": "not_found", "provider_name": "A"},
    }
    assert error_object(ApiError("timeout", "late")) == {"code": 504, "message": "late", "metadata": {"error_type": "timeout"}}


def test_a_500_says_nothing_of_what_happened() -> None:
    error = ApiError("server", "a secret", metadata={"raw": "x"}, availability={"code": "x"})
    error.router = b'{"x":1}'
    assert error_object(error) == {"code": 500, "message": MASKED, "metadata": {"error_type": "server"}}
    assert routed(error) == {}


def test_what_the_router_knows() -> None:
    error = ApiError("timeout", "late")
    assert routed(error) == {}
    error.router = b'{"x":1}'
    assert msgspec.json.encode(routed(error)) == b'{"openrouter_metadata":{"x":1}}'
