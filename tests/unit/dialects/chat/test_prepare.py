import msgspec
import pytest

from trunkline.dialects.chat import prepare
from trunkline.dialects.chat.request import parse
from trunkline.protocol.catalogue import Endpoint, Pricing
from trunkline.protocol.quirks import Quirks

MESSAGES = b'[ {"role":"user","content":"h\\u0069"},  {"content":"x","role":"assistant"} ]'
TOOLS = b'[{"type":"function","function":{"parameters":{"z":1, "a":2},"name":"f"}}]'


def endpoint(*, supported: set[str] | None = None, **quirks: object) -> Endpoint:
    return Endpoint(
        id="e",
        model="a/b",
        provider="p",
        provider_name="P",
        tag="p",
        dialect="chat",
        base_url="http://127.0.0.1:1/v1",
        upstream_model="up-1",
        pricing=Pricing(),
        supported_parameters=None if supported is None else frozenset(supported),
        quirks=Quirks(**quirks),  # type: ignore[arg-type]
    )


def sent(fields: dict[str, object], *, supported: set[str] | None = None, **quirks: object) -> dict[str, object]:
    body = msgspec.json.encode({"model": "a/b", "messages": msgspec.Raw(MESSAGES), **fields})
    out = msgspec.json.decode(prepare.prepare(parse(body), endpoint(supported=supported, **quirks)))
    assert isinstance(out, dict)
    out.pop("messages")
    assert out.pop("model") == "up-1"
    return out


def test_bug_11_messages_tools_and_unknown_fields_keep_their_bytes_and_order() -> None:
    body = b'{"safe_prompt": true ,"messages":%b,"model":"a/b","tools":%b,"provider":{"order":["x"]},"seed": 5}' % (MESSAGES, TOOLS)
    want = b'{"safe_prompt":true,"messages":%b,"model":"up-1","tools":%b,"seed":5}' % (MESSAGES, TOOLS)
    assert prepare.compile(endpoint()).splice(parse(body)) == want


def test_gateway_keys_never_reach_an_upstream() -> None:
    fields: dict[str, object] = {
        "models": ["c/d"],
        "provider": {},
        "plugins": [],
        "route": "fallback",
        "transforms": [],
        "preset": "p",
        "session_id": "s",
        "usage": {"include": True},
        "debug": {},
        "trace": {},
        "user": "u",
        "metadata": {"k": "v"},
        "max_tool_calls": 3,
        "stop_server_tools_when": [],
        "structured_outputs": True,
        "include_reasoning": True,
        "cache_control": {"type": "ephemeral"},
        "temperature": 0,
    }
    assert sent(fields) == {"temperature": 0}
    assert sent(fields, native_reasoning=True) == {"temperature": 0, "include_reasoning": True, "cache_control": {"type": "ephemeral"}}


@pytest.mark.parametrize(
    ("fields", "key", "want"),
    [
        ({"max_tokens": 5}, "max_tokens", {"max_tokens": 5}),
        ({"max_completion_tokens": 5}, "max_tokens", {"max_tokens": 5}),
        ({"max_tokens": 5}, "max_completion_tokens", {"max_completion_tokens": 5}),
        ({"max_tokens": 5, "max_completion_tokens": 7}, "max_tokens", {"max_tokens": 7}),
        ({}, "max_tokens", {}),
        ({"max_completion_tokens": None}, "max_tokens", {}),
        ({"max_completion_tokens": None, "max_tokens": 5}, "max_tokens", {"max_tokens": 5}),
    ],
)
def test_bug_21_the_output_limit_is_sent_under_the_upstream_name(fields: dict[str, object], key: str, want: dict[str, object]) -> None:
    assert sent(fields, max_tokens_key=key) == want


@pytest.mark.parametrize(
    ("fields", "quirk", "want"),
    [
        ({"stream": True}, "on_request", {"stream": True, "stream_options": {"include_usage": True}}),
        (
            {"stream": True, "stream_options": {"x": 1, "include_usage": False}},
            "on_request",
            {"stream": True, "stream_options": {"x": 1, "include_usage": True}},
        ),
        ({"stream": True, "stream_options": None}, "on_request", {"stream": True, "stream_options": {"include_usage": True}}),
        ({"stream_options": {"include_usage": True}}, "on_request", {}),
        ({"stream": True, "stream_options": {"include_usage": True}}, "always", {"stream": True}),
        ({"stream": True, "stream_options": {"include_usage": True}}, "never", {"stream": True}),
    ],
)
def test_usage_is_asked_for_where_that_is_understood(fields: dict[str, object], quirk: str, want: dict[str, object]) -> None:
    assert sent(fields, stream_usage=quirk) == want


