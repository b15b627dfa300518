"""Several failures become one honest error."""

import pytest
from endpoints import endpoint

from trunkline.errors import ConnectFailed, UpstreamError, UpstreamRefused, UpstreamTimeout
from trunkline.inference.failures import Failure, retry_after, summarise


def failed(*errors: UpstreamError) -> list[Failure]:
    return [Failure(endpoint(tag), error) for tag, error in zip("abc", errors, strict=False)]


def limited(hint: float | None) -> UpstreamRefused:
    return UpstreamRefused("rate_limit", "slow down", status=429, code="rate_limited", retry_after=hint)


def refused(kind: str, status: int) -> UpstreamRefused:
    return UpstreamRefused(kind, "because", status=status, raw='{"error":"because"}')


@pytest.mark.parametrize(
    ("errors", "status", "error_type", "code"),
    [
        ([limited(40), limited(50)], 429, "rate_limit_exceeded", "capacity_exhausted"),
        ([ConnectFailed("x"), UpstreamTimeout("head", 3)], 503, "provider_overloaded", "temporarily_unavailable"),
        ([ConnectFailed("x")], 502, "provider_unavailable", None),
        ([UpstreamTimeout("head", 3)], 504, "timeout", None),
        ([refused("overloaded", 529)], 529, "provider_overloaded", None),
        ([refused("overloaded", 503)], 503, "provider_overloaded", None),
        ([refused("model_access", 404)] * 2, 404, "not_found", "model_unavailable_upstream"),
        ([limited(1), ConnectFailed("x")], 502, "provider_unavailable", None),
        ([refused("context_length", 400)], 400, "context_length_exceeded", None),
        ([refused("credential", 401)], 502, "provider_unavailable", None),
        ([refused("region", 403)] * 2, 403, "permission_denied", "region_restricted"),
    ],
)
def test_type_status_and_availability(errors: list[UpstreamError], status: int, error_type: str, code: str | None) -> None:
    error = summarise(failed(*errors), ["a/m"])
    assert (error.status, error.error_type) == (status, error_type)
    assert (error.availability or {}).get("code") == code


def test_the_smallest_hint_counts_when_all_gave_one() -> None:
    assert retry_after(failed(limited(40), limited(9))) == 9
    assert retry_after(failed(limited(40), limited(None))) is None
    assert dict(summarise(failed(limited(40), limited(8.4)), ["a/m"]).headers) == {"retry-after": "9"}
    assert not summarise(failed(limited(40), limited(None)), ["a/m"]).headers


def test_earlier_failures_are_listed_without_their_bodies() -> None:
    error = summarise(failed(limited(1), refused("server", 500)), ["a/m"])
    assert error.metadata is not None
    assert error.metadata["previous_errors"] == [{"provider": "A", "code": "rate_limited", "status": 429}]
    assert "raw" not in error.metadata


def test_what_the_caller_can_mend_is_told_in_the_upstreams_words() -> None:
    error = summarise(failed(refused("caller_fault", 422)), ["a/m"])
    assert error.message == "because"
    assert error.metadata is not None
    assert error.metadata["raw"] == '{"error":"because"}'
    assert summarise(failed(refused("server", 500)), ["a/m"]).message == "A: because"


def test_the_hint_in_the_header_is_the_one_in_the_body_and_never_too_early() -> None:
    error = summarise(failed(limited(40), limited(0.2)), ["a/m"])
    assert error.availability is not None
    assert (error.availability["retry_after"], dict(error.headers)["retry-after"]) == (1, "1")


def test_the_sample_of_the_contract_capacity_exhausted() -> None:
    """Contract 9.1, [Errors]: 429, retry_after 40, three affected providers, two previous errors."""
    error = summarise(failed(limited(60), limited(40), limited(55)), ["anthropic/claude-sonnet-4"])
    assert (error.status, error.error_type, dict(error.headers)) == (429, "rate_limit_exceeded", {"retry-after": "40"})
    assert error.availability == {
        "code": "capacity_exhausted",
        "retryable": True,
        "requested_models": ["anthropic/claude-sonnet-4"],
        "retry_after": 40,
        "affected_providers": ["A", "B", "C"],
        "docs_url": "/docs/errors#capacity_exhausted",
    }
    assert error.metadata is not None
    assert error.metadata["previous_errors"] == [{"provider": name, "code": "rate_limited", "status": 429} for name in "AB"]
    assert (error.metadata["provider_name"], error.metadata["provider_code"]) == ("C", "rate_limited")


def test_a_refused_place_is_told_as_geo() -> None:
    error = summarise(failed(refused("region", 403)), ["a/m"])
    assert error.availability is not None
    assert (error.availability["excluded_by"], error.availability["retryable"]) == (["geo"], False)
