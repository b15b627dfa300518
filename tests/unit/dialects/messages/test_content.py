import json

import msgspec
from msgspec import Raw

from trunkline.dialects.hub.answer import fold
from trunkline.dialects.hub.conversation import Reasoning
from trunkline.dialects.hub.events import BlockStart, Delta, Event, Media, OpaqueEvent
from trunkline.dialects.messages import seal
from trunkline.dialects.messages.content import blocks, closing


def made(*events: Event, hides: bool = False) -> list[dict[str, object]]:
    return json.loads(msgspec.json.encode(blocks(fold(events), hides_thinking=hides)))  # type: ignore[no-any-return]


def test_text_with_its_citations() -> None:
    annotation = json.dumps({"type": "url_citation", "url_citation": {"url": "https://a.example", "title": "t"}})
    (block,) = made(BlockStart(0), Delta(0, "text", "a"), Delta(0, "text", "b"), Delta(0, "annotation", annotation))
    assert block["text"] == "ab"
    assert [one["url"] for one in block["citations"]] == ["https://a.example"]  # type: ignore[attr-defined]


def test_bug_08_blocks_that_say_nothing_are_left_out() -> None:
    assert made(BlockStart(0), BlockStart(1, "reasoning"), BlockStart(2, "refusal")) == []


def test_a_refusal_is_text() -> None:
    assert made(BlockStart(0, "refusal"), Delta(0, "text", "no")) == [{"type": "text", "text": "no", "citations": None}]


def test_bug_05_calls_have_an_object_as_input() -> None:
    calls = made(
        BlockStart(0, "tool_call", "t1", "f"),
        Delta(0, "arguments", '{"a":'),
        Delta(0, "arguments", "1}"),
        BlockStart(1, "tool_call", "t2", "g"),
        BlockStart(2, "tool_call", "t3", "h", custom=True),
        Delta(2, "arguments", "free"),
    )
    assert [(call["id"], call["name"], call["input"], call["caller"]) for call in calls] == [
        ("t1", "f", {"a": 1}, {"type": "direct"}),
        ("t2", "g", {}, {"type": "direct"}),
        ("t3", "h", {"input": "free"}, {"type": "direct"}),
    ]


def test_bug_01_anthropics_reasoning_comes_out_exact() -> None:
    assert made(
        BlockStart(0, "reasoning", format=seal.OWN),
        Delta(0, "text", "why"),
        Delta(0, "signature", "s=="),
        BlockStart(1, "reasoning", format=seal.OWN),
        Delta(1, "data", "d=="),
        BlockStart(2, "reasoning", format=seal.OWN),
        Delta(2, "signature", "only=="),
    ) == [
        {"type": "thinking", "thinking": "why", "signature": "s=="},
        {"type": "redacted_thinking", "data": "d=="},
        {"type": "thinking", "thinking": "", "signature": "only=="},
    ]


def test_bug_02_reasoning_of_others_is_sealed() -> None:
    summary, data = made(
        BlockStart(0, "reasoning", "rs_1", format="openai-responses-v1"),
        Delta(0, "summary", "in short"),
        Delta(0, "data", "enc=="),
        BlockStart(1, "reasoning", "call_1", format="google-gemini-v1"),
        Delta(1, "data", "thought=="),
    )
    assert summary["thinking"] == "in short"
    assert seal.open_seal(str(summary["signature"])) == seal.Sealed("openai-responses-v1", "rs_1", True, None, "enc==")
    assert seal.open_seal(str(data["data"])) == seal.Sealed("google-gemini-v1", "call_1", False, None, "thought==")


def test_unsigned_thinking_is_shown_with_an_empty_signature() -> None:
    assert made(BlockStart(0, "reasoning"), Delta(0, "text", "hm")) == [{"type": "thinking", "thinking": "hm", "signature": ""}]


def test_hidden_thinking_leaves_what_must_be_sent_back() -> None:
    """Agents ask for thinking without its text; signatures are worth nothing without it, and some models need the text itself."""
    unsigned, own, bare = made(
        BlockStart(0, "reasoning"),
        Delta(0, "text", "hm"),
        BlockStart(1, "reasoning", format=seal.OWN),
        Delta(1, "text", "why"),
        Delta(1, "signature", "s=="),
        BlockStart(2, "reasoning", format=seal.OWN),
        Delta(2, "signature", "t=="),
        hides=True,
    )
    assert (unsigned["thinking"], own["thinking"], bare["thinking"]) == ("", "", "")
    assert seal.thinking("", str(unsigned["signature"])) == [Reasoning(text="hm", format="unknown")]
    assert seal.thinking("", str(own["signature"])) == [Reasoning(text="why", signature="s==", format=seal.OWN)]
    assert bare["signature"] == "t=="
    (sealed,) = made(BlockStart(0, "reasoning", format="x"), Delta(0, "text", "hm"), Delta(0, "data", "d"), hides=True)
    assert sealed["type"] == "redacted_thinking"
    assert [item.text for item in seal.redacted(str(sealed["data"]))] == ["hm", ""]


def test_pictures_and_sound() -> None:
    image, linked, sound = made(
        Media("image", "image/png", "AAAA"), Media("image", url="https://a.example/x.png"), Media("audio", transcript="hello")
    )
    assert image["source"] == {"type": "base64", "media_type": "image/png", "data": "AAAA"}
    assert linked["source"] == {"type": "url", "url": "https://a.example/x.png"}
    assert sound["text"] == "hello"


def test_opaque_blocks_of_this_dialect_only() -> None:
    raw = Raw(b'{"type":"web_search_tool_result","tool_use_id":"s","content":[]}')
    assert made(OpaqueEvent("messages", raw), OpaqueEvent("responses", raw)) == [json.loads(bytes(raw))]


def test_nothing_to_close_is_nothing() -> None:
    assert closing("unknown", None, summary=False, signature="", data="") == ("", "")
