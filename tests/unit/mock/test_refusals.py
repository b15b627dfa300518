import msgspec
import pytest

from trunkline.mock.refusals import SHAPES, body, exception_of, phrase, refuse, reply
from trunkline.mock.reply import Refusal

REFUSAL = Refusal(status=429, code="slow_down", message="Too fast.")


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_carries_the_message(shape: str) -> None:
    assert b"Too fast." in body(REFUSAL, shape)


def test_shapes_as_the_vendors_write_them() -> None:
    assert msgspec.json.decode(body(REFUSAL, "openai")) == {
        "error": {"message": "Too fast.", "type": "rate_limit_error", "param": None, "code": "slow_down"}
    }
    assert msgspec.json.decode(body(REFUSAL, "google_list"))[0]["error"]["details"][0]["retryDelay"] == "2s"
    assert msgspec.json.decode(body(REFUSAL, "vllm"))["object"] == "error"
    assert msgspec.json.decode(body(REFUSAL, "text")) == {"error": "Too fast."}


def test_an_unknown_shape_is_the_plain_one() -> None:
    assert body(REFUSAL, "?") == body(REFUSAL, "openai")


def test_phrases() -> None:
    assert (phrase(429), phrase(529)) == ("Too Many Requests", "Unknown")


def test_the_mocks_own_refusal() -> None:
    assert refuse(404, "Nothing here.").status == 404


def test_more_vendors() -> None:
    assert msgspec.json.decode(body(REFUSAL, "cohere"))["message"] == "Too fast."
    wrong = Refusal(status=422, code="extra_forbidden", message="Extra inputs are not permitted", param="provider")
    assert msgspec.json.decode(body(wrong, "mistral"))["message"]["detail"][0]["loc"] == ["body", "provider"]


def test_aws_names_the_exception_in_a_header() -> None:
    told = reply(Refusal(status=429, message="Too fast."), "aws", headers=(("retry-after", "1"),))
    assert dict(told.headers)["x-amzn-errortype"] == "ThrottlingException"
    assert (exception_of(REFUSAL), exception_of(Refusal(status=500))) == ("slow_down", "InternalServerException")
    assert dict(told.headers)["retry-after"] == "1"
