import base64

import pytest

from trunkline.dialects.media import data_url, sniff, sniff_base64, split_data_url


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("data:image/PNG;base64,AAAA", ("image/png", "AAAA")),
        ("data:;base64,AAAA", ("text/plain", "AAAA")),
        ("data:audio/wav;codecs=1;base64,AA==", ("audio/wav", "AA==")),
        ("data:image/png,AAAA", None),
        ("https://example.com/a.png", None),
        ("data:image/png;base64", None),
    ],
)
def test_data_urls_are_taken_apart(url: str, parts: tuple[str, str] | None) -> None:
    assert split_data_url(url) == parts


def test_a_data_url_comes_back() -> None:
    assert split_data_url(data_url("image/webp", "QUJD")) == ("image/webp", "QUJD")


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n....", "image/png"),
        (b"RIFF....WEBPVP8 ", "image/webp"),
        (b"%PDF-1.7", "application/pdf"),
        (b"hello", None),
        (b"", None),
    ],
)
def test_types_are_told_by_their_first_bytes(data: bytes, kind: str | None) -> None:
    assert sniff(data) == kind
    assert sniff_base64(base64.b64encode(data).decode()) == kind


def test_what_is_not_base64_has_no_type() -> None:
    assert sniff_base64("!!!") is None
