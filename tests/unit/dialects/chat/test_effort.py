import pytest
from msgspec import Raw

from trunkline.dialects.chat.effort import effort_word
from trunkline.dialects.chat.request import ChatRequest


@pytest.mark.parametrize(
    ("effort", "tokens", "limit", "word"),
    [
        (None, None, None, None),
        ("xhigh", None, 100, "xhigh"),
        ("none", None, None, "none"),
        (None, 8000, 10000, "high"),
        (None, 5000, 10000, "medium"),
        (None, 2000, 10000, "low"),
        (None, 100, 10000, "minimal"),
        (None, 20000, None, "high"),
        (None, 5000, None, "medium"),
        (None, 1024, None, "low"),
        (None, 10, None, "minimal"),
    ],
)
def test_effort_of_a_request(effort: str | None, tokens: int | None, limit: int | None, word: str | None) -> None:
    request = ChatRequest(fields={"messages": Raw(b"[]")}, effort=effort, reasoning_tokens=tokens, max_tokens=limit)  # type: ignore[arg-type]
    assert effort_word(request) == word
