"""Files that were read: as annotations, and back."""

import base64
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from trunkline.dialects.hub.conversation import Conversation, Image, Text, Turn
from trunkline.plugins.files.annotations import ReadFile, annotation, parts_of, replayed, without_files
from trunkline.plugins.pdf.job import Picture
from trunkline.plugins.pdf.parser import Parsed

CITATION = Raw(b'{"type":"url_citation","url_citation":{"url":"u"}}')


def history(*annotations: Any) -> Conversation:
    raw = tuple(one if isinstance(one, Raw) else Raw(msgspec.json.encode(one)) for one in annotations)
    return Conversation(turns=(Turn(role="assistant", blocks=(Text(text="x", annotations=raw),)),))


def test_a_file_is_its_pages_between_marks_and_its_pictures() -> None:
    parts = parts_of(Parsed(("One.", ""), (Picture(2, b"png"),)), "a.pdf")
    assert parts == (
        Text(text='<file name="a.pdf">'),
        Text(text="--- Page 1 of 2 ---\nOne.\n\n--- Page 2 of 2 ---\n"),
        Image(data=base64.b64encode(b"png").decode(), media_type="image/png"),
        Text(text="</file>"),
    )


def test_a_name_cannot_end_its_mark() -> None:
    [opening, *_] = parts_of(Parsed(("x",)), 'a"><b&.pdf')
    assert isinstance(opening, Text) and opening.text == '<file name="a&quot;>&lt;b&amp;.pdf">'


def test_the_shape_of_the_documentation() -> None:
    file = ReadFile("abc", "a.pdf", parts_of(Parsed(("One.",), (Picture(1, b"png"),)), "a.pdf"))
    made = annotation(file)
    assert made["type"] == "file"
    assert made["file"]["hash"] == "abc" and made["file"]["name"] == "a.pdf"  # type: ignore[index]
    content = made["file"]["content"]  # type: ignore[index]
    assert [part["type"] for part in content] == ["text", "text", "image_url", "text"]
    assert content[2]["image_url"]["url"].startswith("data:image/png;base64,")


@given(st.lists(st.text(max_size=50), min_size=1, max_size=4), st.text(max_size=20), st.integers(0, 3))
def test_what_was_told_can_be_sent_back(pages: list[str], name: str, pictures: int) -> None:
    file = ReadFile("h", name, parts_of(Parsed(tuple(pages), tuple(Picture(1, b"p") for _ in range(pictures))), name))
    assert replayed(history(annotation(file))) == {"h": file}
    assert file.text_bytes == sum(len(part.text.encode()) for part in file.parts if isinstance(part, Text))


def test_what_is_no_file_or_has_no_content_is_passed_over() -> None:
    odd: list[Any] = [
        CITATION,
        {"type": "file"},
        {"type": "file", "file": {"name": "no hash"}},
        {"type": "file", "file": {"hash": "empty", "content": []}},
        {"type": "file", "file": {"hash": "odd", "content": [{"type": "video"}, {"type": "image_url", "image_url": {"url": "https://x"}}]}},
        {"type": "file", "file": {"hash": 5}},
        Raw(b"[1]"),
        Raw(b"null"),
    ]
    assert replayed(history(*odd)) == {}


def test_the_history_keeps_its_citations_and_loses_its_files() -> None:
    file = {"type": "file", "file": {"hash": "h", "content": [{"type": "text", "text": "x"}]}}
    [turn] = history(file, CITATION).turns
    [block] = without_files(turn).blocks
    assert isinstance(block, Text) and block.annotations == (CITATION,)
    [plain] = history(CITATION).turns
    assert without_files(plain) is plain
