import msgspec
import pytest

from trunkline.dialects.cohere.evidence import annotations, logprobs


def test_each_source_with_an_address_is_an_annotation() -> None:
    citation = {
        "start": 3,
        "end": 7,
        "text": "tall",
        "type": "TEXT_CONTENT",
        "sources": [
            {"type": "document", "id": "doc:0", "document": {"id": "doc:0", "title": "Penguins", "url": "https://a.test/p"}},
            {"type": "tool", "id": "call:0", "tool_output": {"link": "https://b.test/"}},
            {"type": "document", "id": "doc:1", "document": {"text": "no address"}},
            {"type": "unheard of"},
            "odd",
        ],
    }
    place = {"start_index": 3, "end_index": 7, "content": "tall"}
    assert [msgspec.json.decode(one) for one in annotations(citation)] == [
        {"type": "url_citation", "url_citation": {"url": "https://a.test/p", "title": "Penguins", **place}},
        {"type": "url_citation", "url_citation": {"url": "https://b.test/", "title": "https://b.test/", **place}},
    ]


@pytest.mark.parametrize("citation", [{}, {"sources": None}, {"sources": [{"type": "document"}]}, {"type": "PLAN", "sources": []}])
def test_what_has_no_annotation(citation: dict[str, object]) -> None:
    assert list(annotations(citation)) == []


def test_thoughts_are_not_cited() -> None:
    source = {"type": "document", "document": {"url": "https://a.test/"}}
    assert list(annotations({"type": "THINKING_CONTENT", "sources": [source]})) == []


def test_probabilities() -> None:
    found = logprobs([{"text": "né", "token_ids": [1, 2], "logprobs": [-0.5, -1]}, {"text": "x", "logprobs": None}, {"logprobs": [1]}])
    assert found is not None
    assert msgspec.json.decode(found) == [{"token": "né", "logprob": -1.5, "bytes": [110, 195, 169], "top_logprobs": []}]
    assert logprobs([]) is None
