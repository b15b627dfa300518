from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from endpoints import PLAIN
from msgspec import Raw
from msgspec.structs import replace

from trunkline.dialects.chat.compose import Composer
from trunkline.dialects.chat.request import parse
from trunkline.dialects.chat.turns import conversation
from trunkline.dialects.hub.conversation import (
    Conversation,
    Format,
    Image,
    Opaque,
    Reasoning,
    ReasoningWish,
    Refusal,
    Sampling,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.quirks import Quirks

ASK = Turn(role="user", blocks=(Text(text="q"),))
NATIVE = {"native_reasoning": True, "reasoning_in": "keep"}
SIGNED = Reasoning(text="t", signature="S+/=", format="anthropic-claude-v1", index=0)


def endpoint(*, supported: set[str] | None = None, **quirks: object) -> Endpoint:
    kept = None if supported is None else frozenset(supported)
    return replace(PLAIN, upstream_model="up", supported_parameters=kept, quirks=Quirks(**quirks))  # type: ignore[arg-type]


def composed(*turns: Turn, supported: set[str] | None = None, quirks: dict[str, Any] | None = None, **fields: object) -> dict[str, Any]:
    talk = Conversation(turns=turns, **fields)  # type: ignore[arg-type]
    out = msgspec.json.decode(Composer(endpoint(supported=supported, **quirks or {})).compose(talk))
    assert isinstance(out, dict)
    return out


def messages(*turns: Turn, **quirks: object) -> list[dict[str, Any]]:
    found = composed(*turns, quirks=quirks)["messages"]
    assert isinstance(found, list)
    return found


def assistant(*blocks: object) -> Turn:
    return Turn(role="assistant", blocks=blocks)  # type: ignore[arg-type]


def test_the_body_is_that_of_a_plain_request() -> None:
    got = composed(Turn(role="system", blocks=(Text(text="s"),)), ASK, max_tokens=5, stream=True, sampling=Sampling(temperature=0.5))
    assert got == {
        "model": "up",
        "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "q"}],
        "temperature": 0.5,
        "max_tokens": 5,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_bug_08_text_is_a_string_and_content_is_never_missing() -> None:
    sent = messages(
        Turn(role="system", blocks=(Text(text="a", cache="5m"), Text(text="b"))),
        Turn(role="user", blocks=(Text(text="c"), Text(text=""), Text(text="d"))),
        assistant(Text(text="e"), Text(text="f")),
        ASK,
        assistant(ToolCall(id="1", name="f")),
        Turn(role="tool", blocks=(ToolResult(id="1"),)),
    )
    assert [message["content"] for message in sent] == ["a\nb", "c\nd", "ef", "q", None, ""]


@pytest.mark.parametrize("quirks", [{}, {"reasoning_in": "keep", "reasoning_formats": ("google-gemini-v1",)}])
def test_bug_08_an_answer_of_which_nothing_can_be_sent_is_left_out(quirks: dict[str, Any]) -> None:
    assert [message["role"] for message in messages(ASK, assistant(SIGNED), ASK, **quirks)] == ["user", "user"]


def test_bug_08_an_answer_that_only_thought_has_empty_content() -> None:
    sent = messages(ASK, assistant(SIGNED), ASK, reasoning_in="reasoning_content")
    assert sent[1] == {"role": "assistant", "content": "", "reasoning_content": "t"}


def test_bug_01_reasoning_goes_back_whole_to_those_who_know_it() -> None:
    own = Raw(b'{"type":"reasoning.server_tool_call","tool_name":"x"}')
    answer = assistant(SIGNED, Opaque(dialect="chat", raw=own), Opaque(dialect="messages", raw=Raw(b"{}")), Text(text="a"))
    (_, sent) = messages(ASK, answer, **NATIVE)
    assert sent["reasoning"] == "t"
    assert sent["reasoning_details"] == [
        {"type": "reasoning.text", "text": "t", "signature": "S+/=", "format": "anthropic-claude-v1", "index": 0},
        msgspec.json.decode(own),
    ]


@pytest.mark.parametrize("quirks", [{}, {"reasoning_in": "reasoning_content"}, {"reasoning_in": "keep", "reasoning_formats": ("x",)}])
def test_bug_02_signatures_do_not_reach_strangers(quirks: dict[str, Any]) -> None:
    secret = Reasoning(kind="encrypted", data="S+/=", format="openai-responses-v1", id="rs")
    talk = Conversation(turns=(ASK, assistant(SIGNED, secret, Text(text="a")), ASK))
    assert b"S+/=" not in Composer(endpoint(**quirks)).compose(talk)


@pytest.mark.parametrize(("formats", "kept"), [(("google-gemini-v1",), True), ((), False), (("x",), False)])
def test_bug_03_the_thought_signature_of_a_call_goes_back_to_its_family(formats: tuple[str, ...], kept: bool) -> None:
    sign = Reasoning(kind="encrypted", data="Sig==", id="1", format="google-gemini-v1")
    (_, sent) = messages(ASK, assistant(sign, ToolCall(id="1", name="f"), ToolCall(id="2", name="f")), reasoning_formats=formats)
    extras = [call.get("extra_content") for call in sent["tool_calls"]]
    assert extras == [{"google": {"thought_signature": "Sig=="}} if kept else None, None]


def test_bug_07_results_follow_their_calls() -> None:
    sent = messages(
        ASK,
        assistant(ToolCall(id="1", name="f", arguments='{"a":1.0}'), ToolCall(id="2", name="f", arguments="")),
        Turn(role="user", blocks=(Text(text="now"), ToolResult(id="2", blocks=(Text(text="r"),)), ToolResult(id="9"))),
        ASK,
    )
    assert [(message["role"], message["content"]) for message in sent[2:4]] == [
        ("tool", "r"),
        ("tool", "No result was given for this call."),
    ]
    assert [message["tool_call_id"] for message in sent[2:4]] == ["2", "1"]
    assert [call["function"]["arguments"] for call in sent[1]["tool_calls"]] == ['{"a":1.0}', "{}"]
    assert [message["content"] for message in sent[4:]] == ["now", "q"]


def test_bug_09_marks_go_only_where_they_are_known() -> None:
    system = Turn(role="system", blocks=(Text(text="a", cache="1h"), Text(text="b")))
    result = Turn(role="tool", blocks=(ToolResult(id="1", blocks=(Text(text="r", cache="5m"),)),))
    turns = (system, ASK, assistant(ToolCall(id="1", name="f")), result)
    talk = Conversation(turns=turns, tools=(Tool(name="f", cache="5m"),), cache="5m")
    assert b"cache_control" not in Composer(endpoint()).compose(talk)
    sent = msgspec.json.decode(Composer(endpoint(**NATIVE)).compose(talk))
    assert sent["messages"][0]["content"] == [
        {"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        {"type": "text", "text": "b"},
    ]
    assert sent["messages"][3]["content"] == [{"type": "text", "text": "r", "cache_control": {"type": "ephemeral"}}]
    assert sent["cache_control"] == sent["tools"][0]["cache_control"] == {"type": "ephemeral"}


def test_bug_11_the_same_conversation_is_the_same_bytes_and_a_longer_one_begins_with_them() -> None:
    schema = Raw(b'{"z":{"type":"number"}, "a":1.0}')
    tools = (Tool(name="g", parameters=schema), Tool(name="f"))
    turns = (ASK, assistant(ToolCall(id="1", name="f", arguments='{"b": 1.0,"a":2}')), Turn(role="tool", blocks=(ToolResult(id="1"),)))
    composer = Composer(endpoint())
    short = composer.compose(Conversation(turns=turns, tools=tools))
    assert short == composer.compose(Conversation(turns=turns, tools=tools))
    assert bytes(schema) in short
    assert short.index(b'"g"') < short.index(b'"parameters"')
    longer = composer.compose(Conversation(turns=(*turns, assistant(Text(text="x")), ASK), tools=tools))
    assert longer.startswith(short[: short.index(b'],"tools"')])


def test_bug_19_names_and_ids_fit_and_match_everywhere() -> None:
    name, identifier = "mcp.server/" + "x" * 80, "fc_" + "a" * 60 + "|x"
    calls = assistant(ToolCall(id=identifier, name=name))
    result = Turn(role="tool", blocks=(ToolResult(id=identifier, blocks=(Text(text="r"),)),))
    got = composed(ASK, calls, result, tools=(Tool(name=name),), tool_choice=ToolChoice(mode="function", name=name))
    call = got["messages"][1]["tool_calls"][0]
    assert len(call["id"]) <= 40
    assert call["id"] == got["messages"][2]["tool_call_id"]
    wire = call["function"]["name"]
    assert len(wire) <= 64
    assert wire == got["tools"][0]["function"]["name"] == got["tool_choice"]["function"]["name"]
    short = composed(ASK, calls, result, quirks={"tool_id_length": 9})["messages"]
    assert len(short[1]["tool_calls"][0]["id"]) == 9
    assert short[1]["tool_calls"][0]["id"] == short[2]["tool_call_id"]


@pytest.mark.parametrize(
    ("fields", "quirks", "want"),
    [
        ({"max_tokens": 9}, {"max_tokens_key": "max_completion_tokens"}, {"max_completion_tokens": 9}),
        ({"reasoning": ReasoningWish(effort="high")}, {}, {"reasoning_effort": "high"}),
        ({"reasoning": ReasoningWish(enabled=False)}, {}, {"reasoning_effort": "none"}),
        ({"reasoning": ReasoningWish(max_tokens=900), "max_tokens": 1000}, {}, {"max_tokens": 1000, "reasoning_effort": "high"}),
        ({"reasoning": ReasoningWish(effort="minimal")}, {"effort_map": {"minimal": "low"}}, {"reasoning_effort": "low"}),
        ({"reasoning": ReasoningWish(effort="high")}, {"reasoning_effort_key": ""}, {}),
        ({"reasoning": ReasoningWish(max_tokens=900)}, NATIVE, {"reasoning": {"max_tokens": 900}}),
        ({"stream": True}, {"stream_usage": "never"}, {"stream": True}),
        ({"sampling": Sampling(top_k=5, seed=1)}, {"drop": ("top_k",)}, {"seed": 1}),
        ({"stop": ("a",)}, {"rename": {"stop": "stop_sequences"}}, {"stop_sequences": ["a"]}),
        ({"format": Format(kind="json_schema")}, {"json_schema": "object"}, {"response_format": {"type": "json_object"}}),
        ({"format": Format(kind="json_schema")}, {"json_schema": "none"}, {}),
    ],
)
def test_bug_21_parameters_are_in_the_upstreams_words(fields: dict[str, Any], quirks: dict[str, Any], want: dict[str, Any]) -> None:
    got = composed(ASK, quirks=quirks, **fields)
    assert {key: value for key, value in got.items() if key not in ("model", "messages")} == want


def test_bug_21_unsupported_parameters_are_dropped() -> None:
    got = composed(ASK, supported={"max_tokens"}, max_tokens=5, sampling=Sampling(top_k=5), tools=(Tool(name="f"),))
    assert got.keys() == {"model", "messages", "max_tokens"}


PICTURE = Image(data="iVBORw0KGgo=", media_type="image/png")
URL = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}


def tool_round(*blocks: Any) -> tuple[Turn, ...]:
    calls = assistant(ToolCall(id="1", name="look"), ToolCall(id="2", name="f"))
    results = (ToolResult(id="1", blocks=blocks), ToolResult(id="2", blocks=(Text(text="r"),)))
    return ASK, calls, Turn(role="user", blocks=results), assistant(Text(text="I see"))


def test_bug_22_pictures_in_results_follow_in_a_users_message() -> None:
    sent = messages(*tool_round(PICTURE))
    assert [message["role"] for message in sent] == ["user", "assistant", "tool", "tool", "user", "assistant"]
    assert sent[2]["content"] == "What the tool gave back follows in the next message."
    assert sent[4]["content"] == [{"type": "text", "text": "Result of look (1):"}, URL]
    assert messages(*tool_round(Text(text="a"), PICTURE)[:3])[2:][0]["content"] == "a"
    assert messages(*tool_round(PICTURE)[:3])[-1]["content"][1] == URL


@pytest.mark.parametrize("quirks", [NATIVE, {"media_in_tool_results": True}])
def test_bug_22_pictures_in_results_stay_there_where_that_is_known(quirks: dict[str, Any]) -> None:
    sent = messages(*tool_round(Text(text="a"), PICTURE), **quirks)
    assert sent[2]["content"] == [{"type": "text", "text": "a"}, URL]
    assert len(sent) == 5


def test_pictures_and_citations_of_an_answer() -> None:
    answer = assistant(Text(text="a", annotations=(Raw(b'{"type":"url_citation"}'),)), PICTURE, Refusal(text="no"))
    assert messages(ASK, answer)[1] == {"role": "assistant", "content": "a", "refusal": "no"}
    sent = messages(ASK, answer, **NATIVE)[1]
    assert sent["images"] == [URL]
    assert sent["annotations"] == [{"type": "url_citation"}]


def test_bug_23_a_forced_call_is_asked_for_as_a_schema() -> None:
    tools = (Tool(name="f", parameters=Raw(b'{"type":"object"}')),)
    got = composed(ASK, tools=tools, tool_choice=ToolChoice(mode="required"), quirks={"tools": "schema"})
    assert "tools" not in got
    assert got["response_format"]["json_schema"]["schema"]["properties"]["name"] == {"const": "f"}
    assert got["messages"][0]["role"] == "system"


def test_calls_of_the_history_are_told_in_words_where_there_are_no_tools() -> None:
    got = composed(*tool_round(Text(text="a")), tools=(Tool(name="f"),), quirks={"tools": "none"})
    assert "tools" not in got
    assert [message["role"] for message in got["messages"]] == ["user", "assistant", "user", "user", "assistant"]
    assert b"tool_call" not in msgspec.json.encode(got)


def test_calls_of_the_history_need_no_tools_on_offer() -> None:
    got = composed(*tool_round(Text(text="a")), tool_choice=ToolChoice(mode="required", parallel=False))
    assert "tools" not in got
    assert "tool_choice" not in got
    assert "parallel_tool_calls" not in got
    assert got["messages"][1]["tool_calls"][0]["function"]["name"] == "look"


def test_custom_tools_of_other_dialects_are_functions() -> None:
    history = assistant(ToolCall(id="1", name="patch", arguments="*** Begin", kind="custom"))
    done = Turn(role="tool", blocks=(ToolResult(id="1", blocks=(Text(text="ok"),)),))
    theirs = composed(ASK, history, done, tools=(Tool(name="patch", kind="custom", dialect="responses"),))
    call = theirs["messages"][1]["tool_calls"][0]
    assert msgspec.json.decode(call["function"]["arguments"]) == {"input": "*** Begin"}
    own = composed(ASK, history, done, tools=(Tool(name="patch", kind="custom", dialect="chat", raw=Raw(b'{"type":"custom"}')),))
    assert own["messages"][1]["tool_calls"][0] == {"id": "1", "type": "custom", "custom": {"name": "patch", "input": "*** Begin"}}


@pytest.mark.parametrize(("role", "developer"), [("system", False), ("developer", True)])
def test_roles_of_system_turns(role: str, developer: bool) -> None:
    turn = Turn(role="system", blocks=(Text(text="s"),), developer=developer, name="n")
    assert messages(turn, ASK)[0] == {"role": "system", "content": "s", "name": "n"}
    assert messages(turn, ASK, system_role="developer")[0]["role"] == "developer"
    assert messages(turn, ASK, Turn(role="system", blocks=(Text(text="late"),)), merge_system=True)[0]["content"] == "s\n\nlate"


@pytest.mark.parametrize(("dialect", "kept"), [("chat", True), ("messages", False), ("", False)])
def test_extra_keys_are_for_their_own_dialect(dialect: str, kept: bool) -> None:
    assert ("safe_prompt" in composed(ASK, extra={"safe_prompt": Raw(b"true")}, dialect=dialect)) == kept


def edited(change: Callable[[dict[str, Any]], None]) -> bytes:
    body: dict[str, Any] = {
        "messages": [
            {"role": "system", "content": "s"},
            {"role": "user", "content": [{"type": "text", "text": "q"}, URL]},
            {
                "role": "assistant",
                "content": "a",
                "reasoning": "t",
                "reasoning_details": [
                    {"type": "reasoning.text", "text": "t", "signature": "S", "format": "anthropic-claude-v1", "index": 0}
                ],
                "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"x":1.0}'}}],
            },
            {"role": "tool", "tool_call_id": "1", "content": "r"},
        ],
        "temperature": 0.5,
        "stop": ["x"],
        "reasoning": {"effort": "high"},
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"z": 1, "a": 2}}}],
        "tool_choice": "required",
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}},
    }
    change(body)
    return msgspec.json.encode(body)


@pytest.mark.parametrize(
    "change",
    [
        lambda body: None,
        lambda body: body["messages"].pop(),
        lambda body: body.update(stream=True, max_tokens=9, modalities=["text"]),
        lambda body: body["messages"][0].update(role="developer"),
        lambda body: body.update(tool_choice={"type": "function", "function": {"name": "f"}}, parallel_tool_calls=True),
        lambda body: body.update(safe_prompt=True, reasoning={"max_tokens": 2000, "exclude": True}),
    ],
)
def test_a_chat_request_means_the_same_after_the_way_through_the_hub(change: Callable[[dict[str, Any]], None]) -> None:
    there = conversation(parse(edited(change)))
    sent = msgspec.json.decode(
        Composer(endpoint(**NATIVE, system_role="developer" if there.turns[0].developer else "system")).compose(there)
    )
    sent.pop("stream_options", None)
    back = conversation(parse(msgspec.json.encode(sent)))
    assert msgspec.json.encode(back) == msgspec.json.encode(there)
