"""Requests that cannot be served: code, status and advice (contract 2.12)."""

import pytest
from endpoints import endpoint
from msgspec import structs

from trunkline.catalogue.catalogue import Catalogue
from trunkline.errors import ApiError
from trunkline.inference import availability
from trunkline.protocol.catalogue import Model
from trunkline.protocol.routing import Exclusion, Plan


def plan(*reasons: str) -> Plan:
    return Plan((), tuple(Exclusion(endpoint(tag), reason) for tag, reason in zip("abc", reasons, strict=False)))


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (availability.model_not_found("acme/fake-1.0", ["acme/fake-1.0"]), 400, "model_not_found"),
        (availability.not_configured("a/m", [("GROQ_API_KEY",)]), 404, "no_endpoints"),
        (availability.retired("a/m"), 404, "model_deprecated"),
        (availability.wrong_modality("a/m", "image"), 404, "constraint_filtered"),
        (availability.wrong_endpoint("a/m", ["embeddings"]), 400, "wrong_endpoint"),
        (availability.free_variant_ended("a/m:free", "a/m"), 404, "free_variant_ended"),
        (availability.all_excluded(plan("data_region", "geo"), ["a/m"]), 403, "region_restricted"),
        (availability.all_excluded(plan("data_region", "max_price"), ["a/m"]), 404, "constraint_filtered"),
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
    sets = [("AWS_BEARER_TOKEN_BEDROCK", "AWS_REGION"), ("GROQ_API_KEY",), ("TOGETHER_API_KEY",)]
    told = "Set GROQ_API_KEY, or TOGETHER_API_KEY, or AWS_BEARER_TOKEN_BEDROCK and AWS_REGION for the server"
    assert told in availability.not_configured("a/m", sets).message
    assert "no provider serves it here" in availability.not_configured("a/m", []).message


def test_each_excluded_endpoint_is_named_with_its_reason() -> None:
    error = availability.all_excluded(plan("max_price", "quantization"), ["a/m"])
    assert "a (max_price), b (quantization)" in error.message
    assert error.availability is not None
    assert error.availability["excluded_by"] == ["max_price", "quantization"]
    assert error.availability["affected_providers"] == ["A", "B"]


def test_the_rule_and_the_permitted_providers_are_named() -> None:
    left_out = Plan((), (Exclusion(endpoint("a"), "allowed_providers", "only"),))
    assert "a (only). The request permits only: b, c" in availability.all_excluded(left_out, ["a/m"], ("b", "c")).message
    assert "permits" not in availability.all_excluded(left_out, ["a/m"]).message


def test_empty_facts_are_left_out() -> None:
    assert "excluded_by" not in availability.availability("no_endpoints", ["a/m"], excluded_by=[])


def test_a_request_without_a_model_says_what_to_do() -> None:
    assert availability.model_missing().status == 400
    assert "/api/v1/models" in availability.model_missing().message


def test_the_sample_of_the_contract_model_deprecated() -> None:
    """Contract 9.1, [Errors]: quasar-alpha, whose successor is gpt-4.1."""
    error = availability.retired("openrouter/quasar-alpha", "openai/gpt-4.1")
    assert (error.status, error.error_type) == (404, "not_found")
    assert error.availability == {
        "code": "model_deprecated",
        "retryable": False,
        "requested_models": ["openrouter/quasar-alpha"],
        "fallback_models": ["openai/gpt-4.1"],
        "docs_url": "/docs/errors#model_deprecated",
    }


def test_the_sample_of_the_contract_privacy_restricted() -> None:
    """Contract 9.1, [Errors]: excluded by data_policy:zdr."""
    left_out = Plan((), (Exclusion(endpoint("a"), "data_policy:zdr", "zdr"),))
    error = availability.all_excluded(left_out, ["a/m"])
    assert error.status == 404
    assert error.availability == {
        "code": "privacy_restricted",
        "retryable": False,
        "requested_models": ["a/m"],
        "excluded_by": ["data_policy:zdr"],
        "affected_providers": ["A"],
        "constraint": {"field": "provider.zdr", "detail": "rules out the only endpoint"},
        "docs_url": "/docs/errors#privacy_restricted",
    }


def test_the_sample_of_the_contract_model_not_found() -> None:
    """Contract 9.1, [Errors]: acme/fake-1.0."""
    error = availability.model_not_found("acme/fake-1.0", ["acme/fake-1.0"])
    assert (error.status, error.error_type, error.message) == (400, "invalid_request", "acme/fake-1.0 is not a valid model ID")
    assert error.availability == {
        "code": "model_not_found",
        "retryable": False,
        "requested_models": ["acme/fake-1.0"],
        "docs_url": "/docs/errors#model_not_found",
    }


