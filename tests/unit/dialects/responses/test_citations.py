import pytest

from trunkline.dialects.responses.citations import from_chat, to_chat

FLAT = {"type": "url_citation", "start_index": 1, "end_index": 4, "url": "http://x", "title": "T"}
NESTED = {"type": "url_citation", "url_citation": {"start_index": 1, "end_index": 4, "url": "http://x", "title": "T"}}


def test_citations_go_both_ways() -> None:
    assert to_chat(FLAT) == NESTED
    assert from_chat(NESTED) == FLAT
    assert to_chat(NESTED) == NESTED
    assert from_chat(FLAT) == FLAT


def test_files_are_cited_too() -> None:
    cited = {"type": "file_citation", "file_id": "f", "filename": "a.pdf", "index": 3}
    assert from_chat(to_chat(cited)) == cited


def test_positions_that_are_missing_are_zero() -> None:
    assert from_chat({"type": "url_citation", "url_citation": {"url": "http://x", "title": None}}) == {
        "type": "url_citation",
        "start_index": 0,
        "end_index": 0,
        "url": "http://x",
        "title": "",
    }


@pytest.mark.parametrize("annotation", [None, 1, {}, {"type": 3}, {"type": "file", "file": {"hash": "h", "content": []}}])
def test_what_is_no_citation_in_a_text_is_left_out(annotation: object) -> None:
    assert from_chat(annotation) is None
    assert to_chat(annotation) == annotation
