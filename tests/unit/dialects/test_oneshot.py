"""What all operations beside chat share."""

import pytest
from oneshots import offering
from pipelines import served

from trunkline.dialects.oneshot import (
    OneShotRequest,
    adapted,
    address,
    batches,
    charges,
    counted,
    document,
    passed_on,
    quirks_of,
    whole_number,
)
from trunkline.errors import MalformedResponse, UpstreamRefused
from trunkline.protocol.quirks import NO_OPERATION_QUIRKS, Quirks
from trunkline.protocol.usage import Cost, Usage


def test_the_address_of_an_operation() -> None:
    assert address(served("one"), "speech", "/audio/speech") == "http://one.test/v1/audio/speech"
    assert address(offering("one", "speech", quirks={"path": "/tts/{model}"}), "speech", "/audio/speech") == "http://one.test/v1/tts/m"
    assert quirks_of(served("one"), "speech") is NO_OPERATION_QUIRKS


def test_a_body_is_adapted() -> None:
    one = served("one", quirks=Quirks(drop=("a",), rename={"b": "c"}))
    assert adapted({"a": 1, "b": 2, "d": None, "e": 0}, one) == {"c": 2, "e": 0}


def test_only_what_an_endpoint_lets_through_is_passed_on() -> None:
    one = offering("one", "images", quirks={"passthrough": ("style",), "set": {"response_format": "b64_json"}})
    request = OneShotRequest(dialect="chat", fields={}, options={"one": {"style": "oil", "model": "dear"}, "two": {"style": "ink"}})
    assert passed_on(request, one, "images") == {"response_format": "b64_json", "style": "oil"}


def test_batches() -> None:
    assert batches("abcde", served("one"), "embeddings", 2) == ["ab", "cd", "e"]
    assert batches("abc", offering("one", "embeddings", quirks={"batch": 9}), "embeddings", 2) == ["abc"]


def test_usage_of_several_calls_is_added() -> None:
    parts = {"prompt_tokens_details": {"image_tokens": 1, "audio_tokens": None}}
    assert counted([{"prompt_tokens": 2, **parts}, {"prompt_tokens": 3, "cost": 0.5, **parts}]) == {
        "prompt_tokens": 5,
        "cost": 0.5,
        "prompt_tokens_details": {"image_tokens": 2},
    }
    assert counted([{"prompt_tokens": 2}, None]) is None
    assert counted([]) is None


def test_counts() -> None:
    assert [whole_number(value) for value in (3, 2.0, 0, -1, True, "3", None, float("nan"), float("inf"))] == [3, 2, 0, *[None] * 6]


def test_money() -> None:
    told = charges(Usage(upstream_cost=5 * 10**12), Cost(10**12, 10**12))
    assert (told["cost"], told["is_byok"]) == (1.0, False)
    assert told["cost_details"] == {
        "upstream_inference_cost": 5.0,
        "upstream_inference_prompt_cost": 1.0,
        "upstream_inference_completions_cost": 0.0,
    }


def test_documents() -> None:
    assert document(b'{"a":1}') == {"a": 1}
    for body in (b"", b"[1]", b"null", b"{"):
        with pytest.raises(MalformedResponse):
            document(body)
    with pytest.raises(UpstreamRefused):
        document(b'{"error":"no"}')
