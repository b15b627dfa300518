"""Annotations for chat clients."""

import msgspec
import pytest

from trunkline.dialects.chat.annotations import shown

PLACED = '{"type":"url_citation","url_citation":{"url":"u","title":"t","start_index":3,"end_index":5,"content":"c"}}'


@pytest.mark.parametrize("text", [PLACED, '{"type":"file","file":{"hash":"h","name":"n","content":[]}}'])
def test_what_is_complete_keeps_its_bytes(text: str) -> None:
    assert bytes(shown(text) or b"") == text.encode()


def test_a_citation_without_a_place_gets_one() -> None:
    got = shown('{"type":"url_citation","url_citation":{"url":"u","anthropic":{"type":"x"}}}')
    assert msgspec.json.decode(got or b"") == {
        "type": "url_citation",
        "url_citation": {"url": "u", "title": "", "start_index": 0, "end_index": 0, "anthropic": {"type": "x"}},
    }


@pytest.mark.parametrize(
    "text",
    ['{"type":"file_citation","file_citation":{"file_id":"f"}}', '{"type":"container_file_citation"}', '{"type":7}', "{}", "[]", "null"],
)
def test_what_this_dialect_does_not_have_is_left_out(text: str) -> None:
    assert shown(text) is None


def test_a_citation_of_nothing_is_still_legal() -> None:
    assert msgspec.json.decode(shown('{"type":"url_citation"}') or b"")["url_citation"]["url"] == ""
