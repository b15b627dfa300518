import base64
from typing import Any

import pytest

from trunkline.mock.call import Asked
from trunkline.mock.checks.converse import check
from trunkline.mock.script import Scene
from trunkline.mock.seals import envelope, seal

Json = dict[str, Any]
CONFIG: Json = {"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object"}}}}]}
CALL: Json = {"toolUse": {"toolUseId": "c1", "name": "f", "input": {}}}
RESULT: Json = {"toolResult": {"toolUseId": "c1", "content": [{"text": "x"}]}}
THOUGHT: Json = {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": seal("Hm.", kind="thinking")}}}
HIDDEN: Json = {"reasoningContent": {"redactedContent": base64.b64encode(envelope("s", kind="redacted").encode()).decode()}}


def user(*blocks: Json) -> Json:
    return {"role": "user", "content": list(blocks) or [{"text": "go"}]}


def assistant(*blocks: Json) -> Json:
    return {"role": "assistant", "content": list(blocks)}


def refusal(*messages: Json, config: Json | None = CONFIG, scene: Scene = Scene()) -> str:  # noqa: B008
    body: Json = {"messages": list(messages)} | ({} if config is None else {"toolConfig": config})
    found = check(Asked(path="/", model="m", body=body), scene)
    return "" if found is None else found.message


@pytest.mark.parametrize("messages", [(user(),), (user(), assistant(THOUGHT, HIDDEN, {"text": "a"}, CALL), user(RESULT, {"text": "and?"}))])
def test_good_conversations(messages: tuple[Json, ...]) -> None:
    assert refusal(*messages) == ""


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ((), "start with a user message"),
        ((assistant({"text": "a"}),), "start with a user message"),
        ((user(), user()), "must alternate"),
        ((user(), {"role": "tool", "content": [{"text": "x"}]}), "'tool'"),
        ((user(), assistant()), "is empty"),
        ((user({"text": " "}),), "messages.0.content.0 is blank"),
        ((user({"document": {"name": "a.pdf"}}, {"text": "x"}),), "file name"),
        ((user({"document": {"name": "a"}}),), "document is included"),
        ((user(), assistant(CALL)), "Expected toolResult"),
        ((user(), assistant(CALL), user()), "Expected toolResult"),
        ((user(RESULT),), "exceeds the number"),
        ((user(), assistant({"toolUse": {"toolUseId": "a|b", "name": "f", "input": {}}}), user()), "toolUseId"),
        ((user(), assistant({"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "x"}}}), user()), "Invalid `signature`"),
        ((user(), assistant({"reasoningContent": {"redactedContent": "x"}}), user()), "Invalid `data`"),
    ],
)
def test_wrong_conversations(messages: tuple[Json, ...], said: str) -> None:
    assert said in refusal(*messages)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (None, "toolConfig field must be defined"),
        ({"tools": []}, "at least one tool"),
        (CONFIG | {"toolChoice": {"none": {}}}, "toolChoice"),
        ({"tools": [{"toolSpec": {"name": "a.b"}}]}, "toolSpec.name"),
    ],
)
def test_wrong_tools(config: Json | None, said: str) -> None:
    assert said in refusal(user(), assistant(CALL), user(RESULT), config=config)


def test_signatures_of_another_realm_are_foreign() -> None:
    assert "Invalid `signature`" in refusal(user(), assistant(THOUGHT), user(), scene=Scene(realm="other"))
