"""The body of an answer."""

import msgspec

from trunkline.dialects.hub.translation import Identity
from trunkline.dialects.oneshot import Result
from trunkline.dialects.rerank.answer import write
from trunkline.dialects.rerank.request import parse
from trunkline.dialects.rerank.scores import Score
from trunkline.protocol.usage import Cost, Units, Usage

IDENTITY = Identity("gen-1", "a/m", "One", 5)


def test_documents_are_echoed_in_the_order_of_the_ranking() -> None:
    request = parse(b'{"model":"a/m","query":"q","documents":["a",{"text":"b","image":"https://x/y"}]}')
    result = Result((Score(1, 0.9), Score(0, 0.1)), units=Units(searches=2))
    said = msgspec.json.decode(write(IDENTITY, request, result, Usage(7), Cost(10**9)))
    assert said["results"] == [
        {"index": 1, "relevance_score": 0.9, "document": {"text": "b", "image": "https://x/y"}},
        {"index": 0, "relevance_score": 0.1, "document": {"text": "a"}},
    ]
    assert (said["id"], said["model"], said["provider"]) == ("gen-1", "a/m", "One")
    assert (said["usage"]["search_units"], said["usage"]["total_tokens"], said["usage"]["cost"]) == (2, 7, 0.001)


def test_search_units_only_where_they_are_counted() -> None:
    request = parse(b'{"model":"a/m","query":"q","documents":["a"]}')
    said = msgspec.json.decode(write(IDENTITY, request, Result((Score(0, 0.1),)), Usage(7), Cost()))
    assert "search_units" not in said["usage"]
