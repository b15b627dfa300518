import msgspec
import pytest

from trunkline.dialects.refusals import KINDS, MESSAGE_LIMIT, classify, refusal_of, retry_after
from trunkline.errors import UpstreamRefused


def refused(status: int, body: object, headers: dict[str, str] | None = None) -> UpstreamRefused:
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    got = classify(status, headers or {}, raw)
    assert got.kind in KINDS
    return got


def nested(message: str = "m", **fields: object) -> dict[str, object]:
    return {"error": {"message": message, **fields}}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        # a code or type decides, whatever the status
        (400, nested(code="context_length_exceeded", type="invalid_request_error"), "context_length"),
        (429, nested(code="insufficient_quota", type="insufficient_quota"), "quota"),
        (429, nested(code="rate_limit_exceeded", type="insufficient_quota"), "quota"),
        (413, nested("Request too large: tokens per minute", code="rate_limit_exceeded", type="tokens"), "rate_limit"),
        (400, nested(code="model_not_found"), "model_access"),
        (401, nested(code="invalid_api_key"), "credential"),
        (403, nested(code="unsupported_country_region_territory"), "region"),
        (400, nested(code="content_filter", innererror={"code": "ResponsibleAIPolicyViolation"}), "moderation"),
        (400, nested(innererror={"code": "ResponsibleAIPolicyViolation"}), "moderation"),
        (400, nested(code="unsupported_parameter", param="top_k"), "unsupported_param"),
        (400, nested(code="tool_use_failed", failed_generation="{"), "malformed"),
        (529, {"type": "error", "error": {"type": "overloaded_error", "message": "m"}}, "overloaded"),
        (503, nested(code=503, status="UNAVAILABLE"), "overloaded"),
        (429, [nested(code=429, status="RESOURCE_EXHAUSTED")], "rate_limit"),
        (400, nested(code=400, type="exceed_context_size_error"), "context_length"),
        # then phrases of the message
        (400, nested("This model's maximum context length is 8192 tokens", type="invalid_request_error"), "context_length"),
        (
            400,
            {"object": "error", "message": "This model's maximum context length is 10", "type": "BadRequestError", "code": 400},
            "context_length",
        ),
        (500, nested("the request exceeds the available context size", type="server_error", code=500), "context_length"),
        (422, nested("`inputs` tokens + `max_new_tokens` must be <= 4096"), "context_length"),
        (400, nested("Your credit balance is too low to access the API", type="invalid_request_error"), "quota"),
        (400, nested("API key not valid. Please pass a valid API key.", status="INVALID_ARGUMENT", code=400), "credential"),
        (403, nested("Rate limit reached for tokens per minute"), "rate_limit"),
        (400, nested("User location is not supported for the API use."), "region"),
        (400, nested("max_tokens is too large: 100000. This model supports at most 16384"), "max_output"),
        (400, nested("top_k: Extra inputs are not permitted"), "unsupported_param"),
        (404, nested("The model `x` does not exist"), "model_access"),
        (400, nested("The response was filtered due to the content management policy"), "moderation"),
        # then the status
        (400, nested(), "caller_fault"),
        (409, nested(), "caller_fault"),
        (413, b"", "caller_fault"),
        (422, {"detail": [{"loc": ["body", "x"], "msg": "bad", "type": "value_error"}]}, "unsupported_param"),
        (401, {"detail": "no"}, "credential"),
        (402, nested("Insufficient Balance"), "quota"),
        (403, {"message": "no"}, "model_access"),
        (403, nested("flagged", metadata={"reasons": ["x"], "flagged_input": "y"}), "flagged"),
        (400, nested("flagged", metadata={"reasons": ["x"]}), "flagged"),
        (403, nested("no", code="content_policy_violation"), "flagged"),
        (403, nested("Your input was flagged by moderation"), "flagged"),
        (400, nested("no", code="content_policy_violation"), "moderation"),
        (403, nested("no such model for you"), "model_access"),
        (404, {"detail": "Not Found"}, "model_access"),
        (429, nested("slow down"), "rate_limit"),
        (429, b"<html>", "rate_limit"),
        (498, b"", "overloaded"),
        (500, nested(type="server_error"), "server"),
        (503, nested(type="server_error"), "overloaded"),
        (502, b"<html><h1>502 Bad Gateway</h1>", "server"),
        (403, b"<!DOCTYPE html><title>Attention Required!</title>", "server"),
        (522, b"", "server"),
        (424, b"", "server"),
        # an error that came with status 200: its own code stands for the status
        (200, nested("busy", code=429), "rate_limit"),
        (200, nested("?"), "server"),
    ],
)
def test_kinds(status: int, body: object, kind: str) -> None:
    assert refused(status, body).kind == kind


