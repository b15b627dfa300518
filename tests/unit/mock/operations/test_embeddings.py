import base64
import struct
from typing import Any

import msgspec
import pytest
from openai.types import CreateEmbeddingResponse

from trunkline.mock.call import Asked
from trunkline.mock.operations.embeddings import read, vector, write_cohere, write_google, write_openai
from trunkline.mock.reply import Reply
from trunkline.mock.script import Answer, Pace, Tokens


def body(reply: Reply) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(reply.parts[0].data)
    return found


def openai(answer: Answer = Answer(), **fields: Any) -> dict[str, Any]:  # noqa: B008
    call = read(Asked(path="/v1/embeddings", body={"model": "m", "input": ["a b", "c"]} | fields))
    return body(write_openai(call, answer, Pace(), serial=1))


def test_a_text_has_one_vector_of_the_wanted_length() -> None:
    assert vector("a", 5) == vector("a", 8)[:5] != vector("b", 5)
    assert all(-1 <= value <= 1 for value in vector("ü", 100))


def test_openais_form() -> None:
    found = openai(dimensions=3)
    CreateEmbeddingResponse.model_validate(found, strict=True)
    assert [item["embedding"] for item in found["data"]] == [vector("a b", 3), vector("c", 3)]
    assert found["usage"] == {"prompt_tokens": 3, "total_tokens": 3}


def test_base64_holds_the_same_numbers() -> None:
    packed = openai(encoding_format="base64")["data"][0]["embedding"]
    assert list(struct.unpack("<8f", base64.b64decode(packed))) == vector("a b", 8)


def test_scripted_usage_and_none() -> None:
    assert openai(Answer(tokens=Tokens(prompt=40)))["usage"]["prompt_tokens"] == 40
    assert "usage" not in openai(Answer(usage_place="never"))


def test_coheres_form() -> None:
    asked = Asked(path="/v2/embed", body={"model": "m", "texts": ["a"], "embedding_types": ["float", "int8", "uint8", "base64"]})
    found = body(write_cohere(read(asked), Answer(), Pace(), serial=1))
    assert set(found["embeddings"]) == {"float", "int8", "uint8", "base64"}
    assert found["embeddings"]["float"] == [vector("a", 8)]
    assert found["meta"]["billed_units"] == {"input_tokens": 1}
    images = Asked(path="/v2/embed", body={"model": "m", "inputs": [{"content": [{"type": "text", "text": "a"}]}]})
    assert body(write_cohere(read(images), Answer(), Pace(), serial=1))["embeddings"]["float"] == [vector("a", 8)]


CONTENT = {"parts": [{"text": "a"}]}


@pytest.mark.parametrize(
    ("verb", "asked", "expected"),
    [
        (
            "batchEmbedContents",
            {"requests": [{"content": CONTENT, "outputDimensionality": 2}]},
            {"embeddings": [{"values": vector("a", 2)}]},
        ),
        ("embedContent", {"content": CONTENT}, {"embedding": {"values": vector("a", 8)}}),
        (
            "predict",
            {"instances": [{"content": "a"}]},
            {"predictions": [{"embeddings": {"values": vector("a", 8), "statistics": {"token_count": 1, "truncated": False}}}]},
        ),
    ],
)
def test_googles_forms(verb: str, asked: dict[str, object], expected: dict[str, object]) -> None:
    call = read(Asked(path="/", model="m", verb=verb, body=asked))
    assert (call.model, call.text) == ("m", "a")
    assert body(write_google(call, Answer(), Pace(), serial=1)) == expected