@pytest.mark.parametrize(
    ("outputs", "path"),
    [
        (("embeddings",), "/api/v1/embeddings"),
        (("rerank",), "/api/v1/rerank"),
        (("text", "image"), "/api/v1/chat/completions"),
        (("image",), "/api/v1/images"),
    ],
)
def test_the_right_operation_is_named(outputs: tuple[str, ...], path: str) -> None:
    error = availability.wrong_endpoint("a/m", outputs)
    assert error.availability is not None
    assert error.availability["constraint"] == {"field": "endpoint", "detail": path}
    assert path in error.message


def test_one_rule_that_left_nothing_is_the_constraint() -> None:
    both = Plan((), (Exclusion(endpoint("a"), "max_price", "max_price"), Exclusion(endpoint("b"), "max_price", "max_price")))
    told = availability.all_excluded(both, ["a/m"]).availability
    assert told is not None
    assert told["constraint"] == {"field": "provider.max_price", "detail": "rules out all 2 endpoints"}
    mixed = Plan((), (Exclusion(endpoint("a"), "max_price", "max_price"), Exclusion(endpoint("b"), "quantization", "quantizations")))
    told = availability.all_excluded(mixed, ["a/m"]).availability
    assert told is not None and "constraint" not in told


def catalogue(*prices: tuple[str, int], **changes: object) -> Catalogue:
    models = [Model(id=name, name=name, author=name.partition("/")[0], canonical_slug=name, created=1) for name, _ in prices]
    endpoints = [endpoint(name.replace("/", "-"), price, model=name, **changes) for name, price in prices]
    return Catalogue(models=models, endpoints=endpoints, providers={}, authors={}, missing={"a-gone": ("A_KEY",)})


def test_the_nearest_models_of_the_author_are_advised() -> None:
    known = catalogue(("a/m", 10), ("a/cheap", 1), ("a/near", 12), ("a/dear", 90), ("a/dearest", 99), ("a/gone", 10), ("b/other", 10))
    error = availability.asked_for(summarised("capacity_exhausted"), ["a/m"])
    availability.advise(error, known, ["a/m"])
    assert error.availability is not None
    assert error.availability["fallback_models"] == ["a/near", "a/cheap", "a/dear"]
    assert list(error.availability)[-1] == "docs_url"


def ending(date: str | None) -> Catalogue:
    """Two models, of which the first ends at a date and the second, dearest of all, is its successor."""
    known = catalogue(("a/m", 10), ("a/next", 99), ("a/near", 11), ("a/cheap", 1), ("a/other", 12))
    models = [structs.replace(one, expiration_date=date, successor="a/next") if one.id == "a/m" else one for one in known.models.values()]
    return Catalogue(models=models, endpoints=known.endpoints.values(), providers={}, authors={}, missing={})


def test_the_successor_is_advised_first() -> None:
    error = summarised("temporarily_unavailable")
    availability.advise(error, ending(None), ["a/m"])
    assert error.availability is not None
    assert error.availability["fallback_models"] == ["a/next", "a/near", "a/other"]


@pytest.mark.parametrize(
    ("code", "date", "told"),
    [
        ("model_unavailable_upstream", "2026-08-10", "model_deprecated"),
        ("model_unavailable_upstream", "2026-08-11", "model_unavailable_upstream"),
        ("model_unavailable_upstream", None, "model_unavailable_upstream"),
        ("temporarily_unavailable", "2026-08-10", "temporarily_unavailable"),
    ],
)
def test_a_model_that_nobody_knows_after_its_end_is_deprecated(code: str, date: str | None, told: str) -> None:
    error = summarised(code)
    availability.advise(error, ending(date), ["a/m"], "2026-08-11")
    assert error.availability is not None
    assert (error.availability["code"], error.availability["docs_url"]) == (told, f"/docs/errors#{told}")
    assert error.availability["fallback_models"] == ["a/next", "a/near", "a/other"]


@pytest.mark.parametrize("models", [["a/m", "a/near"], ["x/unknown"], []])
def test_what_was_asked_already_is_not_advised(models: list[str]) -> None:
    error = summarised("temporarily_unavailable")
    availability.advise(error, catalogue(("a/m", 10), ("a/near", 12)), models)
    assert error.availability is not None and "fallback_models" not in error.availability


@pytest.mark.parametrize("code", ["constraint_filtered", "region_restricted", "model_not_found"])
def test_where_another_model_is_no_help_none_is_advised(code: str) -> None:
    error = summarised(code)
    availability.advise(error, catalogue(("a/m", 10), ("a/near", 12)), ["a/m"])
    assert error.availability is not None and "fallback_models" not in error.availability


def summarised(code: str) -> ApiError:
    return ApiError("rate_limit_exceeded", "m", availability=availability.availability(code, ["a/m"], retryable=True))


def test_an_error_names_all_models_that_were_asked_for() -> None:
    error = availability.asked_for(availability.retired("a/m"), ["a/m", "a/n"])
    assert error.availability is not None and error.availability["requested_models"] == ["a/m", "a/n"]
    assert availability.asked_for(availability.model_missing(), ["a/m"]).availability is None
