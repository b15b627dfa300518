"""All stages of one request."""

import asyncio
import threading

import pytest
from endpoints import endpoint
from msgspec import structs

from trunkline.dialects.chat import request as chat
from trunkline.dialects.hub.answer import Answer
from trunkline.dialects.hub.conversation import Conversation, File, Text, Turn
from trunkline.errors import ApiError
from trunkline.plugins import staged as module
from trunkline.plugins.files.annotated import Annotated
from trunkline.plugins.files.annotations import ReadFile
from trunkline.plugins.files.parsing import FileParsing
from trunkline.plugins.files.reading import Reading
from trunkline.plugins.stage import Note
from trunkline.plugins.staged import Staged
from trunkline.protocol.catalogue import Endpoint

TALK = Conversation(turns=(Turn(role="user", blocks=(Text(text="hi"),)),))
ONE, TWO = endpoint("one"), endpoint("two")
REQUEST = chat.parse(b'{"model":"a/m","messages":[{"role":"user","content":"hi"}]}')


class Marks:
    """A stage that writes its name into the system prompt of endpoint `one`, and counts its work."""

    def __init__(self, name: str, *, revises: bool = False) -> None:
        self.name = name
        self.revises = revises
        self.befores = 0
        self.threads: list[int] = []

    def before(self, conversation: Conversation, one: Endpoint) -> tuple[Conversation, Note | None]:
        self.befores += 1
        if one is not ONE:
            return conversation, None
        turn = Turn(role="system", blocks=(Text(text=self.name),))
        return structs.replace(conversation, turns=(turn, *conversation.turns)), Note(type="plugin", name=self.name)

    def after(self, answer: Answer) -> tuple[Answer, Note | None]:
        self.threads.append(threading.get_ident())
        return structs.replace(answer, id=self.name), Note(type="response_healing", name=self.name)


def names(staged: Staged) -> list[str]:
    return [note.name for note in staged.notes]


def test_stages_come_in_order_once_for_an_endpoint() -> None:
    first, second = Marks("first"), Marks("second")
    staged = Staged(TALK, [first, second])
    made = staged.applied(TALK, ONE)
    assert [turn.blocks[0].text for turn in made.turns] == ["second", "first", "hi"]  # type: ignore[union-attr]
    assert staged.applied(TALK, ONE) is made
    assert first.befores == 1
    assert names(staged) == ["first", "second"]


def test_an_endpoint_for_which_nothing_changes_gets_the_same_object_and_leaves_no_note() -> None:
    staged = Staged(TALK, [Marks("first")])
    assert staged.edits(TALK, ONE)
    assert not staged.edits(TALK, TWO)
    assert staged.applied(TALK, TWO) is TALK
    assert names(staged) == []


def test_another_conversation_is_staged_anew() -> None:
    staged = Staged(TALK, [Marks("first")])
    other = structs.replace(TALK, max_tokens=5)
    staged.applied(TALK, ONE)
    assert staged.applied(other, ONE).max_tokens == 5


def test_answers_are_revised_only_by_stages_that_do() -> None:
    answer = Answer()
    assert asyncio.run(Staged(TALK, [Marks("first")]).revised(answer)) is answer
    stage = Marks("heals", revises=True)
    staged = Staged(TALK, [stage])
    assert asyncio.run(staged.revised(answer)).id == "heals"
    assert staged.edits(TALK, TWO)
    assert names(staged) == ["heals"]


@pytest.mark.parametrize(("chars", "here"), [(module.LONG_ANSWER, True), (module.LONG_ANSWER + 1, False)])
def test_a_long_answer_is_revised_in_a_thread(chars: int, here: bool) -> None:
    stage = Marks("heals", revises=True)
    asyncio.run(Staged(TALK, [stage]).revised(Answer(output_chars=chars)))
    assert (stage.threads == [threading.get_ident()]) is here


def parsing(*, reads: bool = False, fresh: bool = True) -> FileParsing:
    file = ReadFile("h", "a.pdf", (Text(text="read"),))
    return FileParsing(Reading({"QQ==": file}, (file,) if fresh else (), "cloudflare-ai"), reads=lambda _: reads, sees=lambda _: False)


def test_files_come_first_and_one_more_stage_last() -> None:
    talk = Conversation(turns=(Turn(role="user", blocks=(File(data="QQ=="),)),))
    staged = Staged(talk, [Marks("first")], files=parsing(), more_bytes=4)
    more = staged.with_stage(Marks("last"), most_tokens=7)
    assert (more.base, more.more_bytes, more.most_tokens) == (talk, 4, 7)
    made = more.applied(talk, ONE)
    assert [turn.blocks[0].text for turn in made.turns] == ["last", "first", "read"]  # type: ignore[union-attr]
    assert names(more) == ["file-parser", "first", "last"]


@pytest.mark.parametrize(
    ("dialect", "files", "told"),
    [
        ("chat", parsing(), True),
        ("chat", parsing(reads=True), False),
        ("chat", parsing(fresh=False), False),
        ("chat", None, False),
        ("messages", parsing(), False),
        ("responses", parsing(), False),
    ],
)
def test_only_chat_clients_without_an_annotation_get_one(dialect: str, files: FileParsing | None, told: bool) -> None:
    encoder = object()
    request = structs.replace(REQUEST, dialect=dialect)
    made = Staged(TALK, [], files=files).encoder(encoder, request, ONE)  # type: ignore[arg-type]
    assert isinstance(made, Annotated) is told
    assert told or made is encoder


def test_an_error_tells_what_was_read_beside_what_it_says_itself() -> None:
    error = ApiError("server", "no", metadata={"provider_name": "One"})
    Staged(TALK, [], files=parsing()).explain(error)
    assert error.metadata is not None and error.metadata["provider_name"] == "One"
    told = [{"type": "file", "file": {"hash": "h", "name": "a.pdf", "content": [{"type": "text", "text": "read"}]}}]
    assert error.metadata["file_annotations"] == told
    plain = ApiError("server", "no")
    Staged(TALK, [], files=parsing(fresh=False)).explain(plain)
    assert plain.metadata is None
