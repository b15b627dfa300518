import msgspec
import pytest
from msgspec import Raw

from trunkline.dialects.chat.thoughts import call_signature, reasoning_fields, signed_call, thoughts_of
from trunkline.dialects.hub.conversation import Block, Opaque, Reasoning, Text

DETAILS = [
    {"type": "reasoning.text", "text": "a\n ", "signature": "EqQB+/=", "format": "anthropic-claude-v1", "index": 0},
    {"type": "reasoning.encrypted", "data": "gAAA==", "id": "rs_1", "format": "openai-responses-v1", "index": 1},
    {"type": "reasoning.server_tool_call", "tool_name": "x", "arguments": "{}", "result": "1.0", "tool_call_id": "c"},
    {"type": "reasoning.summary", "summary": "s", "id": "rs_1", "format": "openai-responses-v1", "index": 1},
    {"type": "reasoning.text", "text": "", "signature": "only", "format": "anthropic-claude-v1", "index": 2},
    {"type": "reasoning.encrypted", "data": "thought", "id": "call_1", "format": "google-gemini-v1", "index": 3},
]


def read(details: object, *texts: object) -> list[Block]:
    return thoughts_of(Raw(msgspec.json.encode(details)), texts)


def written(blocks: list[Block], *formats: str) -> dict[str, object]:
    fields = msgspec.json.decode(msgspec.json.encode(reasoning_fields(blocks, formats)))
    assert isinstance(fields, dict)
    return fields


def test_bug_01_details_return_byte_for_byte_and_in_order() -> None:
    blocks = read(DETAILS, "ignored")
    assert blocks[0] == Reasoning(text="a\n ", signature="EqQB+/=", format="anthropic-claude-v1", index=0)
    assert blocks[4] == Reasoning(signature="only", format="anthropic-claude-v1", index=2)
    assert isinstance(blocks[2], Opaque)
    assert written(blocks) == {"reasoning": "a\n s", "reasoning_details": DETAILS}


def test_bug_01_a_detail_of_unknown_type_keeps_its_bytes() -> None:
    odd = b'{"type" : "reasoning.server_tool_call","result":1.0,"z":[ ]}'
    (block,) = thoughts_of(Raw(b"[%b]" % odd), ())
    assert isinstance(block, Opaque)
    assert bytes(block.raw) == odd
    assert odd in msgspec.json.encode(reasoning_fields([block], ()))


def test_bug_02_credentials_go_only_to_their_family() -> None:
    blocks = [*read(DETAILS), Reasoning(text="plain"), Opaque(dialect="messages", raw=Raw(b"{}"))]
    details = written(blocks, "anthropic-claude-v1")["reasoning_details"]
    assert isinstance(details, list)
    assert [item.get("signature") or item.get("data") for item in details] == ["EqQB+/=", None, None, "only", None]
    assert "gAAA" not in repr(details)


@pytest.mark.parametrize("texts", [("t",), (None, "t"), ("", "t"), (5, "t")])
@pytest.mark.parametrize("details", [None, [], [5, "x"], "x", {}])
def test_reasoning_and_its_alias_stand_for_missing_details(details: object, texts: tuple[object, ...]) -> None:
    blocks = read(details, *texts)
    assert blocks == [Reasoning(text="t")]
    assert written(blocks) == {"reasoning": "t"}


def test_nothing_thought_nothing_written() -> None:
    assert read(None, None, "") == []
    assert written([]) == {}
    assert written([Text(text="said")]) == {}


def test_wrong_types_inside_a_detail_are_passed_over() -> None:
    (block,) = read([{"type": "reasoning.text", "text": 5, "signature": [], "id": 1, "index": "x", "format": None}])
    assert block == Reasoning()


@pytest.mark.parametrize("kind", [[], {}, None, 5])
def test_a_type_that_is_no_word_is_unknown(kind: object) -> None:
    (block,) = read([{"type": kind}])
    assert isinstance(block, Opaque)


@pytest.mark.parametrize(
    ("item", "signature"),
    [
        ({"extra_content": {"google": {"thought_signature": "S"}}}, "S"),
        ({"extra_content": {"google": {"thought_signature": ""}}}, None),
        ({"extra_content": {"google": 5}}, None),
        ({"extra_content": "x"}, None),
        ({}, None),
    ],
)
def test_bug_03_signatures_beside_a_call(item: dict[str, object], signature: str | None) -> None:
    assert call_signature(item) == signature
    blocks = [Reasoning(kind="encrypted", data=signature, format="google-gemini-v1", id="c"), Reasoning(text="t", id="c")]
    assert signed_call({"id": "w"}, "c", blocks) == ({"id": "w"} if signature is None else {"id": "w", **item})
    assert signed_call({"id": "w"}, "other", blocks) == {"id": "w"}
