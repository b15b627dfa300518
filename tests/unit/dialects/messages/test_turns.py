import json

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
)
from trunkline.dialects.messages import seal
from trunkline.dialects.messages.request import parse
from trunkline.dialects.messages.turns import conversation


def read(*messages: dict[str, object], **fields: object) -> Conversation:
    return conversation(parse(json.dumps({"model": "a/b", "messages": messages or [{"role": "user", "content": "hi"}], **fields}).encode()))


def user(*blocks: object) -> dict[str, object]:
    return {"role": "user", "content": list(blocks)}


def assistant(*blocks: object) -> dict[str, object]:
    return {"role": "assistant", "content": list(blocks)}


def test_system_comes_first() -> None:
    made = read(system=[{"type": "text", "text": "s", "cache_control": {"type": "ephemeral", "ttl": "1h"}}])
    assert [turn.role for turn in made.turns] == ["system", "user"]
    assert made.turns[0].blocks == (Text(text="s", cache="1h"),)
    assert read(system="s").turns[0].blocks == (Text(text="s"),)
    assert read(system="").turns[0].role == "user"


def test_bug_07_tool_results_become_turns_of_their_own_with_the_tools_name() -> None:
    made = read(
        assistant({"type": "tool_use", "id": "t1", "name": "f", "input": {"z": 1.0, "a": 2}}),
        user(
            {"type": "tool_result", "tool_use_id": "t1", "content": "42", "is_error": True},
            {"type": "text", "text": "and?"},
        ),
    )
    assert [turn.role for turn in made.turns] == ["assistant", "tool", "user"]
    assert made.turns[0].blocks == (ToolCall(id="t1", name="f", arguments='{"z": 1.0, "a": 2}'),)
    assert made.turns[1].blocks == (ToolResult(id="t1", name="f", blocks=(Text(text="42"),), is_error=True),)
    assert made.turns[2].blocks == (Text(text="and?"),)


def test_bug_22_pictures_in_a_tool_result_are_kept() -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
    made = read(user({"type": "tool_result", "tool_use_id": "t", "content": [image]}))
    (result,) = made.turns[0].blocks
    assert isinstance(result, ToolResult)
    assert result.blocks == (Image(data="AAAA", media_type="image/png"),)


def test_a_call_without_input_has_an_empty_object() -> None:
    made = read(assistant({"type": "tool_use", "id": "t", "name": "f"}, {"type": "tool_use", "id": "u", "name": "f", "input": None}))
    assert [block.arguments for block in made.turns[0].blocks if isinstance(block, ToolCall)] == ["{}", "{}"]


def test_bug_01_thinking_keeps_its_signature_and_its_place() -> None:
    made = read(
        assistant(
            {"type": "thinking", "thinking": "why", "signature": "sig=="},
            {"type": "redacted_thinking", "data": "blob=="},
            {"type": "text", "text": "so"},
        )
    )
    assert made.turns[0].blocks == (
        Reasoning(text="why", signature="sig==", format=seal.OWN),
        Reasoning(kind="encrypted", data="blob==", format=seal.OWN),
        Text(text="so"),
    )


def test_documents_and_images() -> None:
    made = read(
        user(
            {"type": "image", "source": {"type": "url", "url": "https://a.example/x.png"}, "cache_control": {"type": "ephemeral"}},
            {"type": "document", "title": "t", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}},
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}},
            {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}},
            {"type": "document", "source": {"type": "file", "file_id": "f_1"}},
            {"type": "document", "source": {"type": "url", "url": "https://a.example/x.pdf"}},
        )
    )
    assert made.turns[0].blocks == (
        Image(url="https://a.example/x.png", cache="5m"),
        File(filename="t", data="JVBE", media_type="application/pdf"),
        File(text="words", media_type="text/plain"),
        File(text="a\nb", media_type="text/plain"),
        File(file_id="f_1"),
        File(url="https://a.example/x.pdf", media_type="application/pdf"),
    )


def test_what_only_anthropic_knows_is_kept_byte_for_byte() -> None:
    raw = '{"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"q": 1.50}}'
    body = '{"model":"a/b","messages":[{"role":"assistant","content":[' + raw + "]}]}"
    (block,) = conversation(parse(body.encode())).turns[0].blocks
    assert isinstance(block, Opaque)
    assert (block.dialect, bytes(block.raw).decode()) == ("messages", raw)
    image = read(user({"type": "image", "source": {"type": "file", "file_id": "f"}})).turns[0].blocks[0]
    assert isinstance(image, Opaque)


def test_citations_become_annotations() -> None:
    cited = {"type": "web_search_result_location", "cited_text": "x", "encrypted_index": "i", "title": "t", "url": "https://a.example"}
    made = read(assistant({"type": "text", "text": "x", "citations": [cited, {"type": "char_location"}]}))
    (block,) = made.turns[0].blocks
    assert isinstance(block, Text)
    assert [json.loads(bytes(one))["url_citation"]["url"] for one in block.annotations] == ["https://a.example"]
    for odd in (None, 7, "x"):
        (block,) = read(assistant({"type": "text", "text": "x", "citations": odd})).turns[0].blocks
        assert block == Text(text="x")


def test_messages_of_the_system_keep_their_place() -> None:
    made = read({"role": "user", "content": "a"}, {"role": "system", "content": "now"}, {"role": "user", "content": "b"})
    assert [turn.role for turn in made.turns] == ["user", "system", "user"]


def test_bug_21_thinking_is_a_wish() -> None:
    assert read().reasoning is None
    assert read(thinking={"type": "disabled"}).reasoning == ReasoningWish(enabled=False)
    assert read(thinking={"type": "enabled", "budget_tokens": 2000}).reasoning == ReasoningWish(max_tokens=2000, enabled=True)
    adaptive = read(thinking={"type": "adaptive", "display": "omitted"}, output_config={"effort": "high"})
    assert adaptive.reasoning == ReasoningWish(effort="high", enabled=True, adaptive=True, display="omitted")
    assert read(output_config={"effort": "low"}).reasoning == ReasoningWish(effort="low")


def test_everything_else_is_carried() -> None:
    made = read(
        max_tokens=7,
        temperature=0.1,
        top_p=0.2,
        top_k=3,
        stop_sequences=["x"],
        stream=True,
        service_tier="auto",
        cache_control={"type": "ephemeral"},
        context_management={"edits": []},
        output_config={"format": {"type": "json_schema", "schema": {"z": 1, "a": 2}}, "task_budget": {"type": "tokens", "total": 20000}},
        provider={"only": ["x"]},
    )
    assert (made.max_tokens, made.sampling.temperature, made.sampling.top_p, made.sampling.top_k) == (7, 0.1, 0.2, 3)
    assert (made.stop, made.stream, made.service_tier, made.cache, made.dialect) == (("x",), True, "auto", "5m", "messages")
    assert made.format is not None
    assert bytes(made.format.schema or b"") == b'{"z":1,"a":2}'
    assert made.extra.keys() == {"context_management", "output_config"}
    assert json.loads(bytes(made.extra["output_config"])) == {"task_budget": {"type": "tokens", "total": 20000}}
