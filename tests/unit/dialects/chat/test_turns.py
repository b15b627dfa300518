from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trunkline.dialects.chat.request import parse, parse_completion
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
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from trunkline.errors import ApiError

RECORDED = Path(__file__).parents[5] / "shared" / "cassettes"


def read(*messages: object, **fields: object) -> Conversation:
    return conversation(parse(msgspec.json.encode({"model": "a/b", "messages": messages, **fields})))


def answer(**message: object) -> Turn:
    return read({"role": "user", "content": "q"}, {"role": "assistant", **message}).turns[1]


def test_roles_names_and_parts() -> None:
    got = read(
        {"role": "system", "content": "s"},
        {"role": "developer", "content": [{"type": "text", "text": "d", "cache_control": {"type": "ephemeral"}}]},
        {
            "role": "user",
            "name": "ann",
            "content": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "http://x"}}],
        },
        {"role": "assistant", "content": "prefill"},
    )
    assert got.turns == (
        Turn(role="system", blocks=(Text(text="s"),)),
        Turn(role="system", blocks=(Text(text="d", cache="5m"),), developer=True),
        Turn(role="user", blocks=(Text(text="a"), Image(url="http://x")), name="ann"),
        Turn(role="assistant", blocks=(Text(text="prefill"),)),
    )


def test_bug_09_a_mark_beside_text_content_counts() -> None:
    (turn,) = read({"role": "user", "content": "long", "cache_control": {"type": "ephemeral", "ttl": "1h"}}).turns
    assert turn.blocks == (Text(text="long", cache="1h"),)


def test_calls_and_their_results() -> None:
    calls = [
        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"b":1.0, "a":2}'}},
        {"id": "c2", "type": "custom", "custom": {"name": "patch", "input": "*** Begin"}},
    ]
    got = read(
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "tool_call_id": "c2", "content": "done"},
        {"role": "tool", "tool_call_id": "c1", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}]},
    )
    assert got.turns[1:] == (
        Turn(
            role="assistant",
            blocks=(
                ToolCall(id="c1", name="f", arguments='{"b":1.0, "a":2}'),
                ToolCall(id="c2", name="patch", arguments="*** Begin", kind="custom"),
            ),
        ),
        Turn(role="tool", blocks=(ToolResult(id="c2", name="patch", blocks=(Text(text="done"),)),)),
        Turn(role="tool", blocks=(ToolResult(id="c1", name="f", blocks=(Image(data="AA", media_type="image/png"),)),)),
    )


@pytest.mark.parametrize(("arguments", "text"), [("", "{}"), (None, "{}"), ('{"a":1e2}', '{"a":1e2}'), ({"a": 1}, '{"a":1}')])
def test_bug_05_arguments_are_json_however_they_came(arguments: object, text: str) -> None:
    turn = answer(tool_calls=[{"id": "c", "function": {"name": "f", "arguments": arguments}}])
    assert turn.blocks == (ToolCall(id="c", name="f", arguments=text),)


def test_bug_04_calls_and_results_without_ids_find_each_other() -> None:
    messages = [
        {"role": "user", "content": "q"},
        {"role": "assistant", "tool_calls": [{"function": {"name": "f"}}, {"function": {"name": "g"}}, {}]},
        {"role": "tool", "content": "1"},
        {"role": "tool", "content": "2"},
        {"role": "tool", "content": "3"},
    ]
    turns = read(*messages).turns
    first, second = turns[1].blocks
    assert isinstance(first, ToolCall)
    assert isinstance(second, ToolCall)
    assert first.id != second.id
    results = [turn.blocks[0] for turn in turns[2:]]
    assert [(one.id, one.name) for one in results if isinstance(one, ToolResult)] == [(first.id, "f"), (second.id, "g"), ("", None)]
    assert turns == read(*messages).turns


def test_bug_01_reasoning_comes_first_and_whole() -> None:
    details = [
        {"type": "reasoning.text", "text": "t", "signature": "S=", "format": "anthropic-claude-v1", "index": 0},
        {"type": "reasoning.server_tool_call", "tool_name": "x"},
    ]
    turn = answer(content="c", reasoning="t", reasoning_details=details, tool_calls=[{"id": "1", "function": {"name": "f"}}])
    assert turn.blocks[0] == Reasoning(text="t", signature="S=", format="anthropic-claude-v1", index=0)
    assert isinstance(turn.blocks[1], Opaque)
    assert [type(block) for block in turn.blocks[2:]] == [Text, ToolCall]


@pytest.mark.parametrize("key", ["reasoning", "reasoning_content"])
def test_both_names_of_reasoning(key: str) -> None:
    assert answer(content="c", **{key: "t"}).blocks == (Reasoning(text="t"), Text(text="c"))


