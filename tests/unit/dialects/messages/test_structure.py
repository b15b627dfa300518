from msgspec import Raw

from trunkline.dialects.hub.conversation import Conversation, Format, Text, Tool, ToolChoice, Turn
from trunkline.dialects.messages.structure import Structure, description, structure_of, words
from trunkline.protocol.quirks import Quirks

USER = (Turn(role="user", blocks=(Text(text="hi"),)),)
CLOSED = Raw(b'{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false}')
FREE = Raw(b'{"type":"object"}')
LIST = Raw(b'{"type":"array","items":{"type":"string"}}')


def asked(schema: Raw | None = CLOSED, *, kind: str = "json_schema", tools: tuple[Tool, ...] = (), mode: str = "auto") -> Conversation:
    wanted = Format(kind=kind, schema=schema)  # type: ignore[arg-type]
    return Conversation(turns=USER, format=wanted, tools=tools, tool_choice=ToolChoice(mode=mode))  # type: ignore[arg-type]


def chosen(conversation: Conversation, *, support: str = "native", thinks: bool = False) -> Structure | None:
    return structure_of(Quirks(json_schema=support), conversation, thinks=thinks)  # type: ignore[arg-type]


def test_no_form_is_no_structure() -> None:
    assert chosen(Conversation(turns=USER)) is None
    assert chosen(asked(kind="text")) is None


def test_the_upstreams_own_way_is_taken_where_it_can_say_it() -> None:
    assert chosen(asked()) == Structure("native", schema=CLOSED)
    assert chosen(asked(LIST)) == Structure("native", schema=LIST)


def test_bug_23_what_it_cannot_say_is_a_tool() -> None:
    made = chosen(asked(FREE))
    assert made == Structure("tool", schema=FREE, name="structured_answer")
    assert chosen(asked(), support="tool") == Structure("tool", schema=CLOSED, name="structured_answer")


def test_bug_23_a_tool_is_not_forced_on_a_model_that_thinks_nor_for_a_list() -> None:
    for made in (chosen(asked(), support="tool", thinks=True), chosen(asked(LIST), support="tool"), chosen(asked(), support="none")):
        assert made is not None
        assert made.way == "words"
        assert '"type":' in made.instruction


def test_bug_23_json_without_a_schema_is_asked_for() -> None:
    made = chosen(asked(None, kind="json_object"))
    assert made is not None
    assert (made.way, "JSON object" in made.instruction) == ("words", True)


def test_bug_23_a_demanded_call_has_its_own_form() -> None:
    tool = (Tool(name="f"),)
    assert chosen(asked(tools=tool, mode="required")) is None
    assert chosen(asked(tools=tool)) is not None


def test_the_name_is_not_one_of_the_callers() -> None:
    made = chosen(asked(tools=(Tool(name="structured_answer"), Tool(name="structured_answer_"))), support="tool")
    assert made is not None
    assert made.name == "structured_answer__"


def test_what_is_said_of_it() -> None:
    assert description(None) == "Gives the answer."
    assert description(Format(description="A person.")) == "Gives the answer. A person."
    assert words(FREE).endswith('{"type":"object"}')
