"""All PDFs of a conversation, each read once."""

import asyncio
import base64
import hashlib

import pytest
from msgspec import Raw, structs
from staged_bench import Pages

import trunkline.plugins.files.reading as module
from trunkline.dialects.hub.conversation import Block, Conversation, File, Text, ToolResult, Turn
from trunkline.errors import ApiError
from trunkline.plugins.files.reading import FileReader, Reading, is_pdf, pdfs
from trunkline.plugins.pdf.job import Picture, Unreadable
from trunkline.plugins.pdf.parser import Parsed


def pdf(content: str = "a", name: str | None = "a.pdf") -> File:
    return File(data=base64.b64encode(b"%PDF-" + content.encode()).decode(), filename=name)


def talk(*blocks: Block) -> Conversation:
    return Conversation(turns=(Turn(role="user", blocks=blocks),))


def read(conversation: Conversation, engine: Pages, reader: FileReader | None = None) -> Reading:
    return asyncio.run((reader or FileReader()).read(conversation, engine, "cloudflare-ai"))


def test_files_are_told_by_their_type_or_their_first_bytes() -> None:
    assert is_pdf(File(data="AAAA", media_type="application/pdf"))
    assert is_pdf(structs.replace(pdf(), media_type="application/octet-stream"))
    assert not is_pdf(File(data="AAAA", media_type="text/plain"))
    assert not is_pdf(File(url="https://x/a.pdf", media_type="application/pdf"))
    inner = ToolResult(id="c", blocks=(pdf("inner"),))
    assert list(pdfs(talk(Text(text="x"), pdf(), inner))) == [pdf(), pdf("inner")]


def test_each_file_is_read_once_in_order() -> None:
    engine = Pages()
    reading = read(talk(pdf("a"), pdf("b"), pdf("a")), engine)
    assert engine.files == [b"%PDF-a", b"%PDF-b"]
    assert list(reading.files) == [pdf("a").data, pdf("b").data]
    assert [file.hash for file in reading.fresh] == [hashlib.sha256(one).hexdigest() for one in engine.files]
    assert reading.fresh[0].name == "a.pdf"


def test_a_file_without_a_name_has_one() -> None:
    assert read(talk(pdf(name=None)), Pages()).fresh[0].name == "document.pdf"


def test_lately_read_files_are_remembered_within_bounds() -> None:
    engine, reader = Pages(), FileReader(remembered_bytes=100)
    read(talk(pdf("a")), engine, reader)
    assert read(talk(pdf("a")), engine, reader).fresh
    assert len(engine.files) == 1
    engine.found = Parsed(("x" * 26,))
    read(talk(pdf("b")), engine, reader)
    read(talk(pdf("b")), engine, reader)
    assert len(engine.files) == 3


def test_a_failure_is_not_remembered() -> None:
    engine, reader = Pages(Unreadable("busy")), FileReader()
    with pytest.raises(ApiError):
        read(talk(pdf("a")), engine, reader)
    engine.found = Parsed(("fine",))
    assert read(talk(pdf("a")), engine, reader).fresh


def test_no_more_than_eight_pictures_for_all_files() -> None:
    engine = Pages(Parsed(("",) * 5, tuple(Picture(number, b"p") for number in range(1, 6))))
    reading = read(talk(pdf("a"), pdf("b"), pdf("c")), engine)
    pictures = [sum(not isinstance(part, Text) for part in file.parts) for file in reading.fresh]
    assert pictures == [5, 3, 0]


def test_an_annotation_in_the_history_spares_the_reading() -> None:
    digest = hashlib.sha256(b"%PDF-a").hexdigest()
    told = Raw(b'{"type":"file","file":{"hash":"%b","content":[{"type":"text","text":"known"}]}}' % digest.encode())
    conversation = Conversation(turns=(*talk(pdf("a")).turns, Turn(role="assistant", blocks=(Text(text="x", annotations=(told,)),))))
    engine = Pages()
    reading = read(conversation, engine)
    assert engine.files == [] and reading.fresh == ()
    assert reading.files[str(pdf("a").data)].parts == (Text(text="known"),)


@pytest.mark.parametrize(
    ("conversation", "engine", "error_type", "words"),
    [
        (talk(File(data="%%%", media_type="application/pdf", filename="b.pdf")), Pages(), "invalid_request", "'b.pdf' is not base64"),
        (talk(pdf()), Pages(Unreadable("encrypted")), "invalid_request", "'a.pdf' could not be read: it is protected by a password"),
        (talk(pdf()), Pages(Unreadable("busy")), "provider_overloaded", "too many files"),
        (talk(pdf()), Pages(Unreadable("bytes")), "payload_too_large", "larger than"),
        (talk(*[pdf(str(number)) for number in range(module.MAX_FILES + 1)]), Pages(), "invalid_request", "More than 32 PDFs"),
    ],
)
def test_what_is_wrong_is_told(conversation: Conversation, engine: Pages, error_type: str, words: str) -> None:
    with pytest.raises(ApiError) as told:
        read(conversation, engine)
    assert told.value.error_type == error_type
    assert words in told.value.message
    assert bool(told.value.headers) is (error_type == "provider_overloaded")
