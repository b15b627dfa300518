"""JSON that a model wrote almost right."""

import sys
import time

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw

from trunkline.dialects.hub.answer import Answer, AnswerBlock
from trunkline.dialects.hub.conversation import Conversation, Format
from trunkline.dialects.hub.events import Finish
from trunkline.plugins import healing
from trunkline.plugins.healing import Healing, candidates, heals
from trunkline.plugins.stage import Note

SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
ANY = Format(kind="json_object")
PERSON = Format(kind="json_schema", schema=Raw(msgspec.json.encode(SCHEMA)))


def healed(*texts: str, form: Format = PERSON, finish: str | None = "stop") -> tuple[str, Note | None]:
    blocks = [AnswerBlock(kind="text", parts={"text": [text], "annotation": ["{}"]}) for text in texts]
    answer = Answer(blocks=blocks, finish=None if finish is None else Finish(finish))  # type: ignore[arg-type]
    after, note = Healing(form).after(answer)
    assert all(block.parts["annotation"] == ["{}"] for block in after.blocks)
    return "".join(block.joined("text") for block in after.blocks), note


@pytest.mark.parametrize(
    ("said", "person"),
    [
        ('{"name": "Alice", "age": 30', {"name": "Alice", "age": 30}),
        ('```json\n{"name": "Bob", "age": 25}\n```', {"name": "Bob", "age": 25}),
        ('Here is the person you asked for:\n\n{"name": "Charlie", "age": 25}', {"name": "Charlie", "age": 25}),
        ('{"name": "David", "age": 35,}', {"name": "David", "age": 35}),
        ('{name: "Eve", age: 40}', {"name": "Eve", "age": 40}),
        ('```json\n{"name": "Frank", "age": 1,\n```\nI hope this helps!', {"name": "Frank", "age": 1}),
        ("{'name': 'Gina', 'age': 2}", {"name": "Gina", "age": 2}),
        ('{"name": "Hal", "age": 3} Anything else?', {"name": "Hal", "age": 3}),
    ],
)
@pytest.mark.parametrize("form", [ANY, PERSON])
def test_the_pairs_of_the_documentation_and_more(said: str, person: object, form: Format) -> None:
    text, note = healed(said, form=form)
    assert msgspec.json.decode(text) == person
    assert note is not None and note.data is not None
    assert note.type == "response_healing"
    assert note.data == {"mode": form.kind, "improved": True, "original_length": len(said), "healed_length": len(text)}


def test_what_is_right_stays_as_it_is_without_a_note() -> None:
    said = '{ "name":"Alice",  "age": 30 }'
    assert healed(said) == (said, None)
    assert healed("", form=ANY) == ("", None)


def test_json_inside_words_keeps_its_own_form() -> None:
    text, _ = healed('So: {"age":  1.0e2, "name": "A"} ', form=ANY)
    assert msgspec.json.decode(text) == {"age": 100.0, "name": "A"}
    assert healed('```\n{ "name":"A",  "age": 30 }\n```')[0] == '{ "name":"A",  "age": 30 }'


def test_an_answer_that_was_cut_off_is_not_mended() -> None:
    said = '{"name": "Alice", "age": 3'
    assert healed(said, finish="length") == (said, None)


@pytest.mark.parametrize(
    "said",
    ['{"name": "Alice"', '{"name": "Alice", "age": "thirty"}', "I cannot do that.", '["Alice", 30', '{"name": "A", "age": 1, "x": 2'],
)
def test_what_cannot_be_made_right_stays_and_is_noted(said: str) -> None:
    text, note = healed(said)
    assert text == said
    assert note is not None and note.data == {"mode": "json_schema", "improved": False, "original_length": len(said)}


def test_a_list_is_no_object() -> None:
    assert healed("[1, 2", form=ANY)[0] == "[1, 2"


def test_text_in_several_blocks_is_one_text() -> None:
    text, note = healed('{"name": "Al', 'ice", "age": 30', form=PERSON)
    assert msgspec.json.decode(text) == {"name": "Alice", "age": 30}
    assert note is not None


def test_probabilities_of_words_that_are_gone_go_too() -> None:
    block = AnswerBlock(kind="text", parts={"text": ['{"a": 1,}'], "logprobs": ["[]"]})
    after, _ = Healing(ANY).after(Answer(blocks=[AnswerBlock(kind="reasoning"), block], finish=Finish("stop")))
    assert after.blocks[0].kind == "reasoning"
    assert after.blocks[1].parts == {"text": ['{"a":1}']}


@pytest.mark.parametrize("said", ["{" * 20_000, "[" * 20_000, '{"a":[' * 10_000])
def test_deep_nesting_is_left_alone_at_once(said: str) -> None:
    assert healed(said, form=ANY)[0] == said


def test_a_very_long_text_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(healing, "MAX_CHARACTERS", 20)
    assert healed('{"a": "' + "x" * 20 + '",}', form=ANY)[0].endswith(",}")
    assert healed('{"a": 1,}', form=ANY)[0] == '{"a":1}'


def test_a_schema_that_is_none_asks_for_any_object() -> None:
    broken = Format(kind="json_schema", schema=Raw(b'{"type": "nonsense"}'))
    assert healed('{"a": 1,}', form=broken)[0] == '{"a":1}'


def test_only_forms_of_json_are_healed() -> None:
    assert heals(ANY) and heals(PERSON)
    assert not heals(None) and not heals(Format(kind="text"))
    conversation = Conversation(turns=())
    assert Healing(ANY).before(conversation, None) == (conversation, None)  # type: ignore[arg-type]


def test_candidates_begin_with_the_likeliest() -> None:
    assert candidates('a {"x": 1} ```json\n{"y": 2}\n``` b') == [
        '{"y": 2}',
        '{"x": 1} ```json\n{"y": 2}\n``` b',
        'a {"x": 1} ```json\n{"y": 2}\n``` b',
    ]
    assert candidates("no brackets") == []


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet='{}[]",:\\ntruefalse0123 `', max_size=60))
def test_whatever_was_said_the_result_is_right_or_untouched(said: str) -> None:
    text, note = healed(said, form=ANY)
    if text != said:
        assert isinstance(msgspec.json.decode(text), dict)
        assert note is not None and note.data is not None and note.data["improved"]


def test_a_text_that_takes_the_library_too_long_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(healing, "MAX_SECONDS", 0.05)
    said = "{" + "}{0." * 25_000
    hook = sys.getprofile()
    began = time.thread_time()
    assert healed(said, form=ANY)[0] == said
    assert time.thread_time() - began < 5
    assert sys.getprofile() is hook
