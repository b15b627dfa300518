"""In which way a form is asked for (bug class 23)."""

from typing import Any

import msgspec
from msgspec import Raw

from trunkline.dialects.converse.structure import Structure, structure_of
from trunkline.dialects.hub.conversation import Conversation, Format, Tool, ToolChoice
from trunkline.protocol.quirks import Quirks

SCHEMA = Raw(b'{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false}')


def asked(wanted: Format | None, *, quirk: Any = "native", tools: bool = True, unforced: bool = False, **changes: Any) -> Structure | None:
    conversation = Conversation(turns=(), format=wanted, **changes)
    return structure_of(Quirks(json_schema=quirk), conversation, tools=tools, unforced=unforced)


def test_nothing_is_wanted() -> None:
    assert asked(None) is None
    assert asked(Format()) is None


def test_the_upstreams_own_way_has_the_schema_as_text() -> None:
    found = asked(Format(kind="json_schema", name="my answer", description="d", schema=SCHEMA))
    assert found is not None
    assert found.way == "native"
    config = found.config["structure"]["jsonSchema"]  # type: ignore[index]
    assert config["schema"].encode() == bytes(SCHEMA)
    assert config["description"] == "d"
    assert config["name"].startswith("my_answer_")
    assert found.config["type"] == "json_schema"


def test_a_forced_tool_where_the_upstream_knows_no_schemas() -> None:
    found = asked(Format(kind="json_schema", schema=SCHEMA), quirk="tool")
    assert found is not None
    assert (found.way, found.name) == ("tool", "structured_answer")
    assert msgspec.json.decode(msgspec.json.encode(found.tool))["toolSpec"]["inputSchema"]["json"] == msgspec.json.decode(SCHEMA)
    taken = structure_of(
        Quirks(json_schema="tool"),
        Conversation(turns=(), tools=(Tool(name="structured_answer"),), format=Format(kind="json_schema", schema=SCHEMA)),
        tools=True,
        unforced=False,
    )
    assert taken is not None
    assert taken.name == "structured_answer_"


def test_a_schema_that_cannot_be_said_is_a_tool() -> None:
    free = Raw(b'{"type":"object","additionalProperties":true}')
    found = asked(Format(kind="json_schema", schema=free))
    assert found is not None
    assert found.way == "tool"


def test_words_where_nothing_else_helps() -> None:
    array = Raw(b'{"type": "array"}')
    for found in (
        asked(Format(kind="json_schema", schema=SCHEMA), quirk="none"),
        asked(Format(kind="json_schema", schema=SCHEMA), quirk="tool", unforced=True),
        asked(Format(kind="json_schema", schema=SCHEMA), quirk="tool", tools=False),
        asked(Format(kind="json_schema", schema=array), quirk="tool"),
        asked(Format(kind="json_object")),
    ):
        assert found is not None
        assert found.way == "words"
        assert "JSON" in found.instruction
    assert asked(Format(kind="json_schema", schema=array), quirk="none").instruction.endswith('\n{"type":"array"}')  # type: ignore[union-attr]


def test_a_demanded_call_has_a_form_of_its_own() -> None:
    wanted = Format(kind="json_schema", schema=SCHEMA)
    demanded = ToolChoice(mode="required")
    conversation = Conversation(turns=(), tools=(Tool(name="f"),), tool_choice=demanded, format=wanted)
    assert structure_of(Quirks(), conversation, tools=True, unforced=False) is None
