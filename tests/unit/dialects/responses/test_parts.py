import msgspec
import pytest
from msgspec import Raw

from trunkline.dialects.hub.conversation import Audio, Block, File, Image, Refusal, Text, Video
from trunkline.dialects.responses.items import Message
from trunkline.dialects.responses.parts import blocks_of


def blocks(*parts: object) -> tuple[Block, ...]:
    message = msgspec.json.decode(msgspec.json.encode({"role": "user", "content": parts}), type=Message)
    return blocks_of(message.content)


def test_text_is_a_block_and_nothing_is_none() -> None:
    assert blocks_of("a") == (Text(text="a"),)
    assert blocks_of("") == blocks_of(None) == blocks_of([]) == ()


MARK = {"prompt_cache_breakpoint": {"mode": "explicit"}}


@pytest.mark.parametrize(
    ("part", "block"),
    [
        ({"type": "input_text", "text": "a"}, Text(text="a")),
        ({"type": "input_text", "text": "a", **MARK}, Text(text="a", cache="5m")),
        ({"type": "text", "text": "a"}, Text(text="a")),
        ({"type": "output_text", "text": "a", "annotations": []}, Text(text="a")),
        ({"type": "refusal", "refusal": "no"}, Refusal(text="no")),
        ({"type": "input_image", "image_url": "http://x/a.png"}, Image(url="http://x/a.png")),
        ({"type": "input_image", "image_url": "data:image/PNG;base64,AAAA"}, Image(data="AAAA", media_type="image/png")),
        ({"type": "input_image", "file_id": "file-1", **MARK}, File(file_id="file-1", media_type="image/*", cache="5m")),
        ({"type": "input_file", "file_url": "http://x/a.pdf"}, File(url="http://x/a.pdf")),
        (
            {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"},
            File(filename="a.pdf", media_type="application/pdf", data="AAAA"),
        ),
        ({"type": "input_file", "filename": "a.pdf", "file_data": "AAAA"}, File(filename="a.pdf", data="AAAA")),
        ({"type": "input_file", "file_id": "file-1"}, File(file_id="file-1")),
        ({"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}}, Audio(data="AA", format="wav")),
        ({"type": "input_video", "video_url": "http://x/a.mp4"}, Video(url="http://x/a.mp4")),
        ({"type": "input_video", "video_url": "data:video/mp4;base64,AAAA"}, Video(data="AAAA", media_type="video/mp4")),
    ],
)
def test_each_part_is_a_block(part: object, block: Block) -> None:
    assert blocks(part) == (block,)


def test_citations_take_the_chat_wires_shape() -> None:
    (text,) = blocks({"type": "output_text", "text": "a", "annotations": [{"type": "url_citation", "url": "u", "title": "t"}]})
    assert text == Text(text="a", annotations=(Raw(b'{"type":"url_citation","url_citation":{"url":"u","title":"t"}}'),))
