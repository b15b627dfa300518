"""Whole bodies, and what an endpoint's quirks make of them (adapters 2.4, classes 5, 17 and 21)."""

from typing import Any

import msgspec
import pytest
from endpoints import PLAIN
from msgspec import Raw
from msgspec.structs import replace

from trunkline.dialects.gemini.compose import Composer
from trunkline.dialects.hub.conversation import (
    Conversation,
    Format,
    Reasoning,
    ReasoningWish,
    Sampling,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    Turn,
)
from trunkline.errors import ApiError
from trunkline.protocol.quirks import Quirks

USER = Turn(role="user", blocks=(Text(text="hi"),))
SCHEMA = Raw(b'{"type":"object","properties":{"a":{"type":"string"}}}')
HI = [{"role": "user", "parts": [{"text": "hi"}]}]


def system(text: str) -> Turn:
    return Turn(role="system", blocks=(Text(text=text),))


def compose(*turns: Turn, quirks: Quirks = Quirks(), known: frozenset[str] | None = None, **fields: Any) -> Any:  # noqa: B008 - frozen
    endpoint = replace(PLAIN, dialect="gemini", quirks=quirks, supported_parameters=known)
    return msgspec.json.decode(Composer(endpoint).compose(Conversation(turns=turns or (USER,), **fields)))


def test_the_least() -> None:
    assert compose() == {"contents": HI}


def test_everything() -> None:
    body = compose(
        system("be kind"),
        USER,
        system("and short"),
        tools=(Tool(name="f", description="d", parameters=SCHEMA),),
        tool_choice=ToolChoice(mode="required"),
        max_tokens=10,
        sampling=Sampling(temperature=0.5),
        reasoning=ReasoningWish(effort="low"),
        format=Format(kind="json_schema", schema=SCHEMA),
        stream=True,
    )
    schema = msgspec.json.decode(SCHEMA)
    assert body == {
        "systemInstruction": {"parts": [{"text": "be kind"}, {"text": "and short"}]},
        "contents": HI,
        "tools": [{"functionDeclarations": [{"name": "f", "description": "d", "parametersJsonSchema": schema}]}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY"}},
        "generationConfig": {
            "temperature": 0.5,
            "maxOutputTokens": 10,
            "responseMimeType": "application/json",
            "responseJsonSchema": schema,
            "thinkingConfig": {"includeThoughts": True, "thinkingBudget": 1024},
        },
    }


def test_bug_11_tools_and_schemas_keep_order_and_bytes() -> None:
    odd = Raw(b'{"type":"object","properties":{"z":{"type":"number","maximum":1e2},"a":{"type":"string"}}}')
    endpoint = replace(PLAIN, dialect="gemini")
    tools = tuple(Tool(name=name, parameters=odd) for name in ("zeta", "alpha"))
    body = Composer(endpoint).compose(Conversation(turns=(USER,), tools=tools))
    assert body.count(bytes(odd)) == 2
    assert body.index(b"zeta") < body.index(b"alpha")
    assert body == Composer(endpoint).compose(Conversation(turns=(USER,), tools=tools))


def test_only_a_system_becomes_the_users_words() -> None:
    assert compose(system("hi")) == {"contents": HI}


def test_bug_08_nothing_but_empty_text() -> None:
    """Google takes an empty text where it is all there is."""
    empty = [{"role": "user", "parts": [{"text": ""}]}]
    assert compose(system("")) == {"contents": empty}
    assert compose(Turn(role="user", blocks=(Text(text=""),))) == {"contents": empty}
    with pytest.raises(ApiError, match="messages"):
        Composer(PLAIN).compose(Conversation(turns=()))


def test_bug_21_what_the_endpoint_does_not_take_is_dropped() -> None:
    tools = (Tool(name="f"),)
    assert "tools" not in compose(tools=tools, tool_choice=ToolChoice(mode="none"), known=frozenset(("temperature",)))
    assert "toolConfig" not in compose(tools=tools, tool_choice=ToolChoice(mode="none"), known=frozenset(("tools",)))
    assert "tools" not in compose(tools=tools, quirks=Quirks(tools="none"))
    assert "toolConfig" not in compose(tool_choice=ToolChoice(mode="required"))


def test_bug_17_keys_of_the_gateway_and_of_other_dialects_stay_here() -> None:
    extra = {key: Raw(b"1") for key in ("models", "provider", "plugins", "session_id", "trace", "usage", "n", "user")}
    assert compose(extra=extra, prompt_cache_key="k", verbosity="low", service_tier="flex", prediction=Raw(b"{}")) == {"contents": HI}


def test_safety_settings_pass() -> None:
    assert compose(extra={"safety_settings": Raw(b"[]")})["safetySettings"] == []


def test_drop_and_set() -> None:
    quirks = Quirks(drop=("seed", "toolConfig"), set={"safetySettings": [{"category": "X", "threshold": "OFF"}]})
    body = compose(
        quirks=quirks, tools=(Tool(name="f"),), tool_choice=ToolChoice(mode="required"), sampling=Sampling(seed=1, temperature=1.0)
    )
    assert "toolConfig" not in body
    assert body["generationConfig"] == {"temperature": 1.0}
    assert body["safetySettings"] == [{"category": "X", "threshold": "OFF"}]


def test_bug_23_a_form_beside_tools() -> None:
    body = compose(tools=(Tool(name="f"),), format=Format(kind="json_schema", schema=SCHEMA), quirks=Quirks(json_schema_with_tools=False))
    assert "generationConfig" not in body
    assert bytes(SCHEMA).decode() in body["systemInstruction"]["parts"][-1]["text"]


def test_bug_02_families_that_an_endpoint_names() -> None:
    other = Turn(role="assistant", blocks=(Reasoning(kind="encrypted", data="s", format="other-v1"), Text(text="a")))
    assert compose(USER, other)["contents"][1]["parts"] == [{"text": "a"}]
    assert compose(USER, other, quirks=Quirks(reasoning_formats=("other-v1",)))["contents"][1]["parts"] == [
        {"text": "a", "thoughtSignature": "s"}
    ]


def test_bug_05_arguments_go_out_whole() -> None:
    called = Turn(role="assistant", blocks=(ToolCall(id="1", name="f", arguments='{"a":"x"}'),))
    assert compose(USER, called)["contents"][1]["parts"][0]["functionCall"]["args"] == {"a": "x"}
