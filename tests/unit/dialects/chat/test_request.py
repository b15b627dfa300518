import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.dialects.chat.request import ChatRequest, parse, parse_completion
from trunkline.errors import ApiError

USER = {"role": "user", "content": "hi"}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


def request(**fields: object) -> ChatRequest:
    return parse(msgspec.json.encode({"messages": [USER], **fields}))


def refusal(body: bytes) -> str:
    with pytest.raises(ApiError) as caught:
        parse(body)
    assert (caught.value.error_type, caught.value.status) == ("invalid_request", 400)
    return caught.value.message


def test_keeps_the_bytes_and_the_order_of_fields() -> None:
    body = b'{"zeta": {"b": 1, "a": [ 2 ]},"messages":[ {"role":"user","content":"h\\u0069"} ],"model":"a/b"}'
    got = parse(body)
    assert list(got.fields) == ["zeta", "messages", "model"]
    assert bytes(got.fields["zeta"]) == b'{"b": 1, "a": [ 2 ]}'
    assert bytes(got.fields["messages"]) == b'[ {"role":"user","content":"h\\u0069"} ]'


def test_models_come_once_with_model_first() -> None:
    assert request(model="a/b", models=["c/d", "a/b", "c/d"]).models == ("a/b", "c/d")
    assert request(models=["c/d"]).models == ("c/d",)
    assert request().models == ()


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({}, set()),
        ({"temperature": 1, "stream": True, "unknown": 1}, {"temperature"}),
        ({"temperature": None}, set()),
        ({"max_completion_tokens": 5}, {"max_tokens"}),
        ({"reasoning_effort": "low"}, {"reasoning"}),
        ({"include_reasoning": False}, set()),
        ({"tools": [TOOL], "tool_choice": "auto"}, {"tools"}),
        ({"tools": [TOOL], "tool_choice": "required"}, {"tools", "tool_choice"}),
        ({"tools": [], "tool_choice": "auto", "parallel_tool_calls": True}, set()),
        ({"response_format": {"type": "text"}}, set()),
        ({"response_format": {"type": "json_object"}}, {"response_format"}),
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}}, {"response_format", "structured_outputs"}),
    ],
)
def test_parameters_are_those_that_constrain_endpoints(fields: dict[str, object], names: set[str]) -> None:
    assert request(**fields).parameters == names


def test_the_output_limit_prefers_the_newer_name() -> None:
    assert request(max_tokens=5, max_completion_tokens=7).max_tokens == 7
    assert request(max_tokens=5).max_tokens == 5
    assert request().max_tokens is None


@pytest.mark.parametrize(
    ("fields", "effort", "tokens", "excluded"),
    [
        ({}, None, None, False),
        ({"reasoning": {"effort": "high"}}, "high", None, False),
        ({"reasoning": {"enabled": True}}, "medium", None, False),
        ({"reasoning": {"enabled": False}}, "none", None, False),
        ({"reasoning": {"max_tokens": 0}}, "none", None, False),
        ({"reasoning": {}}, None, None, False),
        ({"reasoning": {"max_tokens": 2000, "enabled": True}}, None, 2000, False),
        ({"reasoning": {"exclude": True}}, None, None, True),
        ({"include_reasoning": False}, None, None, True),
        ({"include_reasoning": True}, None, None, False),
        ({"reasoning_effort": "low", "reasoning": {"effort": "low"}}, "low", None, False),
    ],
)
def test_reasoning(fields: dict[str, object], effort: str | None, tokens: int | None, excluded: bool) -> None:
    got = request(**fields)
    assert (got.effort, got.reasoning_tokens, got.reasoning_excluded) == (effort, tokens, excluded)
    assert got.reasoning_off is (effort == "none")


def test_tool_choice() -> None:
    named = request(tools=[TOOL], tool_choice={"type": "function", "function": {"name": "f"}})
    assert (named.tool_choice, named.chosen_tool) == ("function", "f")
    assert request(tools=[TOOL], tool_choice="required").tool_choice == "required"
    assert request().tool_choice is None


