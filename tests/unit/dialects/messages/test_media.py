import base64

import pytest

from trunkline.dialects.hub.conversation import Audio, File, Image, Video
from trunkline.dialects.messages.media import document, image, refuse
from trunkline.errors import ApiError

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"0" * 40).decode()
PDF = base64.b64encode(b"%PDF-1.7" + b"0" * 40).decode()
TEXT = base64.b64encode("grüß".encode()).decode()


def test_an_image_at_an_address_stays_there() -> None:
    assert image(Image(url="https://a.example/x.png")) == {"type": "image", "source": {"type": "url", "url": "https://a.example/x.png"}}


@pytest.mark.parametrize(
    "block",
    [
        Image(url=f"data:image/png;base64,{PNG}"),
        Image(data=PNG, media_type="image/png"),
        Image(data=PNG, media_type="image/jpeg"),
        Image(data=PNG),
    ],
)
def test_bug_22_base64_goes_under_the_type_that_it_has(block: Image) -> None:
    assert image(block)["source"] == {"type": "base64", "media_type": "image/png", "data": PNG}


def test_the_usual_misspelling_of_jpeg_is_read() -> None:
    assert image(Image(data="AAAA", media_type="image/jpg"))["source"]["media_type"] == "image/jpeg"  # type: ignore[index]


@pytest.mark.parametrize("block", [Image(url="gs://bucket/x.png"), Image(data="AAAA", media_type="image/tiff"), Image(data="AAAA")])
def test_bug_22_what_cannot_be_taken_is_refused(block: Image) -> None:
    with pytest.raises(ApiError, match="messages: ") as refused:
        image(block)
    assert refused.value.error_type == "invalid_request"


@pytest.mark.parametrize(
    ("block", "made"),
    [
        (File(filename="a.pdf", data=PDF), {"type": "base64", "media_type": "application/pdf", "data": PDF}),
        (
            File(filename="a.pdf", url=f"data:application/pdf;base64,{PDF}"),
            {"type": "base64", "media_type": "application/pdf", "data": PDF},
        ),
        (File(filename="a.pdf", url="https://a.example/a.pdf"), {"type": "url", "url": "https://a.example/a.pdf"}),
        (File(filename="a.pdf", file_id="f_1"), {"type": "file", "file_id": "f_1"}),
        (File(filename="a.pdf", text="words"), {"type": "text", "media_type": "text/plain", "data": "words"}),
        (File(filename="a.pdf", data=TEXT, media_type="text/csv"), {"type": "text", "media_type": "text/plain", "data": "grüß"}),
    ],
)
def test_bug_22_documents_of_every_source(block: File, made: dict[str, str]) -> None:
    assert document(block) == {"type": "document", "source": made, "title": "a.pdf"}


def test_a_file_that_holds_a_picture_is_an_image() -> None:
    assert document(File(data=PNG, filename="x"))["type"] == "image"


@pytest.mark.parametrize("block", [File(data="AAAA", media_type="application/zip"), File(data="%%", media_type="text/plain"), File()])
def test_files_that_cannot_be_read_are_refused(block: File) -> None:
    with pytest.raises(ApiError):
        document(block)


def test_sound_and_film_are_refused_by_name() -> None:
    assert refuse(Audio(data="", format="wav")).message == "messages: This model takes no audio"
    assert refuse(Video()).message == "messages: This model takes no video"
