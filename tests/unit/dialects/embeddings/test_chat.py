"""OpenAI's form of embeddings."""

import base64
import struct

import msgspec
import pytest
from pipelines import served

from trunkline.dialects.embeddings.chat import SHAPE
from trunkline.dialects.embeddings.request import parse
from trunkline.errors import MalformedResponse, UpstreamRefused
from trunkline.protocol.quirks import OperationQuirks, Quirks

ONE = served("one")


def request(**fields: object):  # type: ignore[no-untyped-def]
    return parse(msgspec.json.encode({"model": "a/m", **fields}))


def answer(*vectors: object, **more: object) -> bytes:
    return msgspec.json.encode({"data": [{"index": index, "embedding": one} for index, one in enumerate(vectors)], **more})


def test_the_call() -> None:
    (sending,) = SHAPE.send(request(input=["a", [1, 2]], dimensions=3, encoding_format="base64", input_type="query"), ONE)
    assert sending.url == "http://one.test/v1/embeddings"
    assert msgspec.json.decode(sending.body) == {
        "model": "m",
        "input": ["a", [1, 2]],
        "dimensions": 3,
        "encoding_format": "base64",
        "input_type": "query",
    }


def test_media_go_as_they_came() -> None:
    parts = [{"type": "image_url", "image_url": {"url": "https://x/y.png"}}]
    (sending,) = SHAPE.send(request(input=[{"content": parts}]), ONE)
    assert msgspec.json.decode(sending.body)["input"] == [{"content": parts}]


def test_what_the_upstream_calls_otherwise() -> None:
    voyage = served("one", quirks=Quirks(rename={"dimensions": "output_dimension"}, drop=("encoding_format",)))
    (sending,) = SHAPE.send(request(input="a", dimensions=3), voyage)
    assert msgspec.json.decode(sending.body) == {"model": "m", "input": ["a"], "output_dimension": 3}


@pytest.mark.parametrize(("said", "sent"), [("search_query", "query"), ("query", "query"), ("clustering", None), (None, None)])
def test_types_of_input_in_the_upstreams_words(said: str | None, sent: str | None) -> None:
    words = OperationQuirks(input_types={"search_query": "query", "clustering": ""})
    (sending,) = SHAPE.send(request(input="a", input_type=said), served("one", quirks=Quirks(operations={"embeddings": words})))
    assert msgspec.json.decode(sending.body).get("input_type") == sent


def test_batches_are_joined_in_order() -> None:
    small = served("one", quirks=Quirks(operations={"embeddings": OperationQuirks(batch=2, path="/x/{model}")}))
    asked = request(input=["a", "b", "c"])
    sendings = SHAPE.send(asked, small)
    assert [msgspec.json.decode(one.body)["input"] for one in sendings] == [["a", "b"], ["c"]]
    assert sendings[0].url == "http://one.test/v1/x/m"
    usage = {"prompt_tokens": 2, "total_tokens": 2, "prompt_tokens_details": {"image_tokens": 1}}
    result = SHAPE.read(asked, small, [answer([1.0], [2.0], usage=usage, id="e"), answer([3.0], usage=usage)])
    assert [msgspec.json.decode(bytes(one)) for one in result.content] == [[1.0], [2.0], [3.0]]
    assert result.usage == {"prompt_tokens": 4, "total_tokens": 4, "prompt_tokens_details": {"image_tokens": 2}}
    assert result.id == "e"


def test_vectors_are_ordered_by_their_index() -> None:
    body = msgspec.json.encode({"data": [{"index": 1, "embedding": [2.0]}, {"index": 0, "embedding": [1.0]}]})
    result = SHAPE.read(request(input=["a", "b"]), ONE, [body])
    assert [bytes(one) for one in result.content] == [b"[1.0]", b"[2.0]"]
    assert result.usage is None


def test_vectors_without_an_index_stay_as_they_came() -> None:
    body = msgspec.json.encode({"data": [{"embedding": [2.0]}, {"embedding": [1.0]}]})
    assert [bytes(one) for one in SHAPE.read(request(input=["a", "b"]), ONE, [body]).content] == [b"[2.0]", b"[1.0]"]


def test_a_total_alone_is_that_of_the_input() -> None:
    result = SHAPE.read(request(input="a"), ONE, [answer([1.0], usage={"total_tokens": 7})])
    assert result.usage == {"total_tokens": 7, "prompt_tokens": 7}


def test_base64_is_made_where_an_upstream_gives_numbers() -> None:
    (vector,) = SHAPE.read(request(input="a", encoding_format="base64"), ONE, [answer([1.5, -2.0])]).content
    assert base64.b64decode(msgspec.json.decode(bytes(vector))) == struct.pack("<2f", 1.5, -2.0)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b"<html>", b'{"data":{}}', answer(), answer([1.0], [2.0]), answer([]), answer(None), b"\xff", b"[" * 5000]
)
def test_what_is_no_answer(body: bytes) -> None:
    with pytest.raises(MalformedResponse):
        SHAPE.read(request(input="a"), ONE, [body])


def test_an_error_with_status_200() -> None:
    with pytest.raises(UpstreamRefused) as caught:
        SHAPE.read(request(input="a"), ONE, [b'{"error":{"code":"rate_limit_exceeded","message":"slow down"}}'])
    assert caught.value.kind == "rate_limit"
