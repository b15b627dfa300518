"""File blocks become what was read of them."""

from endpoints import endpoint
from msgspec import Raw

from trunkline.dialects.hub.answer import Answer
from trunkline.dialects.hub.conversation import Block, Conversation, File, Image, Text, ToolResult, Turn
from trunkline.plugins.files.annotations import ReadFile
from trunkline.plugins.files.parsing import FileParsing
from trunkline.plugins.files.reading import Reading

PARTS = (Text(text="<file>"), Image(data="AA==", media_type="image/png"), Text(text="</file>"))
READ = ReadFile("h", "a.pdf", PARTS)
FILE = File(data="QQ==", filename="a.pdf")


def stage(*, reads: bool = False, sees: bool = True) -> FileParsing:
    return FileParsing(Reading({"QQ==": READ}, (READ,), "cloudflare-ai"), reads=lambda _: reads, sees=lambda _: sees)


def blocks(*given: Block, reads: bool = False, sees: bool = True) -> tuple[Block, ...]:
    conversation = Conversation(turns=(Turn(role="user", blocks=given),))
    after, _ = stage(reads=reads, sees=sees).before(conversation, endpoint("one"))
    return after.turns[0].blocks


def test_a_file_is_replaced_where_it_stood() -> None:
    assert blocks(Text(text="a"), FILE, Text(text="b")) == (Text(text="a"), *PARTS, Text(text="b"))


def test_a_model_without_eyes_gets_no_pictures() -> None:
    assert blocks(FILE, sees=False) == (PARTS[0], PARTS[2])


def test_a_file_in_the_result_of_a_tool_too() -> None:
    [result] = blocks(ToolResult(id="c", blocks=(FILE,)))
    assert isinstance(result, ToolResult) and result.blocks == PARTS


def test_other_files_stay() -> None:
    assert blocks(File(data="QUE="), File(file_id="f")) == (File(data="QUE="), File(file_id="f"))


def test_the_mark_of_a_cached_prefix_moves_to_the_last_part() -> None:
    assert blocks(File(data="QQ==", cache="1h"))[-1] == Text(text="</file>", cache="1h")


def test_a_model_that_reads_files_gets_them_and_the_history_as_it_was() -> None:
    told = Text(text="x", annotations=(Raw(b'{"type":"file","file":{"hash":"h"}}'),))
    assert blocks(FILE, told, reads=True) == (FILE, told)
    assert blocks(told) == (Text(text="x"),)


def test_the_note_names_what_was_read() -> None:
    conversation = Conversation(turns=(Turn(role="user", blocks=(FILE,)),))
    _, note = stage().before(conversation, endpoint("one"))
    assert note is not None and (note.type, note.name, note.summary) == ("plugin", "file-parser", "Read 1 file with cloudflare-ai")
    assert note.data == {"engine": "cloudflare-ai", "files": [{"hash": "h", "name": "a.pdf"}], "replayed": 0}
    assert stage(reads=True).before(conversation, endpoint("one"))[1] is None
    assert stage().text_bytes == len("<file></file>")
    answer = Answer()
    assert stage().after(answer) == (answer, None)
