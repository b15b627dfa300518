import msgspec
import pytest
from msgspec import Raw

from trunkline.dialects.chat.narration import narrate


def told(message: dict[str, object]) -> tuple[bool, object]:
    raw = {key: Raw(msgspec.json.encode(value)) for key, value in message.items()}
    changed = narrate(raw)
    return changed, msgspec.json.decode(msgspec.json.encode(raw))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, 'Called f with {"a":1}\nCalled g with {}'),
        ("I look", 'I look\nCalled f with {"a":1}\nCalled g with {}'),
    ],
)
def test_calls_are_told_in_words(content: object, text: str) -> None:
    calls = [
        {"id": "1", "function": {"name": "f", "arguments": '{"a":1}'}},
        {"id": "2", "function": {"name": "g", "arguments": {}}},
        {"id": "3"},
    ]
    assert told({"role": "assistant", "content": content, "tool_calls": calls}) == (True, {"role": "assistant", "content": text})


@pytest.mark.parametrize(
    ("content", "want"),
    [
        ("42", "Result of the call:\n42"),
        ("", "Result of the call:"),
        ([{"type": "text", "text": "42"}], [{"type": "text", "text": "Result of the call:"}, {"type": "text", "text": "42"}]),
    ],
)
def test_results_are_a_users_words(content: object, want: object) -> None:
    assert told({"role": "tool", "tool_call_id": "1", "content": content}) == (True, {"role": "user", "content": want})


@pytest.mark.parametrize("message", [{"role": "user", "content": "a"}, {"role": "assistant", "content": "a"}])
def test_other_messages_stay(message: dict[str, object]) -> None:
    assert told(message) == (False, message)
