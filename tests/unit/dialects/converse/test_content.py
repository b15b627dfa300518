"""Single blocks (bug classes 8 and 22)."""

import base64
from typing import Any

import pytest

from trunkline.dialects.converse.content import block_of, document_name, must_be_fetched
from trunkline.dialects.hub.conversation import Audio, File, Image, Refusal, Text, ToolCall, Video
from trunkline.errors import ApiError

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0" * 20).decode()
PDF = base64.b64encode(b"%PDF-1.7 ....").decode()
PLAIN = base64.b64encode(b"plain words").decode()


@pytest.mark.parametrize("blank", ["", " ", "\n\t "])
def test_bug_08_blank_text_is_left_out(blank: str) -> None:
    assert block_of(Text(text=blank)) is None
    assert block_of(Refusal(text=blank)) is None
    assert block_of(File(text=blank, filename="a.txt")) is None
    assert block_of(Text(text=" a ")) == {"text": " a "}


@pytest.mark.parametrize(
    ("block", "key", "written"),
    [
        (Image(data=PNG, media_type="image/jpeg"), "image", "png"),
        (Image(url=f"data:image/png;base64,{PNG}"), "image", "png"),
        (Image(data="AAAA", media_type="image/jpg"), "image", "jpeg"),
        (File(data=PNG, filename="x.pdf"), "image", "png"),
        (File(data=PDF), "document", "pdf"),
        (File(data=PDF, filename="x.txt", media_type="text/plain"), "document", "pdf"),
        (File(data=PLAIN, filename="a.md"), "document", "md"),
        (File(data=PLAIN, media_type="text/x-python", filename="a.py"), "document", "txt"),
        (File(url=f"data:text/csv;base64,{PLAIN}"), "document", "csv"),
        (Video(data="AAAA", media_type="video/quicktime"), "video", "mov"),
        (Video(data="AAAA"), "video", "mp4"),
        (Video(url="data:video/webm;base64,AAAA"), "video", "webm"),
        (Audio(data="AAAA", format="wav"), "audio", "wav"),
    ],
)
def test_bug_22_media_are_bytes_of_their_true_type(block: Any, key: str, written: str) -> None:
    made = block_of(block)
    assert made is not None
    assert made[key]["format"] == written  # type: ignore[index, call-overload]
    assert made[key]["source"]["bytes"]  # type: ignore[index, call-overload]


@pytest.mark.parametrize(
    ("block", "key", "written"),
    [
        (Video(url="s3://bucket/film.mov"), "video", "mov"),
        (Image(url="s3://bucket/a.png"), "image", "png"),
        (File(url="s3://bucket/a.pdf", filename="a.pdf"), "document", "pdf"),
    ],
)
def test_objects_in_s3_go_by_their_address(block: Any, key: str, written: str) -> None:
    made = block_of(block)
    assert made is not None
    assert made[key]["format"] == written  # type: ignore[index, call-overload]
    assert made[key]["source"] == {"s3Location": {"uri": block.url}}  # type: ignore[index, call-overload]


@pytest.mark.parametrize(
    "block",
    [
        Image(url="https://example.test/a.png"),
        File(file_id="file-1"),
        File(data=PLAIN, media_type="application/zip"),
        Image(data="AAAA", media_type="image/tiff"),
        Image(data="not base64!", media_type="image/png"),
        Audio(data="AAAA", format="midi"),
        Video(url="gs://bucket/film.mp4"),
    ],
)
def test_what_cannot_be_sent_is_refused(block: Any) -> None:
    with pytest.raises(ApiError, match="messages: "):
        block_of(block)


def test_blocks_of_other_kinds_are_none() -> None:
    assert block_of(ToolCall(id="1", name="f")) is None
    assert block_of(Image(data="")) is None


def test_a_text_file_is_a_document() -> None:
    made = block_of(File(text="words", filename="notes.md"))
    assert made == {"document": {"format": "txt", "name": "notes", "source": {"bytes": base64.b64encode(b"words").decode()}}}


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ("report.pdf", "report"),
        ("a/b/My  report (v2) [x].final.pdf", "My report (v2) [x]-final"),
        ("Übersicht_2.pdf", "-bersicht-2"),
        ("", "Document"),
        (None, "Document"),
        (".pdf", "-pdf"),
        ("x" * 300 + ".txt", "x" * 180),
    ],
)
def test_documents_have_names_in_bedrocks_alphabet(filename: str | None, name: str) -> None:
    assert document_name(filename) == name


def test_only_the_web_must_be_fetched() -> None:
    assert must_be_fetched("https://a.test/x")
    assert must_be_fetched("http://a.test/x")
    assert must_be_fetched("http://[::1"), "the guard refuses what is no address"
    assert not must_be_fetched("s3://a/x")
    assert not must_be_fetched("data:text/plain;base64,AAAA")
