"""Images that come as URLs."""

import msgspec
import pytest

from trunkline.dialects.images.links import links, with_bytes

BODY = msgspec.json.encode({"created": 1, "data": [{"url": "https://x/1"}, {"b64_json": "AA==", "url": "https://x/2"}, {"url": 3}]})


def test_only_images_without_bytes_are_links() -> None:
    assert links(BODY) == ["https://x/1"]


@pytest.mark.parametrize("body", [b"", b'"url"', b'{"url"', b'{"url":1}', b'{"data":{"url":"x"}}', b'{"data":["url"]}'])
def test_what_has_none(body: bytes) -> None:
    assert links(body) == []


def test_their_bytes_take_their_place() -> None:
    filled = msgspec.json.decode(with_bytes(BODY, {"https://x/1": b"\x00"}))
    assert filled["data"][0] == {"b64_json": "AA=="}
    assert filled["data"][1:] == msgspec.json.decode(BODY)["data"][1:]
    assert filled["created"] == 1
