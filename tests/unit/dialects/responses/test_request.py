import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trunkline.dialects.responses.request import ResponsesRequest, parse
from trunkline.errors import ApiError


def ask(**fields: object) -> ResponsesRequest:
    return parse(msgspec.json.encode({"model": "a/b", "input": "hi", **fields}))


def refused(**fields: object) -> str:
    with pytest.raises(ApiError) as caught:
        ask(**fields)
    assert (caught.value.error_type, caught.value.status) == ("invalid_request", 400)
    return caught.value.message


TOOL = {"type": "function", "name": "f", "parameters": {"type": "object"}}


def test_a_small_request_is_read() -> None:
    request = ask()
    assert (request.dialect, request.model, request.models, request.input) == ("responses", "a/b", ("a/b",), "hi")
    assert (request.stream, request.max_tokens, request.prompt_bytes, request.parameters) == (False, None, 2, frozenset())


def test_the_gateways_keys_are_read() -> None:
    request = ask(
        models=["c/d", "a/b"],
        provider={"only": ["x"], "zdr": True},
        session_id="s",
        user="u",
        trace={"a": 1},
        plugins=[{"id": "web"}],
        stream=True,
        max_output_tokens=9,
        instructions="be",
    )
    assert request.models == ("a/b", "c/d")
    assert (request.preferences.only, request.preferences.zdr) == (("x",), True)
    assert (request.session_id, request.user, request.stream, request.max_tokens, request.prompt_bytes) == ("s", "u", True, 9, 4)
    assert ask(model=None, models=["c/d"]).models == ("c/d",)


def test_parameters_have_the_words_of_chat() -> None:
    request = ask(
        temperature=1,
        top_p=1,
        top_k=3,
        max_output_tokens=20,
        tools=[TOOL],
        tool_choice="required",
        parallel_tool_calls=True,
        reasoning={"effort": "low"},
        text={"verbosity": "low", "format": {"type": "json_schema", "name": "n", "schema": {}}},
        top_logprobs=2,
    )
    assert request.parameters == {
        *("temperature", "top_p", "top_k", "max_tokens", "tools", "tool_choice", "parallel_tool_calls", "reasoning"),
        *("verbosity", "response_format", "structured_outputs", "top_logprobs"),
    }
    assert ask(tools=[], tool_choice="auto", parallel_tool_calls=False, temperature=None, reasoning=None).parameters == frozenset()
    assert ask(tools=[TOOL], tool_choice="auto").parameters == {"tools"}
    assert ask(text={"format": {"type": "text"}}).parameters == frozenset()
    assert ask(text={"format": {"type": "json_object"}}).parameters == {"response_format"}


@pytest.mark.parametrize(
    ("wire", "effort"),
    [
        (None, None),
        ({}, None),
        ({"enabled": True}, "medium"),
        ({"enabled": False, "effort": "high"}, "none"),
        ({"effort": "high"}, "high"),
        ({"max_tokens": 0}, "none"),
        ({"max_tokens": 2000}, None),
        ({"enabled": True, "max_tokens": 2000}, None),
    ],
)
def test_reasoning_is_read(wire: object, effort: str | None) -> None:
    assert ask(reasoning=wire).effort == effort
    assert ask(reasoning=wire).reasoning_off is (effort == "none")


def test_reasoning_can_be_excluded() -> None:
    assert ask(reasoning={"exclude": True}).reasoning_excluded
    assert not ask(reasoning={}).reasoning_excluded


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"store": True}, "store: "),
        ({"previous_response_id": "resp_1"}, "previous_response_id: "),
        ({"conversation": "conv_1"}, "conversation: "),
        ({"conversation": {"id": "conv_1"}}, "conversation: "),
        ({"background": True}, "background: "),
        ({"prompt": {"id": "pmpt_1"}}, "prompt: "),
        ({"input": [{"type": "item_reference", "id": "rs_1"}]}, "input[0]: "),
    ],
)
def test_state_is_refused(fields: dict[str, object], told: str) -> None:
    """Contract 5.1: stateless."""
    assert refused(**fields).startswith(told)


def test_what_says_that_there_is_no_state_passes() -> None:
    assert ask(store=False, previous_response_id=None, background=False, conversation=None, prompt=None).input == "hi"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"tools": [{"type": "function"}]}, "tools[0].name: A tool of type function needs it"),
        ({"tools": [{"type": "custom"}]}, "tools[0].name: A tool of type custom needs it"),
        ({"tools": [{"name": "f"}]}, "tools[0]: "),
        ({"tool_choice": "required"}, "tool_choice: A tool is required and tools is empty"),
        ({"tools": [TOOL], "tool_choice": {"type": "function", "name": "g"}}, "tool_choice.name: No tool is named 'g'"),
        ({"text": {"format": {"type": "json_schema", "name": "n"}}}, "text.format.schema: "),
        ({"reasoning": {"effort": "low", "max_tokens": 5}}, "reasoning.max_tokens: "),
        ({"reasoning": {"effort": "huge"}}, "reasoning.effort: "),
        ({"max_output_tokens": 0}, "max_output_tokens: "),
        ({"input": None}, "input: "),
        ({"input": {"role": "user"}}, "input: "),
    ],
)
def test_an_error_names_the_field(fields: dict[str, object], told: str) -> None:
    assert refused(**fields).startswith(told)


def test_input_is_needed() -> None:
    with pytest.raises(ApiError, match="input: Give input"):
        parse(b'{"model":"a/b"}')


def test_a_server_tool_may_be_chosen() -> None:
    assert ask(tools=[{"type": "web_search"}], tool_choice={"type": "web_search"}).fields["tool_choice"]
    assert ask(tools=[{"type": "custom", "name": "g"}], tool_choice={"type": "custom", "name": "g"})


KEYS = ("type", "role", "content", "output", "call_id", "name", "arguments", "text", "summary", "image_url")
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(ANY)
def test_any_input_is_read_or_refused(value: object) -> None:
    try:
        ask(input=value)
    except ApiError as error:
        assert error.message.startswith("input")


@given(st.binary(max_size=60))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ApiError):
        parse(data)
