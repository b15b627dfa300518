import msgspec
from msgspec import Raw

from trunkline.dialects.hub.conversation import (
    Conversation,
    File,
    Image,
    Opaque,
    Reasoning,
    ReasoningWish,
    Text,
    ToolCall,
    ToolResult,
    Turn,
)
from trunkline.dialects.responses import seal
from trunkline.dialects.responses.request import parse
from trunkline.dialects.responses.turns import conversation


def read(**fields: object) -> Conversation:
    return conversation(parse(msgspec.json.encode({"model": "a/b", "input": "hi", **fields})))


def turns(*items: object, **fields: object) -> tuple[Turn, ...]:
    return read(input=items, **fields).turns


def test_text_is_a_turn_and_instructions_are_the_first() -> None:
    assert read(instructions="Be brief").turns == (
        Turn(role="system", blocks=(Text(text="Be brief"),)),
        Turn(role="user", blocks=(Text(text="hi"),)),
    )


def test_items_of_one_answer_are_one_turn_in_their_order() -> None:
    got = turns(
        {"role": "developer", "content": "d"},
        {
            "role": "user",
            "content": [{"type": "input_text", "text": "a"}, {"type": "input_image", "image_url": "http://x", "detail": "low"}],
        },
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "s1"}, {"type": "summary_text", "text": "s2"}],
            "encrypted_content": "ZQ==",
        },
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "b"}], "phase": "commentary"},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"a":1}'},
        {"type": "custom_tool_call", "call_id": "c2", "name": "g", "input": "ls"},
        {"type": "function_call_output", "call_id": "c1", "output": "r"},
        {"type": "custom_tool_call_output", "call_id": "c2", "output": [{"type": "input_file", "file_id": "file-1"}]},
        {"type": "message", "role": "assistant", "content": "done", "phase": "final_answer"},
    )
    assert got == (
        Turn(role="system", blocks=(Text(text="d"),), developer=True),
        Turn(role="user", blocks=(Text(text="a"), Image(url="http://x", detail="low"))),
        Turn(
            role="assistant",
            blocks=(
                Reasoning(kind="summary", text="s1", format="openai-responses-v1", id="rs_1"),
                Reasoning(kind="summary", text="s2", format="openai-responses-v1", id="rs_1"),
                Reasoning(kind="encrypted", data="ZQ==", format="openai-responses-v1", id="rs_1"),
                Text(text="b"),
                ToolCall(id="c1", name="f", arguments='{"a":1}'),
                ToolCall(id="c2", name="g", arguments="ls", kind="custom"),
            ),
            phase="commentary",
        ),
        Turn(role="tool", blocks=(ToolResult(id="c1", name="f", blocks=(Text(text="r"),)),)),
        Turn(role="tool", blocks=(ToolResult(id="c2", name="g", blocks=(File(file_id="file-1"),)),)),
        Turn(role="assistant", blocks=(Text(text="done"),), phase="final_answer"),
    )


def test_messages_of_two_phases_are_two_turns() -> None:
    got = turns(
        {"role": "assistant", "content": "a", "phase": "commentary"},
        {"role": "assistant", "content": "b", "phase": "final_answer"},
        {"role": "assistant", "content": "c", "phase": "final_answer"},
    )
    assert [(turn.phase, len(turn.blocks)) for turn in got] == [("commentary", 1), ("final_answer", 2)]


def test_sealed_reasoning_keeps_them_in_clients_that_know_neither() -> None:
    item = {"type": "reasoning", "id": "rs_tmp_1", "summary": [], "content": [{"type": "reasoning_text", "text": "t"}]}
    ((thought,),) = (turn.blocks for turn in turns({**item, "encrypted_content": seal.close("anthropic-claude-v1", "s==", None)}))
    assert thought == Reasoning(text="t", signature="s==", format="anthropic-claude-v1")
    sealed = {"type": "reasoning", "id": "call_1", "summary": [], "encrypted_content": seal.close("google-gemini-v1", None, "ZQ")}
    ((data,),) = (turn.blocks for turn in turns(sealed))
    assert data == Reasoning(kind="encrypted", data="ZQ", format="google-gemini-v1", id="call_1")