def test_preferences_user_and_session() -> None:
    got = request(provider={"order": ["x"]}, user="u", session_id="s")
    assert (got.preferences.order, got.user, got.session_id) == (("x",), "u", "s")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"messages":[]}', "messages: "),
        (b"{}", "messages: "),
        (b"[]", "The request body: Expected object, got array"),
        (b"", "The request body is not valid JSON"),
        (b'{"messages":[{"role":"user","content":"x"}', "The request body is not valid JSON: Expecting"),
        (b'{"messages":[{"role":"user","content":"x"}],"temperature":NaN}', "NaN is not JSON"),
        (b'{"messages":[{"role":"user","content":"x"}],"temperature":1e400}', "temperature: "),
        (b'{"messages":[{"role":"user","content":"x"}],"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
        (b'{"x":' + b'{"x":' * 100_000, "nested too deeply"),
        (b'{"messages":[{"role":"user","content":"x"}],"provider":{"order":"a"}}', "provider.order: Expected array"),
        (b'{"messages":[{"role":"user","content":"x"},{"role":"bot"}]}', "messages[1].role: "),
        (b'{"messages":[{"role":"user","content":[{"type":"text"}]}]}', "messages[0].content[0]: "),
        (b'{"messages":[{"role":"user","content":"x"}],"prompt":"x"}', "prompt: "),
        (b'{"messages":[{"role":"user","content":"x"}],"tool_choice":"required"}', "tool_choice: "),
        (b'{"messages":[{"role":"user","content":"x"}],"tools":[{"type":"function"}]}', "tools[0].function: "),
        (b'{"messages":[{"role":"user","content":"x"}],"tool_choice":{"type":"function"}}', "tool_choice.function: "),
        (b'{"messages":[{"role":"user","content":"x"}],"response_format":{"type":"json_schema"}}', "response_format.json_schema: "),
        (b'{"messages":[{"role":"user","content":"x"}],"reasoning":{"effort":"low"},"reasoning_effort":"high"}', "reasoning_effort: "),
        (b'{"messages":[{"role":"user","content":"x"}],"reasoning":{"effort":"low","max_tokens":9}}', "reasoning.max_tokens: "),
        (b'{"messages":[{"role":"user","content":"\xff"}]}', "not UTF-8 at byte"),
    ],
)
def test_refuses_and_says_where(body: bytes, message: str) -> None:
    assert message in refusal(body)


def test_a_named_tool_must_exist() -> None:
    body = msgspec.json.encode({"messages": [USER], "tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "g"}}})
    assert refusal(body).startswith("tool_choice.function.name: ")


def test_lone_surrogates_are_accepted() -> None:
    got = parse(b'{"messages":[{"role":"user","content":"a\\ud800b"}]}')
    assert msgspec.json.decode(got.fields["messages"]) == [{"role": "user", "content": "a\ufffdb"}]


def test_byte_order_mark_duplicate_keys_and_huge_numbers() -> None:
    got = parse(b'\xef\xbb\xbf{"seed":1,"messages":[{"role":"user","content":"x"}],"seed":123456789012345678901234567890}')
    assert bytes(got.fields["seed"]) == b"123456789012345678901234567890"


def test_prompt_instead_of_messages_is_a_text_completion() -> None:
    got = parse(b'{"model":"a/b","prompt":"Once","max_tokens":5,"logprobs":2,"echo":false}')
    assert got.legacy == "text"
    assert msgspec.json.decode(got.fields["messages"]) == [{"role": "user", "content": "Once"}]
    assert set(got.fields) == {"model", "messages", "max_tokens"}
    assert got.prompt_bytes == 4
    assert parse_completion(b'{"prompt":"Once"}').legacy == "text"


@pytest.mark.parametrize("body", [b'{"prompt":""}', b'{"prompt":["a"]}', b'{"messages":[{"role":"user","content":"x"}]}', b"{}"])
def test_text_completions_need_a_prompt(body: bytes) -> None:
    with pytest.raises(ApiError):
        parse_completion(body)


def test_ten_thousand_messages() -> None:
    got = parse(msgspec.json.encode({"messages": [USER] * 10_000}))
    assert got.prompt_bytes == 20_000


@given(
    st.binary(max_size=200)
    | st.text(max_size=200).map(str.encode)
    | st.sampled_from([b'{"messages":', b'{"messages":[{"role":"user","content":'])
)
def test_never_raises_anything_but_an_api_error(body: bytes) -> None:
    try:
        parse(body)
    except ApiError as error:
        assert error.status == 400
