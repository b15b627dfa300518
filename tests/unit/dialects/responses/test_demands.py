import msgspec
import pytest
from msgspec import Raw

from trunkline.dialects.hub.conversation import (
    Conversation,
    Format,
    ReasoningWish,
    Tool,
    ToolCall,
    ToolChoice,
    Turn,
)
from trunkline.dialects.responses import demands
from trunkline.protocol.quirks import Quirks

LONG = "a" * 70


def talk(**fields: object) -> Conversation:
    return Conversation(turns=(), **fields)  # type: ignore[arg-type]


def written(conversation: Conversation) -> list[dict[str, object]]:
    return msgspec.json.decode(msgspec.json.encode(demands.tools(conversation, demands.names_of(conversation))))  # type: ignore[no-any-return]


def test_a_function_is_flat_and_not_strict_unless_said() -> None:
    """This dialect takes a function without `strict` for a strict one; the others do not."""
    tools = (
        Tool(name="f", description="d", parameters=Raw(b'{"type":"object","z":1,"a":{}}')),
        Tool(name="g", strict=True),
    )
    got = demands.tools(talk(tools=tools), demands.names_of(talk(tools=tools)))
    assert msgspec.json.encode(got) == (
        b'[{"type":"function","name":"f","description":"d","parameters":{"type":"object","z":1,"a":{}},"strict":false},'
        b'{"type":"function","name":"g","parameters":{"type":"object","properties":{}},"strict":true}]'
    )


def test_a_tool_of_this_dialect_keeps_its_bytes() -> None:
    raw = Raw(b'{"strict":null, "type":"function","name":"f"}')
    assert demands.tools(talk(tools=(Tool(name="f", dialect="responses", raw=raw),)), demands.names_of(talk())) == [raw]


def test_server_tools_of_other_dialects_are_left_out() -> None:
    own = Raw(b'{"type":"web_search"}')
    tools = (
        Tool(name="web_search", kind="server", dialect="responses", raw=own),
        Tool(name="web", kind="server", dialect="messages", raw=Raw(b'{"type":"web_search_20250305"}')),
    )
    assert demands.tools(talk(tools=tools), demands.names_of(talk(tools=tools))) == [own]


def test_custom_tools_lose_the_chat_dialects_nesting() -> None:
    grammar = {"type": "grammar", "grammar": {"syntax": "lark", "definition": "x"}}
    raw = Raw(msgspec.json.encode({"type": "custom", "custom": {"name": "g", "description": "d", "format": grammar}}))
    assert written(talk(tools=(Tool(name="g", kind="custom", dialect="chat", raw=raw), Tool(name="h", kind="custom")))) == [
        {"type": "custom", "name": "g", "description": "d", "format": {"type": "grammar", "syntax": "lark", "definition": "x"}},
        {"type": "custom", "name": "h"},
    ]


def test_names_are_fitted_everywhere_alike() -> None:
    call = Turn(role="assistant", blocks=(ToolCall(id="c", name="other.name"),))
    conversation = Conversation(turns=(call,), tools=(Tool(name=LONG),), tool_choice=ToolChoice(mode="function", name=LONG))
    names = demands.names_of(conversation)
    (tool,) = written(conversation)
    assert len(str(tool["name"])) <= 64
    assert demands.choice(conversation, names, Quirks()) == {"type": "function", "name": tool["name"]}
    assert names.original(str(tool["name"])) == LONG
    assert names.original(names.wire("other.name")) == "other.name"


@pytest.mark.parametrize(
    ("choice", "wire"),
    [
        (ToolChoice(), None),
        (ToolChoice(mode="none"), "none"),
        (ToolChoice(mode="required"), "required"),
        (ToolChoice(mode="function", name="f"), {"type": "function", "name": "f"}),
        (ToolChoice(mode="function", name="g"), {"type": "custom", "name": "g"}),
        (
            ToolChoice(allowed=("f", "s", "x")),
            {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}, {"type": "s"}]},
        ),
        (ToolChoice(mode="required", allowed=("x",)), "required"),
        (
            ToolChoice(mode="required", allowed=("g",)),
            {"type": "allowed_tools", "mode": "required", "tools": [{"type": "custom", "name": "g"}]},
        ),
    ],
)
def test_a_choice_is_written(choice: ToolChoice, wire: object) -> None:
    tools = (
        Tool(name="f"),
        Tool(name="g", kind="custom"),
        Tool(name="s", kind="server", dialect="responses"),
        Tool(name="x", kind="server"),
    )
    conversation = talk(tools=tools, tool_choice=choice)
    assert demands.choice(conversation, demands.names_of(conversation), Quirks()) == wire


