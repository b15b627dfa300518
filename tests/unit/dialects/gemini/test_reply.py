"""The wire's documents, read strictly where it matters and loosely where it does not."""

import pytest

from trunkline.dialects.gemini.reply import ABSENT, read
from trunkline.errors import MalformedResponse


def test_one_document() -> None:
    (document,) = read(b'{"candidates":[{"content":{"parts":[{"text":"a","new":1}],"role":"model"},"index":0}],"responseId":"r","x":1}')
    assert document.responseId == "r"
    assert document.candidates is not None
    content = document.candidates[0].content
    assert content is not None
    assert content.parts is not None
    assert content.parts[0].text == "a"
    assert content.parts[0].toolCall == ABSENT


def test_an_array_of_documents() -> None:
    assert [document.responseId for document in read(b'[{"responseId":"a"},{"responseId":"b"}]')] == ["a", "b"]
    assert list(read(b"[]")) == []


def test_nulls_are_nothing() -> None:
    (document,) = read(b'{"candidates":null,"usageMetadata":null,"promptFeedback":null,"responseId":null,"error":null}')
    assert document.candidates is None


def test_bug_25_loose_json() -> None:
    assert read(b'\xef\xbb\xbf{"responseId":"r"}')[0].responseId == "r"
    (document,) = read(b'{"candidates":[{"content":{"parts":[{"text":"\\ud800"}]}}]}')
    assert document.candidates is not None


@pytest.mark.parametrize("data", [b"", b"<html>", b"{", b'"x"', b"5", b'{"candidates":5}', b"\xff", b"[" * 5000])
def test_what_is_no_document(data: bytes) -> None:
    with pytest.raises(MalformedResponse):
        read(data)
