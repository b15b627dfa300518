"""Text and media as parts (adapters 2.4, class 22)."""

import base64

import pytest

from trunkline.dialects.gemini.parts import must_be_fetched, part_of, text_part
from trunkline.dialects.hub.conversation import Audio, Block, File, Image, Opaque, Refusal, Text, ToolCall, Video
from trunkline.errors import ApiError

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(40)).decode()


def inline(kind: str, data: str = "QUJD") -> dict[str, object]:
    return {"inlineData": {"mimeType": kind, "data": data}}


def remote(kind: str, uri: str) -> dict[str, object]:
    return {"fileData": {"mimeType": kind, "fileUri": uri}}


@pytest.mark.parametrize(
    ("block", "part"),
    [
        (Text(text="hi"), {"text": "hi"}),
        (Text(text=" "), {"text": " "}),
        (Text(text=""), None),
        (Refusal(text="no"), {"text": "no"}),
        (Image(data="QUJD", media_type="image/png"), inline("image/png")),
        (Image(data="QUJD", media_type="image/jpg"), inline("image/jpeg")),
        (Image(data=PNG, media_type="image/jpeg"), inline("image/png", PNG)),
        (Image(data=PNG), inline("image/png", PNG)),
        (Image(data="QUJD"), inline("image/jpeg")),
        (Image(data=""), None),
        (Image(url=f"data:image/gif;base64,{PNG}"), inline("image/png", PNG)),
        (Image(url="https://a.example/x.webp?y=1"), remote("image/webp", "https://a.example/x.webp?y=1")),
        (Image(url="gs://bucket/x"), remote("image/jpeg", "gs://bucket/x")),
        (Audio(data="QUJD", format="mp3"), inline("audio/mpeg")),
        (Audio(data="QUJD", format="WAV"), inline("audio/wav")),
        (Audio(data="QUJD", format="pcm16"), inline("audio/pcm")),
        (Audio(data="QUJD", format="odd"), inline("audio/odd")),
        (Video(url="https://youtu.be/abc"), remote("video/mp4", "https://youtu.be/abc")),
        (Video(url="https://www.youtube.com/watch?v=1"), remote("video/mp4", "https://www.youtube.com/watch?v=1")),
        (Video(url="gs://b/film.mov"), remote("video/quicktime", "gs://b/film.mov")),
        (Video(data="QUJD", media_type="video/webm"), inline("video/webm")),
        (File(data="QUJD", filename="a.pdf"), inline("application/pdf")),
        (File(data="QUJD", filename="a.csv"), inline("text/csv")),
        (File(data="QUJD", media_type="text/html"), inline("text/html")),
        (File(text="x,y", filename="a.csv"), {"text": "a.csv:\nx,y"}),
        (File(text="x,y"), {"text": "x,y"}),
        (File(text=""), None),
        (File(url="https://a.example/d.pdf"), remote("application/pdf", "https://a.example/d.pdf")),
        (File(file_id="files/abc", media_type="video/mp4"), remote("video/mp4", "files/abc")),
        (File(file_id="gs://b/c", filename="c.txt"), remote("text/plain", "gs://b/c")),
        (ToolCall(id="1", name="f"), None),
        (Opaque(dialect="gemini", raw=b"{}"), None),  # type: ignore[arg-type]
    ],
)
def test_bug_22_media_keep_their_kind(block: Block, part: dict[str, object] | None) -> None:
    assert part_of(block) == part


def test_a_file_of_another_provider_cannot_be_sent() -> None:
    with pytest.raises(ApiError, match="file-123"):
        part_of(File(file_id="file-123"))


@pytest.mark.parametrize(
    ("url", "fetched"),
    [
        *(("https://a.example/x.png", True), ("http://a.example/x.png", True), ("https://notyoutube.com/x", True)),
        *(("gs://b/x.png", False), ("https://m.youtube.com/watch?v=1", False), ("https://youtu.be/1", False)),
        *(("https://youtube.com.evil.example/x", True), ("data:image/png;base64,AA", False)),
        *(("http://[::1", True), ("HTTPS://a.example/x", True)),
    ],
)
def test_who_loads_an_address(url: str, fetched: bool) -> None:
    assert must_be_fetched(url) is fetched


def test_no_part_without_a_character() -> None:
    assert text_part("") is None
    assert text_part("a") == {"text": "a"}
