"""Several failures become one honest error."""

import pytest
from endpoints import endpoint

from trunkline.errors import CertificateRejected, ConnectFailed, EgressDenied, UpstreamError, UpstreamRefused, UpstreamTimeout
from trunkline.inference.failures import Failure, elided, retry_after, summarise


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
        ([ConnectFailed("x")], 502, "provider_unavailable", "temporarily_unavailable"),
        ([CertificateRejected("x")], 502, "provider_unavailable", None),
        ([CertificateRejected("x"), CertificateRejected("x")], 502, "provider_unavailable", None),
        ([UpstreamTimeout("head", 3), CertificateRejected("x")], 502, "provider_unavailable", None),
        ([UpstreamTimeout("head", 3)], 504, "timeout", "temporarily_unavailable"),
        ([refused("overloaded", 529)], 529, "provider_overloaded", "temporarily_unavailable"),
        ([refused("overloaded", 503)], 503, "provider_overloaded", "temporarily_unavailable"),
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


@pytest.mark.parametrize("kind", [ConnectFailed, CertificateRejected, EgressDenied])
def test_addresses_of_the_operators_network_are_not_told(kind: type[UpstreamError]) -> None:
    error = summarise(failed(kind("cannot reach https://models.corp.example:8443 at 10.0.0.7: no")), ["a/m"])
    assert error.message == f"A: {kind.told}"
    assert "corp.example" not in f"{error.message}{error.metadata}"


def test_what_failed_before_the_content_is_listed_with_what_broke_after_it() -> None:
    error = summarise(failed(ConnectFailed("cut")), ["a/m"], before=[Failure(endpoint("z"), limited(40))])
    assert (error.status, error.error_type) == (502, "provider_unavailable")
    assert error.metadata is not None
    assert error.metadata["previous_errors"] == [{"provider": "Z", "code": "rate_limited", "status": 429}]


def test_a_lone_failure_that_passes_says_when_to_come_back() -> None:
    busy = UpstreamRefused("overloaded", "busy", status=529, retry_after=3)
    error = summarise(failed(busy), ["a/m"])
    assert error.availability is not None
    assert (error.availability["retryable"], error.availability["retry_after"]) == (True, 3)
    assert error.headers == [("retry-after", "3")]


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


def test_flagged_input_is_a_403_that_says_what_was_found() -> None:
    flagged = UpstreamRefused("flagged", "Flagged", status=403, reasons=["violence"], flagged_input="a" * 60 + "b" * 60)
    error = summarise([Failure(endpoint("a"), flagged)], ["a/m"])
    assert error.metadata is not None
    assert (error.status, error.error_type, error.message) == (403, "permission_denied", "Flagged")
    assert (error.metadata["reasons"], error.metadata["provider_name"], error.metadata["model_slug"]) == (["violence"], "A", "a/m")
    shown = str(error.metadata["flagged_input"])
    assert (len(shown), shown[:4], shown[-4:], "..." in shown) == (100, "aaaa", "bbbb", True)


def test_a_violated_policy_is_a_400() -> None:
    told = [UpstreamRefused("moderation", "No", status=400, reasons=reasons) for reasons in ((), ("hate",))]
    errors = [summarise([Failure(endpoint("a"), one)], ["a/m"]) for one in told]
    assert [(one.status, one.error_type) for one in errors] == [(400, "content_policy_violation")] * 2
    assert [(one.metadata or {}).get("reasons") for one in errors] == [None, ["hate"]]


@pytest.mark.parametrize(("length", "shown"), [(0, 0), (99, 99), (100, 100), (101, 100), (5000, 100)])
def test_a_long_text_loses_its_middle(length: int, shown: int) -> None:
    text = "".join(chr(97 + at % 26) for at in range(length))
    short = elided(text)
    assert len(short) == shown
    assert text.startswith(short[:40])
    assert text.endswith(short[-40:])
