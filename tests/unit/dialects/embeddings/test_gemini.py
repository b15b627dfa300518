"""Gemini's form of embeddings."""

import msgspec
import pytest
from pipelines import served

from trunkline.dialects.embeddings.gemini import BATCH, SHAPE
from trunkline.dialects.embeddings.request import parse
from trunkline.errors import ApiError, MalformedResponse

GEMINI = served("one", base_url="https://g.test/v1beta", dialect="gemini")


def request(**fields: object):  # type: ignore[no-untyped-def]
    return parse(msgspec.json.encode({"model": "a/m", **fields}))


def test_the_call() -> None:
    (sending,) = SHAPE.send(request(input=["a", "b"], input_type="search_query", dimensions=256), GEMINI)
    assert sending.url == "https://g.test/v1beta/models/m:batchEmbedContents"
    one = {"model": "models/m", "taskType": "RETRIEVAL_QUERY", "outputDimensionality": 256}
    assert msgspec.json.decode(sending.body) == {"requests": [{**one, "content": {"parts": [{"text": text}]}} for text in "ab"]}


def test_media_are_inlined() -> None:
    parts = [
        {"type": "text", "text": "x"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
        {"type": "input_audio", "input_audio": {"data": "BB==", "format": "mp3"}},
    ]
    (sending,) = SHAPE.send(request(input=[{"content": parts}]), GEMINI)
    assert msgspec.json.decode(sending.body)["requests"][0]["content"]["parts"] == [
        {"text": "x"},
        {"inlineData": {"mimeType": "image/png", "data": "AA=="}},
        {"inlineData": {"mimeType": "audio/mp3", "data": "BB=="}},
    ]


@pytest.mark.parametrize("given", [[[1, 2]], [{"content": [{"type": "image_url", "image_url": {"url": "https://x/y.png"}}]}]])
def test_what_it_does_not_take(given: object) -> None:
    with pytest.raises(ApiError, match=r"^input:"):
        SHAPE.send(request(input=given), GEMINI)


def test_batches_of_100_in_order() -> None:
    asked = request(input=["x"] * (BATCH + 1))
    assert len(SHAPE.send(asked, GEMINI)) == 2
    bodies = [
        msgspec.json.encode({"embeddings": [{"values": [float(number)]} for number in numbers], "usageMetadata": {"promptTokenCount": 5}})
        for numbers in (range(100), [100])
    ]
    result = SHAPE.read(asked, GEMINI, bodies)
    assert [msgspec.json.decode(bytes(one))[0] for one in result.content] == [float(number) for number in range(101)]
    assert result.usage == {"prompt_tokens": 10}


@pytest.mark.parametrize("body", [{}, {"embeddings": []}, {"embeddings": [3]}, {"embeddings": [{"values": []}]}, {"embeddings": [{}, {}]}])
def test_what_is_no_answer(body: object) -> None:
    with pytest.raises(MalformedResponse):
        SHAPE.read(request(input="a"), GEMINI, [msgspec.json.encode(body)])
