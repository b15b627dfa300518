"""Whether an image is one."""

import base64

import pytest

from trunkline.dialects.images.picture import picture, pictures
from trunkline.errors import MalformedResponse

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n rest").decode()


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"<svg xmlns='x'/>", "image/svg+xml"),
        (b" <?xml version='1.0'?><svg/>", "image/svg+xml"),
        (b"other", None),
    ],
)
def test_its_kind_is_told_by_its_bytes(data: bytes, kind: str | None) -> None:
    text = base64.b64encode(data).decode()
    assert (picture(text).data, picture(text).media_type) == (text, kind)


@pytest.mark.parametrize("data", [None, "", 3, "not base64!", "AAA", "====", PNG[:-1]])
def test_what_does_not_decode(data: object) -> None:
    with pytest.raises(MalformedResponse):
        picture(data)


@pytest.mark.parametrize("items", [None, [], {}, [3], [{"url": "https://x/y.png"}], [{"b64_json": PNG}, {"b64_json": "!"}]])
def test_all_of_them_or_none(items: object) -> None:
    with pytest.raises(MalformedResponse):
        pictures(items)
