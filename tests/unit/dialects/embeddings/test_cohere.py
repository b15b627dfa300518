"""Cohere's form of embeddings."""

import msgspec
import pytest
from pipelines import served

from trunkline.dialects.embeddings.cohere import BATCH, SHAPE
from trunkline.dialects.embeddings.request import parse
from trunkline.errors import ApiError, MalformedResponse

COHERE = served("one", base_url="https://api.cohere.test/v2", dialect="cohere")


def request(**fields: object):  # type: ignore[no-untyped-def]
    return parse(msgspec.json.encode({"model": "a/m", **fields}))


def test_the_call() -> None:
    (sending,) = SHAPE.send(request(input=["a", "b"], input_type="search_query", dimensions=256), COHERE)
    assert sending.url == "https://api.cohere.test/v2/embed"
    assert msgspec.json.decode(sending.body) == {
        "model": "m",
        "texts": ["a", "b"],
        "input_type": "search_query",
        "embedding_types": ["float"],
        "output_dimension": 256,
    }


@pytest.mark.parametrize(
    ("said", "sent"),
    [(None, "search_document"), ("document", "search_document"), ("query", "search_query"), ("clustering", "clustering")],
)
def test_types_of_input_in_its_words(said: str | None, sent: str) -> None:
    (sending,) = SHAPE.send(request(input="a", input_type=said), COHERE)
    assert msgspec.json.decode(sending.body)["input_type"] == sent


def test_images_need_the_other_list() -> None:
    parts = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]
    (sending,) = SHAPE.send(request(input=["a", {"content": parts}]), COHERE)
    body = msgspec.json.decode(sending.body)
    assert body["inputs"] == [{"content": [{"type": "text", "text": "a"}]}, {"content": parts}]
    assert "texts" not in body and body["input_type"] == "search_document"


@pytest.mark.parametrize("given", [[[1, 2]], [{"content": [{"type": "input_audio", "input_audio": {"data": "A", "format": "wav"}}]}]])
def test_what_it_does_not_take(given: object) -> None:
    with pytest.raises(ApiError, match=r"^input:"):
        SHAPE.send(request(input=given), COHERE)


def test_batches_of_96() -> None:
    asked = request(input=[str(number) for number in range(BATCH + 1)])
    assert [len(msgspec.json.decode(one.body)["texts"]) for one in SHAPE.send(asked, COHERE)] == [96, 1]
    bodies = [
        msgspec.json.encode({"id": "c", "embeddings": {"float": vectors}, "meta": {"billed_units": {"input_tokens": tokens}}})
        for vectors, tokens in (([[float(number)] for number in range(96)], 96), ([[96.0]], 1))
    ]
    result = SHAPE.read(asked, COHERE, bodies)
    assert [msgspec.json.decode(bytes(one))[0] for one in result.content] == [float(number) for number in range(97)]
    assert (result.usage, result.id) == ({"prompt_tokens": 97, "prompt_tokens_details": {"image_tokens": 0}}, "c")


def test_image_tokens_are_part_of_the_input() -> None:
    body = msgspec.json.encode({"embeddings": {"float": [[1.0]]}, "meta": {"billed_units": {"input_tokens": 2, "image_tokens": 5}}})
    assert SHAPE.read(request(input="a"), COHERE, [body]).usage == {"prompt_tokens": 7, "prompt_tokens_details": {"image_tokens": 5}}


@pytest.mark.parametrize(
    "body",
    [{}, {"embeddings": []}, {"embeddings": {"float": []}}, {"embeddings": {"float": [[1.0], [2.0]]}}, {"embeddings": {"float": [0]}}],
)
def test_what_is_no_answer(body: object) -> None:
    with pytest.raises(MalformedResponse):
        SHAPE.read(request(input="a"), COHERE, [msgspec.json.encode(body)])


@pytest.mark.parametrize("meta", [None, {}, {"billed_units": 3}, {"billed_units": {"input_tokens": "x"}}])
def test_an_answer_without_an_account(meta: object) -> None:
    body = msgspec.json.encode({"embeddings": {"float": [[1.0]]}, "meta": meta})
    assert SHAPE.read(request(input="a"), COHERE, [body]).usage is None
