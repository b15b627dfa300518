import pytest

from trunkline.dialects.converse.reply import ANSWER, FRAME, read
from trunkline.errors import MalformedResponse


def test_padding_and_unknown_fields_are_no_matter() -> None:
    frame = read(b'{"contentBlockDelta":{"contentBlockIndex":3,"delta":{"text":"x","new":1},"p":"abc"},"more":{}}', FRAME)
    assert frame.contentBlockDelta is not None
    assert frame.contentBlockDelta.contentBlockIndex == 3
    assert frame.contentBlockDelta.delta is not None
    assert frame.contentBlockDelta.delta.text == "x"


def test_loose_json_is_read_too() -> None:
    frame = read(b'\xef\xbb\xbf{"contentBlockDelta":{"delta":{"text":"\\ud800"}}}', FRAME)
    assert frame.contentBlockDelta is not None
    assert frame.contentBlockDelta.delta is not None
    assert frame.contentBlockDelta.delta.text == "\ufffd"


@pytest.mark.parametrize("data", [b"", b"null", b"[]", b'{"output":1}', b"{", b'{"output":{"message":{"content":"x"}}}', b"[" * 5000])
def test_what_is_no_answer(data: bytes) -> None:
    with pytest.raises(MalformedResponse):
        read(data, ANSWER)
