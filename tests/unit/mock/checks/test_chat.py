from typing import Any

import pytest

from trunkline.mock.call import Asked
from trunkline.mock.checks.chat import check
from trunkline.mock.script import Scene

USER: dict[str, Any] = {"role": "user", "content": "go"}
CALLING: dict[str, Any] = {"role": "assistant", "tool_calls": [{"id": "c1"}, {"id": "c2"}]}


def result(name: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": name, "content": "x"}


@pytest.mark.parametrize(
    "body",
    [
        {"messages": [USER]},
        {"messages": [USER, CALLING, result("c1"), result("c2"), USER]},
        {"messages": [USER], "stream": True, "stream_options": {"include_usage": True}},
    ],
)
def test_good_requests(body: dict[str, Any]) -> None:
    assert check(Asked(path="/", body=body), Scene(strict=True)) is None


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "'messages'"),
        ({"messages": [USER], "max_tokens": 1, "max_completion_tokens": 1}, "at the same time"),
        ({"messages": [USER], "stream_options": {}}, "stream_options"),
        ({"messages": [{"role": "bot"}]}, "'bot'"),
        ({"messages": [USER, result("c1")]}, "preceeding"),
        ({"messages": [USER, CALLING, result("c1"), result("c1")]}, "preceeding"),
        ({"messages": [USER, CALLING, result("c1"), USER]}, "c2"),
        ({"messages": [USER, CALLING]}, "c1, c2"),
    ],
)
def test_mistakes_with_strict_only(body: dict[str, Any], said: str) -> None:
    refusal = check(Asked(path="/", body=body), Scene(strict=True))
    assert refusal is not None
    assert said in refusal.message
    assert check(Asked(path="/", body=body), Scene()) is None
