import msgspec
import pytest
from msgspec import Raw

from trunkline.dialects.hub.conversation import Format, ToolChoice
from trunkline.dialects.responses.fields import AllowedWire, FormatWire, ToolChoiceWire
from trunkline.dialects.responses.offers import answer_format, tool_choice, tools

FUNCTION = b'{"type":"function","name":"f","description":"d","parameters":{"b":1.0,"a":{}},"strict":true}'
CUSTOM = b'{"type":"custom","name":"g","format":{"type":"text"}}'
SEARCH = b'{"type":"web_search","search_context_size":"low"}'


def test_tools_keep_their_order_and_bytes() -> None:
    function, custom, server = tools(Raw(b"[%b, %b,%b]" % (FUNCTION, CUSTOM, SEARCH)))
    assert (function.kind, function.name, function.description, function.strict) == ("function", "f", "d", True)
    assert function.parameters == Raw(b'{"b":1.0,"a":{}}')
    assert (custom.kind, custom.name, custom.parameters) == ("custom", "g", None)
    assert (server.kind, server.name, server.dialect) == ("server", "web_search", "responses")
    assert [bytes(tool.raw or b"") for tool in (function, custom, server)] == [FUNCTION, CUSTOM, SEARCH]


def test_no_tools_are_none() -> None:
    assert tools(None) == tools(Raw(b"null")) == tools(Raw(b"[]")) == ()
    assert tools(Raw(b'[{"type":"function","name":"f","parameters":null}]'))[0].parameters is None


@pytest.mark.parametrize(
    ("wire", "choice"),
    [
        (None, ToolChoice()),
        ("auto", ToolChoice()),
        ("none", ToolChoice(mode="none")),
        ("required", ToolChoice(mode="required")),
        (ToolChoiceWire(type="function", name="f"), ToolChoice(mode="function", name="f")),
        (ToolChoiceWire(type="custom", name="g"), ToolChoice(mode="function", name="g")),
        (ToolChoiceWire(type="web_search"), ToolChoice(mode="required")),
        (
            ToolChoiceWire(type="allowed_tools", mode="required", tools=[AllowedWire("function", "f"), AllowedWire("web_search")]),
            ToolChoice(mode="required", allowed=("f", "web_search")),
        ),
        (ToolChoiceWire(type="allowed_tools"), ToolChoice()),
    ],
)
def test_a_choice_is_read(wire: str | ToolChoiceWire | None, choice: ToolChoice) -> None:
    assert tool_choice(wire, None) == choice
    assert tool_choice(wire, False).parallel is False


@pytest.mark.parametrize(
    ("wire", "form"),
    [
        ({"type": "text"}, Format()),
        ({"type": "json_object"}, Format(kind="json_object")),
        ({"type": "python"}, None),
        (
            {"type": "json_schema", "name": "n", "description": "d", "strict": True, "schema": {"z": 1, "a": 2}},
            Format(kind="json_schema", name="n", description="d", strict=True, schema=Raw(b'{"z":1,"a":2}')),
        ),
    ],
)
def test_a_form_is_read_with_the_bytes_of_its_schema(wire: dict[str, object], form: Format | None) -> None:
    text = Raw(msgspec.json.encode({"format": wire}))
    assert answer_format(msgspec.json.decode(msgspec.json.encode(wire), type=FormatWire), text) == form
