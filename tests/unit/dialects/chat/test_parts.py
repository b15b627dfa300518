import msgspec
import pytest

from trunkline.dialects.chat.parts import PartIn, blocks_of, cache_control, image_of, parts_of, ttl_of
from trunkline.dialects.hub.conversation import Audio, Block, File, Image, Refusal, Text, Video

PNG = "iVBORw0KGgo="


def read(*parts: object) -> list[Block]:
    return blocks_of(msgspec.json.decode(msgspec.json.encode(parts), type=list[PartIn]))


PARTS = [
    ({"type": "text", "text": "a"}, Text(text="a")),
    ({"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": "low"}}, Image(url="https://x/y.png", detail="low")),
    ({"type": "image_url", "image_url": {"url": "gs://b/y.png"}}, Image(url="gs://b/y.png")),
    ({"type": "image_url", "image_url": {"url": "data:image/gif;base64,AAAA"}}, Image(data="AAAA", media_type="image/gif")),
    ({"type": "video_url", "video_url": {"url": "https://x/v.mp4"}}, Video(url="https://x/v.mp4")),
    ({"type": "video_url", "video_url": {"url": "data:video/webm;base64,AAAA"}}, Video(data="AAAA", media_type="video/webm")),
    ({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}}, Audio(data="AAAA", format="mp3")),
    ({"type": "file", "file": {"filename": "a.pdf", "file_data": "https://x/a.pdf"}}, File(filename="a.pdf", url="https://x/a.pdf")),
    (
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"}},
        File(filename="a.pdf", data="AAAA", media_type="application/pdf"),
    ),
    ({"type": "file", "file": {"file_id": "f-1"}}, File(file_id="f-1")),
]


@pytest.mark.parametrize(("part", "block"), PARTS)
def test_parts_become_blocks_and_the_same_parts_again(part: dict[str, object], block: Block) -> None:
    assert read(part) == [block]
    assert parts_of([block], marks=True) == [part]


@pytest.mark.parametrize(
    ("part", "block"),
    [
        ({"type": "image_url", "image_url": "https://x/y.png"}, Image(url="https://x/y.png")),
        ({"type": "video_url", "video_url": "https://x/v.mp4"}, Video(url="https://x/v.mp4")),
        ({"type": "input_video", "video_url": {"url": "https://x/v.mp4"}}, Video(url="https://x/v.mp4")),
        ({"type": "refusal", "refusal": "no"}, Refusal(text="no")),
        ({"type": "input_audio", "input_audio": {"data": "AAAA"}}, Audio(data="AAAA", format="wav")),
        ({"type": "file", "file": {"file_data": PNG}}, File(data=PNG, media_type="image/png")),
        ({"type": "file", "file": {"file_data": "AAAA"}}, File(data="AAAA", media_type="application/octet-stream")),
    ],
)
def test_other_ways_to_say_the_same(part: dict[str, object], block: Block) -> None:
    assert read(part) == [block]


@pytest.mark.parametrize("kind", ["image_url", "video_url", "input_video", "input_audio", "file"])
def test_a_part_without_its_payload_says_nothing(kind: str) -> None:
    assert read({"type": kind}, {"type": kind, "file": {}}) == []


@pytest.mark.parametrize(
    ("mark", "ttl"),
    [
        ({"cache_control": {"type": "ephemeral"}}, "5m"),
        ({"cache_control": {"type": "ephemeral", "ttl": "5m"}}, "5m"),
        ({"cache_control": {"type": "ephemeral", "ttl": "1h"}}, "1h"),
        ({"prompt_cache_breakpoint": {"mode": "explicit"}}, "5m"),
        ({"cache_control": {"type": "other"}}, None),
        ({"cache_control": "x"}, None),
    ],
)
def test_bug_09_cache_marks_stay_at_their_part(mark: dict[str, object], ttl: str | None) -> None:
    blocks = read({"type": "text", "text": "a"}, {"type": "text", "text": "b", **mark}, {"type": "text", "text": "c"})
    assert [getattr(block, "cache", None) for block in blocks] == [None, ttl, None]
    sent = parts_of(blocks, marks=True)
    assert ["cache_control" in part for part in sent] == [False, ttl is not None, False]
    assert ttl is None or ttl_of(sent[1]["cache_control"]) == ttl
    assert not any("cache_control" in part for part in parts_of(blocks, marks=False))


def test_the_default_time_of_a_mark_is_not_written() -> None:
    assert cache_control("5m") == {"type": "ephemeral"}
    assert cache_control("1h") == {"type": "ephemeral", "ttl": "1h"}


def test_bug_22_media_get_the_type_that_their_bytes_tell() -> None:
    sent = parts_of([Image(data=PNG), Image(data="AAAA"), File(data="AAAA"), File(data="JVBERi0x")], marks=False)
    assert [part["image_url"] for part in sent[:2]] == [{"url": f"data:image/png;base64,{PNG}"}, {"url": "data:image/png;base64,AAAA"}]
    assert sent[2]["file"] == {"filename": "document", "file_data": "data:application/octet-stream;base64,AAAA"}
    assert sent[3]["file"] == {"filename": "document.pdf", "file_data": "data:application/pdf;base64,JVBERi0x"}


def test_plain_documents_are_sent_as_text() -> None:
    sent = parts_of([File(text="body", filename="a.txt"), File(text="body"), File(url="https://x/a.pdf")], marks=False)
    assert [part.get("text") for part in sent[:2]] == ["a.txt\n\nbody", "body"]
    assert sent[2]["file"] == {"filename": "document", "file_data": "https://x/a.pdf"}


def test_blocks_that_are_no_content_are_left_out() -> None:
    assert parts_of([Refusal(text="x")], marks=False) == []
    assert image_of("https://x/y.png", cache="1h") == Image(url="https://x/y.png", cache="1h")
