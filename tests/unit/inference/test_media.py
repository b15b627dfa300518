"""Files by URL become bytes, for endpoints that load none."""

import asyncio
import base64
from collections.abc import Callable

import pytest

from trunkline.dialects.hub.conversation import Block, Conversation, File, Image, Text, ToolResult, Turn, Video
from trunkline.errors import ApiError, EgressDenied, ResponseTooLarge, UpstreamError
from trunkline.inference import media
from trunkline.inference.media import check_images, inlined
from trunkline.transport.downloads import Download

PNG = b"\x89PNG\r\n\x1a\n" + b"p" * 20
PICTURE = Download(PNG, "image/png")
URL = "https://files.test/a.png?signature=secret"


class Files:
    """Stands for the downloads."""

    def __init__(self, answer: Download | UpstreamError) -> None:
        self.asked: list[str] = []
        self._answer = answer

    async def fetch(self, url: str, *, limit: int) -> Download:
        self.asked.append(url)
        assert limit == media.MAX_FILE_BYTES
        if isinstance(self._answer, UpstreamError):
            raise self._answer
        return self._answer


def load(
    *blocks: Block, answer: Download | UpstreamError = PICTURE, wanted: Callable[[str], bool] | None = None
) -> tuple[Conversation, Files]:
    files = Files(answer)
    conversation = Conversation(turns=(Turn(role="user", blocks=blocks),))
    return asyncio.run(inlined(conversation, wanted or (lambda _: True), files)), files  # type: ignore[arg-type]


def test_an_image_gets_its_bytes_and_keeps_the_rest() -> None:
    after, _ = load(Text(text="see"), Image(url=URL, detail="low"))
    assert after.turns[0].blocks == (Text(text="see"), Image(data=base64.b64encode(PNG).decode(), media_type="image/png", detail="low"))


def test_the_bytes_tell_the_type_better_than_the_server() -> None:
    after, _ = load(Image(url=URL), answer=Download(PNG, "application/octet-stream"))
    [image] = after.turns[0].blocks
    assert isinstance(image, Image) and image.media_type == "image/png"


def test_images_of_tool_results_too_and_each_url_once() -> None:
    after, files = load(Image(url=URL), ToolResult(id="c", blocks=(Image(url=URL),)))
    assert files.asked == [URL]
    result = after.turns[0].blocks[1]
    assert isinstance(result, ToolResult) and isinstance(result.blocks[0], Image) and result.blocks[0].data


def test_what_the_upstream_loads_itself_stays() -> None:
    conversation, files = load(Image(url=URL), Image(data="AAAA", media_type="image/png"), wanted=lambda _: False)
    assert files.asked == []
    assert conversation.turns[0].blocks[0] == Image(url=URL)


@pytest.mark.parametrize(
    ("block", "answer", "error_type"),
    [
        (Image(url=URL), EgressDenied("127.0.0.1 is loopback"), "image_download_failed"),
        (Image(url=URL), ResponseTooLarge("big"), "image_too_large"),
        (Image(url=URL), Download(b"%PDF-1.7", ""), "unsupported_image_format"),
        (Image(url=URL), Download(b"<html>", "text/html"), "unsupported_image_format"),
        (File(url=URL), EgressDenied("private"), "invalid_request"),
        (File(url=URL), ResponseTooLarge("big"), "payload_too_large"),
        (File(url=URL), Download(b"<html>", "text/html"), "invalid_request"),
        (Video(url=URL), Download(PNG, "image/png"), "invalid_request"),
    ],
)
def test_what_cannot_be_had_is_told_without_the_signature(block: Block, answer: Download | UpstreamError, error_type: str) -> None:
    with pytest.raises(ApiError) as caught:
        load(block, answer=answer)
    assert caught.value.error_type == error_type
    assert "https://files.test/a.png" in caught.value.message
    assert "secret" not in caught.value.message


def test_too_many_files_are_refused_unloaded() -> None:
    with pytest.raises(ApiError, match="More than 32 files"):
        load(*[Image(url=f"{URL}&n={number}") for number in range(33)])


def test_all_files_together_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "MAX_REQUEST_BYTES", 50)
    with pytest.raises(ApiError) as caught:
        load(Image(url=URL), Image(url=f"{URL}2"))
    assert caught.value.error_type == "payload_too_large"


def test_only_the_kinds_that_are_asked_for_are_loaded() -> None:
    files = Files(Download(b"%PDF-1.7", "application/pdf"))
    conversation = Conversation(turns=(Turn(role="user", blocks=(Image(url=URL), File(url="https://files.test/a.pdf"))),))
    after = asyncio.run(inlined(conversation, lambda _: True, files, kinds=(File,)))  # type: ignore[arg-type]
    assert files.asked == ["https://files.test/a.pdf"]
    image, file = after.turns[0].blocks
    assert image == Image(url=URL) and isinstance(file, File) and file.media_type == "application/pdf"


@pytest.mark.parametrize(
    ("data", "media_type", "error_type"),
    [
        ("not base64!", "image/png", "invalid_image"),
        ("", "image/png", "invalid_image"),
        (base64.b64encode(b"<html>" * 5).decode(), "text/html", "unsupported_image_format"),
        (base64.b64encode(b"%PDF-1.7 and more").decode(), "image/png", "unsupported_image_format"),
    ],
)
def test_what_is_no_image_is_not_sent_as_one(data: str, media_type: str, error_type: str) -> None:
    with pytest.raises(ApiError) as caught:
        check_images(Conversation(turns=(Turn(role="user", blocks=(Image(data=data, media_type=media_type),)),)))
    assert caught.value.error_type == error_type


def test_images_in_place_and_by_url_pass_the_check() -> None:
    heic = Image(data=base64.b64encode(b"an unknown but named kind of image").decode(), media_type="image/heic")
    png = Image(data=base64.b64encode(PNG).decode(), media_type="image/png")
    check_images(Conversation(turns=(Turn(role="user", blocks=(heic, png, Image(url=URL), Text(text="see"))),)))
