import json

import pytest
from msgspec import Raw

from trunkline.dialects.messages import seal
from trunkline.dialects.messages.blocks import BlockWire, content_of, is_foreign, size, source_of, survey, walk
from trunkline.dialects.messages.fields import MessageWire
from trunkline.errors import ApiError


def user(*blocks: object) -> MessageWire:
    return MessageWire("user", [Raw(json.dumps(block).encode()) for block in blocks])


def test_text_is_counted_in_bytes() -> None:
    seen = survey([MessageWire("user", "grüß"), user({"type": "text", "text": "abc"})])
    assert (seen.text_bytes, seen.modalities, seen.traits) == (9, set(), {"user"})
    assert size("grüß") == 6


def test_media_are_modalities_and_not_counted() -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "A" * 1000}}
    document = {"type": "document", "source": {"type": "url", "url": "https://a.example/x.pdf"}}
    seen = survey([user(image, document)])
    assert (seen.text_bytes, seen.images, seen.modalities) == (0, 1, {"image", "file"})


def test_documents_that_are_text_are_text() -> None:
    written = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "abcd"}}
    nested = {"type": "document", "source": {"type": "content", "content": "xy"}}
    seen = survey([user(written, nested)])
    assert (seen.text_bytes, seen.modalities) == (8, set())


def test_what_is_inside_a_tool_result_counts_too() -> None:
    image = {"type": "image", "source": {"type": "url", "url": "https://a.example/x.png"}}
    result = {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "abc"}, image]}
    seen = survey([user(result, {"type": "tool_result", "tool_use_id": "u", "content": "de"})])
    assert (seen.text_bytes, seen.images, seen.modalities) == (5, 1, {"image"})


def test_calls_and_blocks_of_the_upstream_count_with_all_they_say() -> None:
    call = {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}}
    assert survey([user(call)]).text_bytes == len(json.dumps(call))


@pytest.mark.parametrize(
    ("block", "path"),
    [
        ({"type": "text"}, r"messages\[0\]\.content\[0\]\.text"),
        ({"type": "tool_use", "name": "f"}, r"messages\[0\]\.content\[0\]\.id"),
        ({"type": "tool_result"}, r"messages\[0\]\.content\[0\]\.tool_use_id"),
        ({"type": "image"}, r"messages\[0\]\.content\[0\]\.source"),
        ({"type": "image", "source": {"url": "x"}}, r"messages\[0\]\.content\[0\]\.source"),
        ({"type": "text", "text": 3}, r"messages\[0\]\.content\[0\]\.text: Expected"),
        ({"text": "x"}, r"messages\[0\]\.content\[0\]: "),
        ({"type": "tool_result", "tool_use_id": "t", "content": 5}, r"messages\[0\]\.content\[0\]\.content"),
        ({"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text"}]}, r"messages\[0\]\.content\[0\]\.content\[0\]\.text"),
    ],
)
def test_a_wrong_block_is_named(block: object, path: str) -> None:
    with pytest.raises(ApiError, match=path) as refused:
        survey([user(block)])
    assert refused.value.error_type == "invalid_request"


def test_blocks_that_are_not_known_pass() -> None:
    raw = Raw(b'{"type":"something_new","content":[1]}')
    assert [(block.type, bytes(part)) for block, part in walk([raw])] == [("something_new", bytes(raw))]


def test_content_may_be_absent() -> None:
    assert content_of(Raw(b"null")) == []
    assert content_of(Raw(b'"x"')) == "x"


def test_a_source_that_is_missing_is_refused() -> None:
    with pytest.raises(ApiError, match="source"):
        source_of(BlockWire(type="image"))


@pytest.mark.parametrize(
    ("block", "foreign"),
    [
        (BlockWire(type="thinking", thinking="x", signature="EqoB"), False),
        (BlockWire(type="thinking", thinking="x", signature=""), True),
        (BlockWire(type="thinking", thinking="x", signature=seal.close(seal.Sealed())), True),
        (BlockWire(type="redacted_thinking", data="blob"), False),
        (BlockWire(type="redacted_thinking", data=seal.close(seal.Sealed())), True),
        (BlockWire(type="text", text="x"), False),
    ],
)
def test_bug_02_thinking_of_others_is_seen(block: BlockWire, foreign: bool) -> None:
    assert is_foreign(block) is foreign