@pytest.mark.parametrize(
    "prompt",
    ["Error 429 rate limit", "the limit is 5", "insufficient_quota", "what does overloaded_error mean? 503"],
)
def test_an_echoed_prompt_decides_nothing(prompt: str) -> None:
    assert refused(400, nested("Invalid message", param=prompt, type="invalid_request_error")).kind == "caller_fault"
    assert refused(400, nested(f"Invalid value: '{prompt}'")).kind == "caller_fault"


@pytest.mark.parametrize(
    ("body", "message", "code"),
    [
        (nested("m", code="c", type="t"), "m", "c"),
        (nested("m", type="t"), "m", "t"),
        (nested("m", code=400), "m", "400"),
        ([nested("m", code=429)], "m", "429"),
        ({"message": "m", "code": "c"}, "m", "c"),
        ({"Message": "m"}, "m", None),
        ({"error": "m"}, "m", None),
        ({"detail": "m"}, "m", None),
        ({"detail": [{"loc": ["body", "top_k"], "msg": "bad"}]}, "body.top_k: bad", None),
        ({"errors": [{"message": "m", "code": 7000}]}, "m", "7000"),
        (b"plain words", "plain words", None),
        (b"", "HTTP 400 without a message", None),
        (b"[]", "HTTP 400 without a message", None),
        (b"{}", "HTTP 400 without a message", None),
        (b"<html>x</html>", "HTTP 400 with an HTML page", None),
    ],
)
def test_message_and_code_of_every_body_shape(body: object, message: str, code: str | None) -> None:
    got = refused(400, body)
    assert (got.message, got.code) == (message, code)


def test_the_amazon_header_is_a_code() -> None:
    got = refused(400, {"message": "m"}, {"x-amzn-errortype": "ThrottlingException:http://x"})
    assert (got.kind, got.code) == ("rate_limit", "throttlingexception")


def test_texts_are_bounded() -> None:
    got = refused(400, nested("x" * 10_000))
    assert len(got.message) == MESSAGE_LIMIT
    assert len(got.raw) <= MESSAGE_LIMIT


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0"}, 1.0),
        ({"retry-after": "86400"}, 300.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "2500", "retry-after": "9"}, 2.5),
        ({"x-ms-retry-after-ms": "4000"}, 4.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 30.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "-5"}, None),
        ({"x-ratelimit-reset-requests": "9"}, None),
    ],
)
def test_retry_hints(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds
    assert retry_after([(name.encode(), value.encode()) for name, value in headers.items()]) == seconds


def test_the_hint_may_be_in_the_body() -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"}]
    assert refused(429, [nested(code=429, details=details)]).retry_after == 34.5
    assert refused(429, nested(details=details), {"retry-after": "3"}).retry_after == 3.0


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({"error": {"code": 429, "message": "m"}}, "rate_limit"),
        ({"error": {"code": "server_error", "message": "m"}}, "server"),
        ({"error": "overloaded"}, "server"),
        ({"object": "error", "message": "m", "code": 400}, "caller_fault"),
        ({"type": "error", "error": {"type": "overloaded_error", "message": "m"}}, "overloaded"),
        ({"base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}, "choices": None}, "quota"),
        ({"error": {"message": "This model's maximum context length is 5"}}, "context_length"),
    ],
)
def test_errors_inside_answers(document: dict[str, object], kind: str) -> None:
    got = refusal_of(document)
    assert got is not None
    assert got.kind == kind


@pytest.mark.parametrize("document", [{}, {"error": None, "choices": []}, {"base_resp": {"status_code": 0}}, {"error": {}}])
def test_answers_without_an_error(document: dict[str, object]) -> None:
    assert refusal_of(document) is None


def test_an_extraneous_key_is_an_unsupported_parameter() -> None:
    """Bedrock's validation of the body, as AWS words it."""
    message = "Malformed input request: #: extraneous key [top_k] is not permitted, please reformat your input and try again."
    error = classify(400, {"x-amzn-errortype": "ValidationException"}, msgspec.json.encode({"message": message}))
    assert (error.kind, error.message) == ("unsupported_param", message)


def test_a_moderation_says_what_it_found() -> None:
    ours = refused(403, nested("flagged", metadata={"reasons": ["violence", 1], "flagged_input": "how to"}))
    assert (ours.reasons, ours.flagged_input) == (("violence",), "how to")
    filtered = {"hate": {"filtered": False}, "violence": {"filtered": True, "severity": "high"}, "jailbreak": "?"}
    azure = refused(400, nested("filtered", code="content_filter", innererror={"content_filter_result": filtered}))
    assert (azure.kind, azure.reasons, azure.flagged_input) == ("moderation", ("violence",), "")
    strange = refused(403, nested("flagged", metadata={"reasons": "violence", "flagged_input": ["x"]}))
    assert (strange.kind, strange.reasons, strange.flagged_input) == ("flagged", (), "")
    inside = refusal_of({"error": {"code": 403, "message": "flagged", "metadata": {"reasons": ["sexual"], "flagged_input": "z"}}})
    assert inside is not None
    assert (inside.kind, inside.reasons) == ("flagged", ("sexual",))
