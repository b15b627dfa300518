import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.dialects.messages.request import MessagesRequest, parse
from trunkline.errors import ApiError

TOOL = {"name": "f", "input_schema": {"type": "object"}}


def read(**fields: object) -> MessagesRequest:
    return parse(json.dumps({"model": "a/b", "messages": [{"role": "user", "content": "hi"}], **fields}).encode())


def test_a_small_request() -> None:
    request = read()
    assert (request.dialect, request.model, request.models, request.stream) == ("messages", "a/b", ("a/b",), False)
    assert (request.max_tokens, request.parameters, request.prompt_bytes) == (None, frozenset(), 2)


def test_all_that_the_gateway_must_know_is_read() -> None:
    request = read(
        stream=True,
        max_tokens=9,
        system=[{"type": "text", "text": "abc", "cache_control": {"type": "ephemeral"}}],
        session_id="s",
        metadata={"user_id": "u"},
        provider={"only": ["x"], "zdr": True},
        thinking={"type": "adaptive", "display": "omitted"},
    )
    assert (request.stream, request.max_tokens, request.prompt_bytes) == (True, 9, 5)
    assert (request.session_id, request.user, request.display) == ("s", "u", "omitted")
    assert (request.preferences.only, request.preferences.zdr) == (("x",), True)


def test_the_callers_user_wins_over_the_metadata() -> None:
    assert read(user="me", metadata={"user_id": "u"}).user == "me"


def test_fallbacks_and_models_are_the_same() -> None:
    assert read(fallbacks=[{"model": "c/d"}, {"model": "a/b"}]).models == ("a/b", "c/d")
    assert read(models=["c/d"]).models == ("a/b", "c/d")


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"fallbacks": [{"model": "c/d"}] * 4}, "fallbacks"),
        ({"fallbacks": [{"model": "c/d", "temperature": 1}]}, r"fallbacks\[\.\.\.\]|fallbacks"),
        ({"fallbacks": [{"model": "c/d"}], "models": ["c/d"]}, "fallbacks: Give either"),
        ({"messages": "x"}, "messages"),
        ({"messages": [{"role": "tool", "content": "x"}]}, r"messages"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"tools": [{"input_schema": {}}]}, r"tools\[0\]\.name"),
        ({"tools": [{"name": "f"}]}, r"tools\[0\]\.input_schema"),
        ({"tool_choice": {"type": "any"}}, "tool_choice: A tool is required"),
        ({"tool_choice": {"type": "tool"}, "tools": [TOOL]}, r"tool_choice\.name: A choice"),
        ({"tool_choice": {"type": "tool", "name": "g"}, "tools": [TOOL]}, r"tool_choice\.name: No tool is named 'g'"),
        ({"thinking": {"type": "enabled"}}, "thinking"),
    ],
)
def test_a_wrong_field_is_named(fields: dict[str, object], path: str) -> None:
    with pytest.raises(ApiError, match=path) as refused:
        read(**fields)
    assert refused.value.error_type == "invalid_request"


def test_a_thread_is_refused_so_that_an_sdk_goes_on_without() -> None:
    with pytest.raises(ApiError, match=r"^thread: ") as refused:
        read(thread={"type": "create"})
    assert (refused.value.status, refused.value.details) == (400, {"error_code": "thread_unsupported_request"})
    assert "thread" in read(thread=None).fields


def test_bug_21_parameters_are_in_the_words_of_all_dialects() -> None:
    request = read(
        temperature=0.5,
        top_p=0.5,
        top_k=3,
        max_tokens=10,
        stop_sequences=["x"],
        tools=[TOOL],
        tool_choice={"type": "any", "disable_parallel_tool_use": True},
        thinking={"type": "enabled", "budget_tokens": 2000},
        output_config={"format": {"type": "json_schema", "schema": {}}},
    )
    assert request.parameters == {
        *("temperature", "top_p", "top_k", "max_tokens", "stop", "tools", "tool_choice", "parallel_tool_calls", "reasoning"),
        *("response_format", "structured_outputs"),
    }


def test_bug_21_what_asks_for_nothing_constrains_nothing() -> None:
    request = read(thinking={"type": "disabled"}, tools=[TOOL], tool_choice={"type": "auto"}, stop_sequences=[])
    assert request.parameters == {"tools"}
    assert read(output_config={"effort": "low"}).parameters == {"reasoning"}


def test_tools_and_system_count_as_prompt() -> None:
    assert read(tools=[TOOL]).prompt_bytes == 2 + len(json.dumps([TOOL]))
    assert read(system="abc").prompt_bytes == 5


def test_bug_25_loose_json_is_read() -> None:
    request = parse(b'\xef\xbb\xbf{"model":"a/b","messages":[{"role":"user","content":"\\ud800"}]}')
    assert request.wire.messages[0].content == "\ufffd"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["type", "text", "content", "source", "tool_use_id", "role", "input"]), inner, max_size=4)
        ),
        max_leaves=12,
    )
)
def test_garbage_is_refused_or_read(content: object) -> None:
    body = {"model": "a/b", "messages": [{"role": "user", "content": content}, content], "tools": content}
    for fields in (body, {**body, "messages": [{"role": "user", "content": content}], "tools": None}):
        try:
            parse(json.dumps(fields).encode())
        except ApiError as error:
            assert error.error_type == "invalid_request"
