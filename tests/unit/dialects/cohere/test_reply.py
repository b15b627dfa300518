import pytest

from trunkline.dialects.cohere.reply import ANSWER, EVENT, read
from trunkline.errors import MalformedResponse


def test_unknown_fields_are_no_matter() -> None:
    event = read(b'{"type":"content-delta","index":2,"new":1,"delta":{"message":{"content":{"text":"x","more":[]}}}}', EVENT)
    assert (event.type, event.index) == ("content-delta", 2)


def test_loose_json_is_read_too() -> None:
    assert read(b'\xef\xbb\xbf{"type":"\\ud800"}', EVENT).type == "\ufffd"


@pytest.mark.parametrize("data", [b"", b"null", b"[]", b"{}", b'{"message":"no"}', b"{", b"[" * 5000])
def test_what_is_no_answer(data: bytes) -> None:
    with pytest.raises(MalformedResponse):
        read(data, ANSWER)