def test_what_an_earlier_answer_said_and_showed() -> None:
    citation = {"type": "url_citation", "url_citation": {"url": "http://x", "title": "t", "start_index": 0, "end_index": 1}}
    turn = answer(
        content=[{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
        refusal="no",
        images=[{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}, {"type": "image_url"}],
        annotations=[citation],
    )
    first, last, refusal, image = turn.blocks
    assert first == Text(text="a")
    assert isinstance(last, Text)
    assert [msgspec.json.decode(item) for item in last.annotations] == [citation]
    assert refusal == Refusal(text="no")
    assert image == Image(data="AA", media_type="image/png")


def test_sound_of_an_earlier_answer_is_told_by_its_transcript() -> None:
    assert answer(content=None, audio={"id": "a1", "transcript": "hello"}).blocks == (Text(text="hello"),)
    assert answer(content="said", audio={"id": "a1", "transcript": "hello"}).blocks == (Text(text="said"),)
    assert answer(audio={"id": "a1"}).blocks == ()


def test_a_legacy_prompt_is_a_user_turn() -> None:
    for request in (parse(b'{"prompt":"Once"}'), parse_completion(b'{"prompt":"Once","model":"a/b"}')):
        assert conversation(request).turns == (Turn(role="user", blocks=(Text(text="Once"),)),)


def test_wishes_of_all_kinds() -> None:
    got = read(
        {"role": "user", "content": "q"},
        stream=True,
        temperature=0.5,
        top_k=3,
        logit_bias={"5": -1},
        logprobs=True,
        top_logprobs=2,
        seed=7,
        max_completion_tokens=100,
        stop="END",
        reasoning={"effort": "high", "exclude": True, "summary": "auto", "context": "all_turns"},
        response_format={"type": "json_schema", "json_schema": {"name": "n", "strict": True, "schema": {"z": 1, "a": 2}}},
        verbosity="low",
        service_tier="flex",
        prediction={"type": "content", "content": "x"},
        modalities=["text", "audio"],
        audio={"voice": "alloy", "format": "wav"},
        image_config={"size": "1K"},
        cache_control={"type": "ephemeral", "ttl": "1h"},
        prompt_cache_key="k",
        parallel_tool_calls=False,
        provider={"order": ["x"]},
        stream_options={"include_usage": True},
        user="u",
        n=1,
        safe_prompt=True,
        web_search_options={"search_context_size": "low"},
    )
    assert got.sampling == Sampling(temperature=0.5, top_k=3, seed=7, logit_bias=msgspec.Raw(b'{"5":-1}'), logprobs=True, top_logprobs=2)
    assert got.reasoning == ReasoningWish(effort="high", exclude=True, summary="auto", context="all_turns")
    assert got.format == Format(kind="json_schema", name="n", strict=True, schema=msgspec.Raw(b'{"z":1,"a":2}'))
    assert (got.max_tokens, got.stop, got.stream, got.cache, got.prompt_cache_key) == (100, ("END",), True, "1h", "k")
    assert (got.verbosity, got.service_tier, got.modalities) == ("low", "flex", ("text", "audio"))
    assert [msgspec.json.decode(one or b"0") for one in (got.prediction, got.audio, got.image_config)] == [
        {"type": "content", "content": "x"},
        {"voice": "alloy", "format": "wav"},
        {"size": "1K"},
    ]
    assert got.tool_choice == ToolChoice(parallel=False)
    assert {key: bytes(value) for key, value in got.extra.items()} == {
        "safe_prompt": b"true",
        "web_search_options": b'{"search_context_size":"low"}',
    }
    assert got.dialect == "chat"


def test_nothing_is_put_in_that_was_not_said() -> None:
    got = read({"role": "user", "content": "q"}, temperature=None, stop=None, tools=None, response_format=None, audio=None)
    assert got == Conversation(turns=(Turn(role="user", blocks=(Text(text="q"),)),), dialect="chat")


def test_a_form_that_the_hub_has_no_word_for_goes_on_as_it_is() -> None:
    form = {"type": "grammar", "grammar": "root ::= x"}
    got = read({"role": "user", "content": "q"}, response_format=form)
    assert got.format is None
    assert msgspec.json.decode(got.extra["response_format"]) == form


@pytest.mark.parametrize(
    "message",
    [
        {"role": "assistant", "content": "a", "refusal": 5},
        {"role": "assistant", "content": "a", "images": "x"},
        {"role": "assistant", "content": "a", "audio": []},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x", "detail": 5}}]},
        {"role": "assistant", "tool_calls": [{"custom": {"name": 5}}]},
    ],
)
def test_a_wrong_type_is_the_callers_fault(message: object) -> None:
    with pytest.raises(ApiError) as refused:
        read(message)
    assert refused.value.error_type == "invalid_request"
    assert "$[0]." in refused.value.message


def test_bytes_that_are_no_text_are_the_callers_fault() -> None:
    with pytest.raises(ApiError):
        conversation(parse(b'{"messages":[{"role":"assistant","content":"x","reasoning_details":[{"type":"\xff"}]}]}'))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "text", "url", "id", "name", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)
KEYS = ["content", "name", "refusal", "reasoning", "reasoning_content", "reasoning_details", "images", "audio", "annotations", "tool_calls"]


@given(
    st.lists(
        st.tuples(st.sampled_from(["user", "assistant", "tool"]), st.dictionaries(st.sampled_from(KEYS), JSON)), min_size=1, max_size=3
    )
)
@settings(max_examples=300, deadline=None)
def test_never_raises_anything_but_an_api_error(messages: list[tuple[str, dict[str, object]]]) -> None:
    try:
        got = read(*({"role": role, "content": "c", **rest} for role, rest in messages))
    except ApiError:
        return
    assert len(got.turns) == len(messages)