@pytest.mark.parametrize(
    ("fields", "quirks", "want"),
    [
        ({"reasoning": {"effort": "high"}}, {}, {"reasoning_effort": "high"}),
        ({"reasoning_effort": "low"}, {}, {"reasoning_effort": "low"}),
        ({"reasoning": {"effort": "xhigh"}}, {"effort_map": {"xhigh": "high"}}, {"reasoning_effort": "high"}),
        ({"reasoning": {"enabled": False}}, {"effort_map": {"none": ""}}, {}),
        ({"reasoning": {"max_tokens": 800}, "max_tokens": 1000}, {}, {"max_tokens": 1000, "reasoning_effort": "high"}),
        ({"reasoning": {"effort": "high"}}, {"reasoning_effort_key": ""}, {}),
        ({"reasoning": {"effort": "high"}}, {"reasoning_effort_key": "think"}, {"think": "high"}),
        ({"reasoning": {"exclude": True}}, {}, {}),
        (
            {"reasoning": {"effort": "high", "exclude": True}},
            {"native_reasoning": True},
            {"reasoning": {"effort": "high", "exclude": True}},
        ),
    ],
)
def test_reasoning_in_the_upstream_words(fields: dict[str, object], quirks: dict[str, object], want: dict[str, object]) -> None:
    assert sent(fields, **quirks) == want


def test_parameters_the_endpoint_does_not_support_are_dropped() -> None:
    fields: dict[str, object] = {
        "temperature": 1,
        "top_p": 0.5,
        "max_tokens": 5,
        "reasoning": {"effort": "low"},
        "response_format": {"type": "json_object"},
        "extra": 1,
        "stop": "x",
    }
    assert sent(fields, supported={"temperature"}) == {"temperature": 1, "extra": 1}
    assert sent(fields, supported={"max_completion_tokens", "reasoning_effort", "structured_outputs"}) == {
        "max_tokens": 5,
        "response_format": {"type": "json_object"},
        "extra": 1,
        "reasoning_effort": "low",
    }


def test_drop_rename_and_set() -> None:
    fields: dict[str, object] = {"seed": 5, "logit_bias": {}, "safe_prompt": False}
    got = sent(fields, drop=("logit_bias",), rename={"seed": "random_seed", "absent": "x"}, set={"safe_prompt": True, "tier": "x"})
    assert got == {"random_seed": 5, "safe_prompt": True, "tier": "x"}


SCHEMA = {"type": "json_schema", "json_schema": {"name": "s", "schema": {}}}


@pytest.mark.parametrize(
    ("quirk", "asked", "want"),
    [
        ("native", SCHEMA, SCHEMA),
        ("object", SCHEMA, {"type": "json_object"}),
        ("object", {"type": "text"}, {"type": "text"}),
        ("none", SCHEMA, None),
    ],
)
def test_json_schema(quirk: str, asked: object, want: object) -> None:
    assert sent({"response_format": asked}, json_schema=quirk) == ({} if want is None else {"response_format": want})


def test_tool_choice_in_the_upstream_words() -> None:
    tools = msgspec.json.decode(TOOLS)
    words = {"required": "any"}
    assert sent({"tools": tools, "tool_choice": "required"}, tool_choice_map=words)["tool_choice"] == "any"
    assert sent({"tools": tools, "tool_choice": "auto"}, tool_choice_map=words)["tool_choice"] == "auto"
    named = {"type": "function", "function": {"name": "f"}}
    assert sent({"tools": tools, "tool_choice": named}, tool_choice_map=words)["tool_choice"] == named


@pytest.mark.parametrize("quirk", ["schema", "none"])
@pytest.mark.parametrize("choice", ["auto", "none"])
def test_tools_are_not_sent_where_there_are_none(quirk: str, choice: str) -> None:
    assert sent({"tools": msgspec.json.decode(TOOLS), "tool_choice": choice, "parallel_tool_calls": True}, tools=quirk) == {}


def test_a_forced_call_is_asked_for_as_a_schema() -> None:
    body = b'{"messages":%b,"tools":%b,"tool_choice":"required"}' % (MESSAGES, TOOLS)
    splicer = prepare.compile(endpoint(tools="schema", supported={"tools"}))
    request = parse(body)
    got = msgspec.json.decode(splicer.splice(request))
    assert splicer.forced_tool(request) == "f"
    assert prepare.compile(endpoint()).forced_tool(request) is None
    assert "tools" not in got
    assert "tool_choice" not in got
    assert got["response_format"]["json_schema"]["schema"]["properties"]["name"] == {"const": "f"}
    assert [message["role"] for message in got["messages"]] == ["system", "user", "assistant"]


def test_a_request_can_be_spliced_for_several_endpoints() -> None:
    request = parse(b'{"messages":%b,"model":"a/b","max_tokens":5,"stream":true}' % MESSAGES)
    one, two = prepare.compile(endpoint()), prepare.compile(endpoint(max_tokens_key="max_completion_tokens", stream_usage="never"))
    first = one.splice(request)
    assert b"max_completion_tokens" in two.splice(request)
    assert one.splice(request) == first
