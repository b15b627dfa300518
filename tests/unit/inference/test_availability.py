"""Requests that cannot be served: code, status and advice (contract 2.12)."""

import pytest
from endpoints import endpoint

from trunkline.errors import ApiError
from trunkline.inference import availability
from trunkline.protocol.routing import Exclusion, Plan


def plan(*reasons: str) -> Plan:
    return Plan((), tuple(Exclusion(endpoint(tag), reason) for tag, reason in zip("abc", reasons, strict=False)))


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (availability.model_not_found("acme/fake-1.0", ["acme/fake-1.0"]), 400, "model_not_found"),
        (availability.not_configured("a/m", ["GROQ_API_KEY"]), 404, "no_endpoints"),
        (availability.retired("a/m"), 404, "model_deprecated"),
        (availability.wrong_modality("a/m", "image"), 404, "constraint_filtered"),
        (availability.all_excluded(plan("data_policy:zdr", "data_policy:training"), ["a/m"]), 404, "privacy_restricted"),
        (availability.all_excluded(plan("data_policy:zdr", "max_price"), ["a/m"]), 404, "constraint_filtered"),
    ],
)
def test_codes(error: ApiError, status: int, code: str) -> None:
    assert error.status == status
    assert error.availability is not None
    assert error.availability["code"] == code
    assert error.availability["retryable"] is False
    assert error.availability["requested_models"]
    assert str(error.availability["docs_url"]).endswith(f"#{code}")


def test_a_missing_key_is_named() -> None:
    assert "Set GROQ_API_KEY or TOGETHER_API_KEY" in availability.not_configured("a/m", ["GROQ_API_KEY", "TOGETHER_API_KEY"]).message
    assert "no provider serves it here" in availability.not_configured("a/m", []).message


def test_each_excluded_endpoint_is_named_with_its_reason() -> None:
    error = availability.all_excluded(plan("max_price", "quantization"), ["a/m"])
    assert "a (max_price), b (quantization)" in error.message
    assert error.availability is not None
    assert error.availability["excluded_by"] == ["max_price", "quantization"]
    assert error.availability["affected_providers"] == ["A", "B"]


def test_empty_facts_are_left_out() -> None:
    assert "excluded_by" not in availability.availability("no_endpoints", ["a/m"], excluded_by=[])


def test_a_request_without_a_model_says_what_to_do() -> None:
    assert availability.model_missing().status == 400
    assert "/api/v1/models" in availability.model_missing().message
