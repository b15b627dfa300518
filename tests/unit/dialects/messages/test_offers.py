import msgspec
from msgspec import Raw

from trunkline.dialects.hub.conversation import ToolChoice
from trunkline.dialects.messages.fields import CacheControl, ChoiceWire, Fields
from trunkline.dialects.messages.offers import choice, tools, ttl

SCHEMA = b'{"type": "object",  "properties": {"z": {}, "a": {}}}'


def offered(raw: bytes):
    fields = msgspec.json.decode(b'{"messages":[{"role":"user","content":"x"}],"tools":' + raw + b"}", type=Fields)
    return tools(fields, Raw(raw))


def test_bug_11_a_function_keeps_the_bytes_of_its_schema() -> None:
    (tool,) = offered(b'[{"name":"f","description":"d","strict":true,"input_schema":' + SCHEMA + b',"cache_control":{"type":"ephemeral"}}]')
    assert (tool.name, tool.kind, tool.description, tool.strict, tool.cache) == ("f", "function", "d", True, "5m")
    assert bytes(tool.parameters) == SCHEMA
    assert tool.raw is None


def test_a_server_tool_keeps_its_definition() -> None:
    definition = b'{"type":"web_search_20250305","name":"web_search","max_uses":3}'
    (tool,) = offered(b"[" + definition + b"]")
    assert (tool.kind, tool.dialect, tool.name, bytes(tool.raw)) == ("server", "messages", "web_search", definition)


def test_what_only_anthropic_knows_of_a_function_is_kept() -> None:
    definition = b'{"name":"f","input_schema":{"type":"object"},"defer_loading":true}'
    (tool,) = offered(b"[" + definition + b"]")
    assert (tool.kind, tool.dialect, bytes(tool.raw)) == ("function", "messages", definition)


def test_the_order_is_the_callers() -> None:
    assert [tool.name for tool in offered(b'[{"name":"z","input_schema":{}},{"name":"a","input_schema":{}}]')] == ["z", "a"]
    assert offered(b"[]") == ()


def test_choices() -> None:
    assert choice(None) == ToolChoice()
    assert choice(ChoiceWire("any", disable_parallel_tool_use=True)) == ToolChoice(mode="required", parallel=False)
    assert choice(ChoiceWire("tool", name="f")) == ToolChoice(mode="function", name="f")
    assert choice(ChoiceWire("none")).mode == "none"
    assert choice(ChoiceWire("auto", disable_parallel_tool_use=False)) == ToolChoice(parallel=True)


def test_five_minutes_are_the_default() -> None:
    assert [ttl(None), ttl(CacheControl()), ttl(CacheControl(ttl="1h"))] == [None, "5m", "1h"]
