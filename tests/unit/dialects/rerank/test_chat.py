"""The form of Jina, Voyage and the servers that follow them."""

import msgspec
import pytest
from pipelines import served

from trunkline.dialects.rerank.chat import SHAPE
from trunkline.dialects.rerank.request import parse
from trunkline.errors import MalformedResponse, UpstreamRefused
from trunkline.protocol.quirks import Quirks
from trunkline.protocol.usage import Units

ONE = served("one")


def request(documents: list[object], **fields: object):  # type: ignore[no-untyped-def]
    return parse(msgspec.json.encode({"model": "a/m", "query": "q", "documents": documents, **fields}))


def test_the_call_with_voyages_name_for_the_best() -> None:
    voyage = served("one", quirks=Quirks(rename={"top_n": "top_k"}))
    (sending,) = SHAPE.send(request(["a", {"text": "b", "image": "https://x/y"}]), voyage)
    assert sending.url == "http://one.test/v1/rerank"
    assert msgspec.json.decode(sending.body) == {
        "model": "m",
        "query": "q",
        "documents": ["a", {"text": "b", "image": "https://x/y"}],
        "top_k": 2,
    }


@pytest.mark.parametrize(
    "body",
    [
        {"results": [{"index": 1, "relevance_score": 0.9}], "usage": {"total_tokens": 12}, "id": "j"},
        {"data": [{"index": 1, "relevance_score": 0.9}], "usage": {"total_tokens": 12}},
        {"results": [{"index": 1, "score": 0.9}], "usage": {"prompt_tokens": 12}},
    ],
)
def test_answers_under_several_names(body: dict[str, object]) -> None:
    result = SHAPE.read(request(["a", "b"]), ONE, [msgspec.json.encode(body)])
    assert [(one.index, one.relevance) for one in result.content] == [(1, 0.9)]
    assert result.usage == {"prompt_tokens": 12}
    assert result.id == body.get("id")


def test_a_bare_list_and_search_units() -> None:
    result = SHAPE.read(request(["a"]), ONE, [b'[{"index":0,"score":0.5}]'])
    assert (result.usage, result.content[0].relevance) == (None, 0.5)
    body = b'{"results":[{"index":0,"relevance_score":0.5}],"usage":{"search_units":2}}'
    counted = SHAPE.read(request(["a"]), ONE, [body])
    assert (counted.units, counted.usage) == (Units(searches=2), {})


@pytest.mark.parametrize("body", [b"", b"7", b"{}", b"[]", b'{"data":[{"index":9,"score":1}]}', b"<html>"])
def test_what_is_no_answer(body: bytes) -> None:
    with pytest.raises(MalformedResponse):
        SHAPE.read(request(["a"]), ONE, [body])


def test_an_error_with_status_200() -> None:
    with pytest.raises(UpstreamRefused):
        SHAPE.read(request(["a"]), ONE, [b'{"error":{"message":"no"}}'])
