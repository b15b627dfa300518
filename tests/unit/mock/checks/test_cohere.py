from typing import Any

import pytest

from trunkline.mock.call import Asked
from trunkline.mock.checks.cohere import check
from trunkline.mock.script import Scene

Json = dict[str, Any]
USER: Json = {"role": "user", "content": "go"}
CALLING: Json = {"role": "assistant", "tool_calls": [{"id": "c1"}]}
RESULT: Json = {"role": "tool", "tool_call_id": "c1", "content": "x"}


def test_a_good_conversation() -> None:
    body = {"model": "m", "messages": [USER, CALLING, RESULT], "tools": [{}], "tool_choice": "REQUIRED"}
    assert check(Asked(path="/", body=body), Scene()) is None


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"model": ""}, "model is required"),
        ({"messages": []}, "messages is required"),
        ({"tool_choice": "auto", "tools": [{}]}, "tool_choice"),
        ({"tool_choice": "NONE"}, "with tools"),
        ({"messages": [{"role": "developer", "content": "x"}]}, "'developer'"),
        ({"messages": [USER, RESULT]}, "tool call id"),
        ({"messages": [{"role": "user", "content": ""}]}, "non-empty"),
    ],
)
def test_mistakes(fields: Json, said: str) -> None:
    found = check(Asked(path="/", body={"model": "m", "messages": [USER]} | fields), Scene())
    assert found is not None
    assert said in found.message