def test_reasoning_keeps_its_family_and_signature() -> None:
    item = {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [],
        "content": [{"type": "reasoning_text", "text": "t1"}, {"type": "reasoning_text", "text": "t2"}],
        "signature": "c2ln",
        "format": "anthropic-claude-v1",
    }
    (turn,) = turns(item)
    assert turn.blocks == (
        Reasoning(text="t1", format="anthropic-claude-v1", id="rs_1"),
        Reasoning(text="t2", signature="c2ln", format="anthropic-claude-v1", id="rs_1"),
    )
    (only,) = turns({**item, "content": None, "id": None})
    assert only.blocks == (Reasoning(signature="c2ln", format="anthropic-claude-v1"),)
    (plain,) = turns({"type": "reasoning", "summary": None, "content": [{"type": "reasoning_text", "text": "t"}]})
    assert plain.blocks == (Reasoning(text="t"),)


def test_an_id_that_stands_for_none_is_none_again() -> None:
    """Gemini's signatures name the call they belong to by their id, or the block that follows by none."""
    (turn,) = turns({"type": "reasoning", "id": "rs_tmp_abc", "summary": [], "encrypted_content": "ZQ", "format": "google-gemini-v1"})
    assert turn.blocks == (Reasoning(kind="encrypted", data="ZQ", format="google-gemini-v1"),)


def test_items_of_server_tools_are_kept_as_they_are() -> None:
    item = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}}
    (turn, _) = turns(item, {"role": "user", "content": "a"})
    (block,) = turn.blocks
    assert isinstance(block, Opaque)
    assert block.dialect == "responses"
    assert msgspec.json.decode(block.raw) == item


def test_what_is_asked_is_carried() -> None:
    got = read(
        stream=True,
        max_output_tokens=50,
        temperature=0.5,
        top_p=0.9,
        top_k=4,
        frequency_penalty=1,
        presence_penalty=-1,
        top_logprobs=3,
        reasoning={"effort": "high", "summary": "auto", "context": "all_turns", "mode": "pro", "exclude": True},
        text={"verbosity": "low", "format": {"type": "json_object"}},
        service_tier="flex",
        modalities=["text", "image"],
        image_config={"a": 1},
        cache_control={"type": "ephemeral", "ttl": "1h"},
        prompt_cache_key="k",
        truncation="auto",
        include=["message.output_text.logprobs"],
    )
    assert (got.stream, got.max_tokens, got.verbosity, got.service_tier, got.modalities) == (True, 50, "low", "flex", ("text", "image"))
    assert (got.sampling.temperature, got.sampling.top_p, got.sampling.top_k) == (0.5, 0.9, 4)
    assert (got.sampling.frequency_penalty, got.sampling.presence_penalty) == (1, -1)
    assert (got.sampling.logprobs, got.sampling.top_logprobs) == (True, 3)
    assert got.reasoning == ReasoningWish(effort="high", summary="auto", context="all_turns", mode="pro", exclude=True)
    assert got.format is not None
    assert (got.format.kind, got.cache, got.prompt_cache_key, got.dialect) == ("json_object", "1h", "k", "responses")
    assert got.image_config is not None
    assert {name: bytes(raw) for name, raw in got.extra.items()} == {
        "truncation": b'"auto"',
        "include": b'["message.output_text.logprobs"]',
    }


def test_nothing_asked_is_nothing_said() -> None:
    got = read()
    assert got == Conversation(turns=(Turn(role="user", blocks=(Text(text="hi"),)),), dialect="responses")


def test_a_budget_is_a_wish() -> None:
    assert read(reasoning={"max_tokens": 2000}).reasoning == ReasoningWish(max_tokens=2000)
    assert read(reasoning={"enabled": True}).reasoning == ReasoningWish(effort="medium", enabled=True)


def test_a_choice_of_a_server_tool_is_kept_for_its_dialect() -> None:
    got = read(tools=[{"type": "web_search"}], tool_choice={"type": "web_search"})
    assert got.tool_choice.mode == "required"
    assert got.extra == {"tool_choice": Raw(b'{"type":"web_search"}')}
