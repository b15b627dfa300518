"""Cohere's form of reranking."""

import msgspec
import pytest
from pipelines import served

from trunkline.dialects.rerank.cohere import BATCH, SHAPE
from trunkline.dialects.rerank.request import parse
from trunkline.errors import ApiError, MalformedResponse
from trunkline.protocol.usage import Units

COHERE = served("one", base_url="https://api.cohere.test/v2", dialect="cohere")


def request(documents: list[object], **fields: object):  # type: ignore[no-untyped-def]
    return parse(msgspec.json.encode({"model": "a/m", "query": "q", "documents": documents, **fields}))


def test_documents_go_as_strings() -> None:
    (sending,) = SHAPE.send(request(["a", {"text": "b"}], top_n=1), COHERE)
    assert sending.url == "https://api.cohere.test/v2/rerank"
    assert msgspec.json.decode(sending.body) == {"model": "m", "query": "q", "documents": ["a", "b"], "top_n": 1}


def test_images_are_refused() -> None:
    with pytest.raises(ApiError, match=r"^documents:"):
        SHAPE.send(request([{"image": "https://x/y"}]), COHERE)


def test_an_answer() -> None:
    body = {
        "id": "c-1",
        "results": [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.2}],
        "meta": {"billed_units": {"search_units": 3}},
    }
    result = SHAPE.read(request(["a", "b"]), COHERE, [msgspec.json.encode(body)])
    assert [(one.index, one.relevance) for one in result.content] == [(1, 0.9), (0, 0.2)]
    assert (result.id, result.units, result.usage) == ("c-1", Units(searches=3), {"prompt_tokens": 0})


def test_calls_are_joined_into_one_ranking() -> None:
    asked = request(["x"] * (BATCH + 1), top_n=2)
    assert [len(msgspec.json.decode(one.body)["documents"]) for one in SHAPE.send(asked, COHERE)] == [1000, 1]
    bodies = [
        {"results": [{"index": 7, "relevance_score": 0.3}, {"index": 2, "relevance_score": 0.2}]},
        {"results": [{"index": 0, "relevance_score": 0.9}]},
    ]
    result = SHAPE.read(asked, COHERE, [msgspec.json.encode(one) for one in bodies])
    assert [one.index for one in result.content] == [BATCH, 7]
    assert result.units == Units(searches=11)


@pytest.mark.parametrize("body", [b"", b"{}", b'{"results":[]}', b'{"results":[{"index":5,"relevance_score":1}]}'])
def test_what_is_no_answer(body: bytes) -> None:
    with pytest.raises(MalformedResponse):
        SHAPE.read(request(["a"]), COHERE, [body])
