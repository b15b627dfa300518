import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from trunkline.dialects.chat import history
from trunkline.dialects.chat.messages import Message, survey
from trunkline.protocol.quirks import Quirks


def edited(messages: bytes, **quirks: object) -> bytes:
    seen = survey(msgspec.json.decode(messages, type=list[Message]))
    return bytes(history.editor(Quirks(**quirks))(Raw(messages), seen.traits))  # type: ignore[arg-type]


def rewritten(messages: list[dict[str, object]], **quirks: object) -> object:
    return msgspec.json.decode(edited(msgspec.json.encode(messages), **quirks))


PLAIN = b'[ {"role":"system","content":"s"}, {"content":"h\\u0069", "role":"user"},{"role":"assistant","content":"x"}]'


@pytest.mark.parametrize(
    "quirks",
    [{}, {"reasoning_in": "reasoning_content"}, {"reasoning_in": "keep"}, {"tool_id_length": 9}, {"merge_system": True}],
)
def test_bytes_stay_when_nothing_has_to_change(quirks: dict[str, object]) -> None:
    assert edited(PLAIN, **quirks) == PLAIN


def test_messages_that_need_no_change_keep_their_bytes() -> None:
    odd = b'{"content" :  "h\\u0069", "role":"user"}'
    messages = b'[%b,{"role":"assistant","content":"x","reasoning":"t"}]' % odd
    assert edited(messages) == b'[%b,{"role":"assistant","content":"x"}]' % odd


def test_role_of_system_messages() -> None:
    both = [{"role": "system", "content": "a"}, {"role": "developer", "content": "b"}, {"role": "user", "content": "developer"}]
    assert [m["role"] for m in rewritten(both)] == ["system", "system", "user"]  # type: ignore[attr-defined]
    assert [m["role"] for m in rewritten(both, system_role="developer")] == ["developer", "developer", "user"]  # type: ignore[attr-defined]


DETAILS = [
    {"type": "reasoning.text", "text": "de"},
    {"type": "reasoning.encrypted", "data": "x"},
    {"type": "reasoning.text", "text": "tail"},
]


@pytest.mark.parametrize(
    ("reasoning", "text"),
    [
        ({"reasoning": "r", "reasoning_details": DETAILS}, "r"),
        ({"reasoning_content": "c"}, "c"),
        ({"reasoning": None, "reasoning_details": DETAILS}, "detail"),
        ({"reasoning_details": None, "reasoning": ""}, None),
    ],
)
def test_reasoning_in_the_history(reasoning: dict[str, object], text: str | None) -> None:
    message = {"role": "assistant", "content": "x", **reasoning}
    bare = {"role": "assistant", "content": "x"}
    assert rewritten([message], reasoning_in="keep") == [message]
    assert rewritten([message], reasoning_in="drop") == [bare]
    named = bare if text is None else {**bare, "reasoning_content": text}
    assert rewritten([message], reasoning_in="reasoning_content") == [named]


def test_bug_19_call_ids_get_the_length_and_still_match() -> None:
    call = {"id": "call_abcdef123", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    kept = {"id": "aB3dE6gH9", "type": "function", "function": {"name": "g", "arguments": "{}"}}
    got = rewritten(
        [
            {"role": "assistant", "content": None, "tool_calls": [call, kept]},
            {"role": "tool", "tool_call_id": "call_abcdef123", "content": "1"},
            {"role": "tool", "tool_call_id": "aB3dE6gH9", "content": "2"},
        ],
        tool_id_length=9,
    )
    assert isinstance(got, list)
    first, second = (item["id"] for item in got[0]["tool_calls"])
    assert (len(first), first.isalnum(), second) == (9, True, "aB3dE6gH9")
    assert [got[1]["tool_call_id"], got[2]["tool_call_id"]] == [first, second]


@given(st.text(), st.integers(1, 40))
def test_short_ids_are_stable_and_of_the_length(identifier: str, length: int) -> None:
    short = history.short_id(identifier, length)
    assert len(short) == length
    assert short.isascii()
    assert short.isalnum()
    assert history.short_id(short, length) == short == history.short_id(identifier, length)


def test_system_messages_are_merged_at_the_front() -> None:
    parts = [{"type": "text", "text": "b"}, {"type": "text", "text": "c"}]
    got = rewritten(
        [{"role": "user", "content": "u"}, {"role": "system", "content": "a", "name": "n"}, {"role": "developer", "content": parts}],
        merge_system=True,
    )
    assert got == [{"role": "system", "content": "a\n\nb\nc", "name": "n"}, {"role": "user", "content": "u"}]


def test_prepend_system_keeps_the_rest() -> None:
    got = history.prepend_system(Raw(b'[ {"role" : "user","content":"x"} ]'), "system", 'say "hi"')
    assert bytes(got) == b'[{"role":"system","content":"say \\"hi\\""},{"role" : "user","content":"x"}]'
    merged = history.prepend_system(Raw(b'[{"role":"system","content":"b"},{"role":"user","content":"x"}]'), "system", "a", merge=True)
    assert bytes(merged) == b'[{"role":"system","content":"a\\n\\nb"},{"role":"user","content":"x"}]'


def test_bug_02_signatures_of_other_families_are_left_out() -> None:
    plain = {"type": "reasoning.text", "text": "p"}
    own = {"type": "reasoning.text", "text": "a", "signature": "S", "format": "anthropic-claude-v1"}
    other = {"type": "reasoning.encrypted", "data": "D", "format": "openai-responses-v1"}
    messages = [{"role": "assistant", "content": "x", "reasoning_details": [plain, own, other, 5]}]
    got = rewritten(messages, reasoning_in="keep", reasoning_formats=("anthropic-claude-v1",))
    assert got == [{"role": "assistant", "content": "x", "reasoning_details": [plain, own, 5]}]
    kept = msgspec.json.encode([{"role": "assistant", "content": "x", "reasoning": "t"}, {**messages[0], "reasoning_details": [own]}])
    assert edited(kept, reasoning_in="keep", reasoning_formats=("anthropic-claude-v1",)) == kept


def test_calls_are_told_in_words_where_there_are_no_tools() -> None:
    messages = [
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "1", "content": "42"},
    ]
    assert rewritten(messages, tools="none") == [
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": "Called f with {}"},
        {"role": "user", "content": "Result of the call:\n42"},
    ]
    assert edited(PLAIN, tools="none") == PLAIN
