"""Images by conversation, over two dialects."""

import base64

import pytest
from oneshots import OneShotBench, body
from pipelines import served

from trunkline.inference.operations import IMAGES
from trunkline.protocol.catalogue import Pricing

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
TALKS = ["text", "image"]
PRICE = Pricing(prompt=5, completion=10, image_output=40)


def chat(*urls: str, **message: object):  # type: ignore[no-untyped-def]
    images = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    said = {"role": "assistant", "content": "Here.", "images": images, **message}
    usage = {"prompt_tokens": 3, "completion_tokens": 1290, "completion_tokens_details": {"image_tokens": 1280}}
    return body({"id": "c", "choices": [{"index": 0, "message": said, "finish_reason": "stop"}], "usage": usage})


def gemini(*parts: object):  # type: ignore[no-untyped-def]
    usage = {"promptTokenCount": 3, "candidatesTokenCount": 1290, "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 1290}]}
    return body({"candidates": [{"content": {"role": "model", "parts": list(parts)}, "finishReason": "STOP"}], "usageMetadata": usage})


def test_a_chat_model_is_asked_for_an_image() -> None:
    bench = OneShotBench(IMAGES, [served("one", pricing=PRICE)], chat(f"data:image/png;base64,{PNG}"), outputs=TALKS)
    reference = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
    said = bench.request(prompt="a cat", aspect_ratio="16:9", resolution="2K", input_references=[reference]).json
    assert said["data"] == [{"b64_json": PNG, "media_type": "image/png"}]
    sent = bench.sent()
    assert bench.url() == "http://one.test/v1/chat/completions"
    assert sorted(sent["modalities"]) == ["image", "text"]
    assert sent["messages"][0]["content"][0] == {"type": "text", "text": "a cat"}
    assert sent["messages"][0]["content"][1]["image_url"]["url"] == f"data:image/png;base64,{PNG}"
    assert bench.record.cost == 3 * 5 + 1280 * 40 + 10 * 10


def test_so_is_gemini() -> None:
    image = {"inlineData": {"mimeType": "image/png", "data": PNG}}
    endpoint = served("one", dialect="gemini", base_url="https://g.test/v1beta", pricing=PRICE, operator_url=False)
    bench = OneShotBench(IMAGES, [endpoint], gemini({"text": "Here."}, image), outputs=TALKS)
    said = bench.request(prompt="a cat", aspect_ratio="1:1", seed=7).json
    assert said["data"] == [{"b64_json": PNG, "media_type": "image/png"}]
    assert bench.url() == "https://g.test/v1beta/models/m:generateContent"
    config = bench.sent()["generationConfig"]
    assert sorted(config["responseModalities"]) == ["IMAGE", "TEXT"]
    assert config["seed"] == 7
    assert bench.record.cost == 3 * 5 + 1290 * 40
    assert bench.record.image_tokens == 1290


def test_several_images_are_several_calls() -> None:
    replies = [chat(f"data:image/png;base64,{PNG}") for _ in range(3)]
    bench = OneShotBench(IMAGES, [served("one", pricing=PRICE)], *replies, outputs=TALKS)
    said = bench.request(prompt="a cat", n=3).json
    assert len(said["data"]) == 3
    assert bench.record.cost == 3 * (3 * 5 + 1280 * 40 + 10 * 10)


@pytest.mark.parametrize(
    "reply",
    [
        chat(),
        chat("data:image/png;base64,!!"),
        chat("https://x.test/y.png"),
        body({"error": {"message": "boom"}}),
        body(b"{"),
    ],
)
def test_a_model_without_an_image_has_not_answered(reply: object) -> None:
    bench = OneShotBench(IMAGES, [served("one", pricing=PRICE)], reply, reply, outputs=TALKS)  # type: ignore[arg-type]
    outcome = bench.request(prompt="a cat")
    assert outcome.error is not None and outcome.error.status in (502, 503)
    assert bench.record.cost == 0


def test_a_model_that_makes_nothing_else_is_asked_directly() -> None:
    bench = OneShotBench(IMAGES, [served("one")], body({"data": [{"b64_json": PNG}]}), outputs=["image"])
    bench.request(prompt="a cat")
    assert bench.url() == "http://one.test/v1/images/generations"
