import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.dialects.messages.citations import annotation, citation, replayable

WEB = {
    "type": "web_search_result_location",
    "cited_text": "said",
    "encrypted_index": "idx==",
    "title": "Page",
    "url": "https://a.example",
}


def test_a_citation_becomes_an_annotation_of_the_chat_wire() -> None:
    made = json.loads(annotation(WEB) or "")
    assert made["type"] == "url_citation"
    assert {key: made["url_citation"][key] for key in ("url", "title", "content")} == {
        "url": "https://a.example",
        "title": "Page",
        "content": "said",
    }


def test_it_comes_back_as_it_was() -> None:
    text = annotation(WEB) or ""
    assert json.loads(bytes(citation(text) or b"")) == WEB
    assert json.loads(bytes(replayable(text) or b"")) == WEB


def test_a_search_result_is_cited_by_its_source() -> None:
    made = json.loads(annotation({"type": "search_result_location", "source": "https://b.example", "cited_text": "x", "title": None}) or "")
    assert (made["url_citation"]["url"], made["url_citation"]["title"]) == ("https://b.example", "")


@pytest.mark.parametrize("found", [None, 3, {}, {"type": "char_location", "document_index": 0}])
def test_what_has_no_address_has_no_annotation(found: object) -> None:
    assert annotation(found) is None


def test_an_annotation_of_another_dialect_is_a_search_result_but_not_replayed() -> None:
    text = json.dumps({"type": "url_citation", "url_citation": {"url": "https://c.example", "start_index": 0, "end_index": 4}})
    assert json.loads(bytes(citation(text) or b"")) == {
        "type": "web_search_result_location",
        "cited_text": "",
        "encrypted_index": "",
        "title": None,
        "url": "https://c.example",
    }
    assert replayable(text) is None


@given(
    st.one_of(
        st.text(),
        st.recursive(st.none() | st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)).map(
            json.dumps
        ),
    )
)
def test_garbage_is_no_citation(text: str) -> None:
    assert citation(text) is None
    assert replayable(text) is None