def test_an_upstream_may_have_its_own_words_for_a_choice() -> None:
    conversation = talk(tools=(Tool(name="f"),), tool_choice=ToolChoice(mode="required"))
    assert demands.choice(conversation, demands.names_of(conversation), Quirks(tool_choice_map={"required": "any"})) == "any"


def test_a_choice_of_a_server_tool_goes_to_its_own_dialect_only() -> None:
    raw = Raw(b'{"type":"web_search"}')
    fields: dict[str, object] = {"tool_choice": ToolChoice(mode="required"), "extra": {"tool_choice": raw}}
    assert demands.choice(talk(dialect="responses", **fields), demands.names_of(talk()), Quirks()) == raw
    assert demands.choice(talk(dialect="chat", **fields), demands.names_of(talk()), Quirks()) == "required"


SCHEMA = Raw(b'{"z":1,"a":{"$ref":"#"}}')


@pytest.mark.parametrize(
    ("form", "quirks", "wire"),
    [
        (None, Quirks(), {}),
        (Format(), Quirks(), {}),
        (Format(kind="json_object"), Quirks(), {"format": {"type": "json_object"}}),
        (Format(kind="json_schema"), Quirks(), {"format": {"type": "json_object"}}),
        (
            Format(kind="json_schema", name="n", schema=SCHEMA, strict=True, description="d"),
            Quirks(),
            {"format": {"type": "json_schema", "name": "n", "description": "d", "strict": True, "schema": {"z": 1, "a": {"$ref": "#"}}}},
        ),
        (
            Format(kind="json_schema", schema=SCHEMA),
            Quirks(),
            {"format": {"type": "json_schema", "name": "response", "schema": {"z": 1, "a": {"$ref": "#"}}}},
        ),
        (Format(kind="json_schema", schema=SCHEMA), Quirks(json_schema="object"), {"format": {"type": "json_object"}}),
        (Format(kind="json_schema", schema=SCHEMA), Quirks(json_schema="none"), {}),
    ],
)
def test_a_form_is_written(form: Format | None, quirks: Quirks, wire: object) -> None:
    assert msgspec.json.decode(msgspec.json.encode(demands.text(talk(format=form), quirks))) == wire


def test_verbosity_stands_beside_the_form() -> None:
    assert demands.text(talk(verbosity="low"), Quirks()) == {"verbosity": "low"}


@pytest.mark.parametrize(
    ("wish", "limit", "quirks", "wire"),
    [
        (ReasoningWish(), None, Quirks(), {}),
        (ReasoningWish(effort="high"), None, Quirks(), {"effort": "high"}),
        (ReasoningWish(effort="high", summary="auto"), None, Quirks(), {"effort": "high", "summary": "auto"}),
        (ReasoningWish(effort="high", summary="auto", exclude=True), None, Quirks(), {"effort": "high"}),
        (ReasoningWish(effort="high", summary="auto"), None, Quirks(drop=("reasoning.summary",)), {"effort": "high"}),
        (ReasoningWish(enabled=False, summary="auto"), None, Quirks(), {"effort": "none"}),
        (ReasoningWish(effort="none"), None, Quirks(effort_map={"none": ""}), {}),
        (ReasoningWish(effort="minimal"), None, Quirks(effort_map={"minimal": "low"}), {"effort": "low"}),
        (ReasoningWish(enabled=True), None, Quirks(), {"effort": "medium"}),
        (ReasoningWish(max_tokens=8000), 10000, Quirks(), {"effort": "high"}),
        (ReasoningWish(max_tokens=2000), 10000, Quirks(), {"effort": "low"}),
        (ReasoningWish(max_tokens=2000), 10000, Quirks(native_reasoning=True), {"max_tokens": 2000}),
        (ReasoningWish(adaptive=True), None, Quirks(), {}),
        (
            ReasoningWish(effort="low", context="all_turns", mode="pro"),
            None,
            Quirks(),
            {"effort": "low", "context": "all_turns", "mode": "pro"},
        ),
    ],
)
def test_reasoning_is_written(wish: ReasoningWish, limit: int | None, quirks: Quirks, wire: object) -> None:
    assert demands.reasoning(wish, limit, quirks) == wire
