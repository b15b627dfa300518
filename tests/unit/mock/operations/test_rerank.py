from typing import Any

import msgspec

from trunkline.mock.call import Asked
from trunkline.mock.operations.rerank import ranked, read, score, write_cohere, write_jina
from trunkline.mock.script import Answer, Pace

BODY: dict[str, Any] = {"model": "m", "query": "red car", "documents": ["a dog", {"text": "a red dog"}, "a RED car"]}


def asked(**fields: Any) -> Asked:
    return Asked(path="/", body=BODY | fields)


def test_scores() -> None:
    assert (score("a b", "b c"), score("a b", "b a"), score("a", ""), score("", "x")) == (0.5, 1.0, 0.0, 0.0)


def test_the_best_come_first_and_only_as_many_as_are_asked_for() -> None:
    assert ranked(read(asked())) == [(2, 1.0, "a RED car"), (1, 0.5, "a red dog"), (0, 0.0, "a dog")]
    assert len(ranked(read(asked(top_n=1)))) == 1


def test_coheres_form() -> None:
    reply = write_cohere(read(asked(top_n=1)), Answer(), Pace(), serial=7)
    assert msgspec.json.decode(reply.parts[0].data) == {
        "id": "mock00000007",
        "results": [{"index": 2, "relevance_score": 1.0}],
        "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}},
    }


def test_jinas_form_and_voyages() -> None:
    found = msgspec.json.decode(write_jina(read(asked(top_n=1)), Answer(), Pace(), serial=1).parts[0].data)
    assert found["results"] == [{"index": 2, "relevance_score": 1.0, "document": {"text": "a RED car"}}]
    assert found["usage"] == {"total_tokens": 10}
    found = msgspec.json.decode(write_jina(read(asked(top_k=1, return_documents=False)), Answer(), Pace(), serial=1).parts[0].data)
    assert found["data"] == [{"index": 2, "relevance_score": 1.0}]
